// Which peers an announcer is given: a uniform draw by rank from the parts that it may have. Lua.
export const drawingLua: string = `
-- Up to want members of the parts other than skip (false for none): packed, in random order; and how many.
local function draw(keys, parts, want, skip)
  local total = 0
  for _, range in ipairs(parts) do total = total + range.count end
  local rank, index = skip and total > 0 and call('ZRANK', keys[1], skip), false
  local before = 0
  for _, range in ipairs(parts) do
    if rank and rank >= range.from and rank < range.from + range.count then index = before + rank - range.from end
    before = before + range.count
  end
  local candidates = index and total - 1 or total
  local count = math.min(want, candidates)
  if count <= 0 then return '', 0 end
  local members = false
  if total <= NEIGHBOURS * count then
    members = {}
    for _, range in ipairs(parts) do
      if range.count > 0 then
        for _, member in ipairs(call('ZRANGE', keys[1], range.from, range.from + range.count - 1)) do
          if member ~= skip then members[#members + 1] = member end
        end
      end
    end
  end
  -- Fisher and Yates, the array a table of what was moved.
  local drawn, moved = {}, {}
  for at = 0, count - 1 do
    local other = at + math.floor(math.random() * (candidates - at))
    local chosen = moved[other] or other
    moved[other] = moved[at] or at
    if members then
      drawn[at + 1] = members[chosen + 1]
    else
      if index and chosen >= index then chosen = chosen + 1 end
      for _, range in ipairs(parts) do
        if chosen < range.count then
          drawn[at + 1] = call('ZRANGE', keys[1], range.from + chosen, range.from + chosen)[1]
          break
        end
        chosen = chosen - range.count
      end
    end
  end
  return table.concat(drawn), count
end

-- The parts of a family that may be given: seeds not to seeds and partial seeds, private peers to private ones alone.
local function given(parts, family, peer)
  local found = {}
  for listing = 0, peer.listing do
    for role = 0, peer.role == 0 and SEED or 1 do
      found[#found + 1] = parts[listing * LISTING + family * FAMILY + role]
    end
  end
  return found
end

local function fill(keys, parts, peer)
  if peer.want == 0 then return '', '' end
  local member = peer.member
  local partner = peer.partner
  local far = peer.both and given(parts, 1 - peer.family, peer) or {}
  local reserved = 0
  -- Whoever has addresses of both families can use both: a quarter for the other one, as in opentracker.
  if partner and peer.both then
    for _, range in ipairs(far) do reserved = reserved + range.count end
    reserved = math.min(math.floor(peer.want / 4), peer.role == SEED and reserved or math.max(0, reserved - 1))
  end
  local own, drawn = draw(keys, given(parts, peer.family, peer), peer.want - reserved, member)
  local other = draw(keys, far, peer.want - drawn, partner)
  if peer.family == 1 then own, other = other, own end
  return own, other
end
`;
