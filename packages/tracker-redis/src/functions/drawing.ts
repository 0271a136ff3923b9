// Which peers an announcer is given: a uniform draw by rank from the parts that it may have. Lua.
export const drawingLua: string = `
-- The members of the ranges other than skip: of a small swarm as it was read, of a large one by rank.
local function membersOf(keys, whole, ranges, skip)
  local members = {}
  for _, range in ipairs(ranges) do
    local last = range.from + range.count - 1
    local found = not whole and range.count > 0 and call('ZRANGE', keys[1], range.from, last)
    for at = 1, range.count do
      local member = whole and whole[2 * (range.from + at) - 1] or found[at]
      if member ~= skip then members[#members + 1] = member end
    end
  end
  return members
end

-- Where a member stands among the ranges taken as one, from 0; nil where it stands in none.
local function indexOf(keys, ranges, member)
  local rank, before = call('ZRANK', keys[1], member), 0
  if not rank then return nil end
  for _, range in ipairs(ranges) do
    if rank >= range.from and rank < range.from + range.count then return before + rank - range.from end
    before = before + range.count
  end
end

local function memberAt(keys, ranges, index)
  for _, range in ipairs(ranges) do
    if index < range.count then
      local rank = text(range.from + index)
      return call('ZRANGE', keys[1], rank, rank)[1]
    end
    index = index - range.count
  end
end

-- Calls pick for up to want of so many, every choice and order equally likely: Fisher and Yates, the array a table of
-- what was moved.
local function choose(candidates, want, pick)
  local drawn, moved = {}, {}
  for at = 0, math.min(want, candidates) - 1 do
    local other = at + math.floor(math.random() * (candidates - at))
    drawn[at + 1] = pick(moved[other] or other)
    moved[other] = moved[at] or at
  end
  return table.concat(drawn), #drawn
end

-- Up to want members of the ranges other than skip (false for none): packed, in random order; and how many.
local function draw(keys, whole, ranges, want, skip)
  local total = 0
  for _, range in ipairs(ranges) do total = total + range.count end
  if total == 0 or want <= 0 then return '', 0 end
  if whole or total <= NEIGHBOURS * want then
    local members = membersOf(keys, whole, ranges, skip)
    return choose(#members, want, function(chosen) return members[chosen + 1] end)
  end
  local index = skip and indexOf(keys, ranges, skip)
  return choose(index and total - 1 or total, want, function(chosen)
    return memberAt(keys, ranges, index and chosen >= index and chosen + 1 or chosen)
  end)
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

-- The peer ids of packed records, for dictionary lists.
local function idsOf(keys, records, stride)
  local ids = {}
  for at = 1, #records, stride do
    ids[#ids + 1] = idIn(entryOf(keys, string.sub(records, at, at + stride - 1)))
  end
  return table.concat(ids)
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
  local own, drawn = draw(keys, parts.whole, given(parts, peer.family, peer), peer.want - reserved, member)
  local other = draw(keys, parts.whole, far, peer.want - drawn, partner)
  if peer.family == 1 then own, other = other, own end
  return own, other
end
`;
