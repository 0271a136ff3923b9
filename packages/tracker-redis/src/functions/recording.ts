// How an announcer is written down: joining, staying, moving, two addresses of one participant. Lua. BEP 7, 21.
export const recordingLua: string = `
local function scoreOf(number, seen, counted)
  return text(number * PART + 2 * seen + counted)
end

-- What is known of an address: listing and family, role, second, whether its download was counted. Nil when stale.
local function lookUp(keys, member, cutoff)
  local score = tonumber(call('ZSCORE', keys[1], member) or nil)
  if not score then return nil end
  local number = math.floor(score / PART)
  local seen = math.floor((score % PART) / 2)
  if seen <= cutoff then
    forget(keys, member)
    return nil
  end
  return { base = number - number % FAMILY, role = number % FAMILY, seen = seen, counted = score % 2 }
end

local function write(keys, member, known)
  call('ZADD', keys[1], scoreOf(known.base + known.role, known.seen, known.counted), member)
end

-- Gives one participant one role over both addresses; known is the announcer, who has the last word.
local function agree(keys, member, known, partner, other)
  other.role = known.role
  known.counted = math.max(known.counted, other.counted)
  other.counted = known.counted
  write(keys, member, known)
  write(keys, partner, other)
  call('ZADD', keys[1], scoreOf(PAIRS + known.role, math.min(known.seen, other.seen), 0), pairOf(member, partner))
end

-- Whether becoming role completes a download: once in a stay.
local function completes(keys, before, role, counted)
  if role ~= SEED or before == SEED or counted == 1 then return false end
  call('ZINCRBY', keys[1], '-1', 'c')
  return true
end

-- Whether it is this peer that is listed at a record.
local function isAt(keys, peer, member)
  local entry = entryOf(keys, member)
  return entry and idIn(entry) == peer.id
end

-- An address that is proven and of the same family: its peer goes on from the new address as what it was.
local function move(keys, peer, cutoff)
  local former = lookUp(keys, peer.former, cutoff)
  if not former or not isAt(keys, peer, peer.former) then return nil end
  local partner = partnerOf(keys, peer.former)
  -- A swarm that has nobody for a moment keeps its downloads, because the key is not looked at in between.
  forget(keys, peer.former)
  enter(keys, peer.member, peer.id)
  numberJoining(keys, peer.member)
  if partner then
    join(keys, peer.member, partner)
    call('ZADD', keys[1], scoreOf(PAIRS + former.role, former.seen, 0), pairOf(peer.member, partner))
  end
  return former
end

-- A note says who announced with a key: k, the family, the key, ten digits of the second, the record.
local function nameOf(family, key)
  return 'k' .. family .. key
end

local function secondIn(noted)
  return tonumber(string.sub(noted, 27, 36))
end

-- The record that announced with a key in the last two minutes.
local function recall(keys, family, key, now)
  local noted = find(keys, RECENT, nameOf(family, key))
  return noted and now - secondIn(noted) <= RECENT_SECONDS and string.sub(noted, 37)
end

-- Two notes, looked at by chance, make room for one: never more than half of the notes are old.
local function sweepNotes(keys, now)
  local count = between(keys, edges[RECENT], edges[LINKS])
  local first = count > 2 and call('ZCOUNT', keys[1], '-inf', '(' .. edges[RECENT])
  for _ = 1, count > 2 and 2 or 0 do
    local rank = first + math.floor(math.random() * count)
    local noted = call('ZRANGE', keys[1], rank, rank)[1]
    if now - secondIn(noted) > RECENT_SECONDS then
      call('ZREM', keys[1], noted)
      count = count - 1
      if count == 0 then return end
    end
  end
end

local function note(keys, peer, now)
  local name = nameOf(peer.family, peer.key)
  local former = find(keys, RECENT, name)
  if former then call('ZREM', keys[1], former) end
  sweepNotes(keys, now)
  call('ZADD', keys[1], indexed(RECENT, name), name .. string.format('%010.0f', now) .. peer.member)
end

-- The other address of a participant that has none yet: the proven one, or who announced lately with the same key.
local function meet(keys, peer, now, cutoff)
  if #peer.former > 0 and #peer.former ~= #peer.member then
    local other = not partnerOf(keys, peer.former) and lookUp(keys, peer.former, cutoff)
    if other and isAt(keys, peer, peer.former) then return peer.former, other end
  end
  if peer.key == '' then return nil end
  local partner = recall(keys, 1 - peer.family, peer.key, now)
  if not partner or partnerOf(keys, partner) then return nil end
  local other = lookUp(keys, partner, cutoff)
  -- Somebody else may be at that address by now.
  if not other or not isAt(keys, peer, partner) then return nil end
  return partner, other
end

-- Writes the announcer down; what became of it.
local function record(keys, peer, now, cutoff)
  local member = peer.member
  local known = lookUp(keys, member, cutoff)
  local outcome = 'refreshed'
  local entry, listed = entryOf(keys, member)
  if known and idIn(entry) ~= peer.id then
    -- Somebody else at that address: what is said of the other's second address is not about this one.
    part(keys, member)
    call('ZREM', keys[1], entry)
    enter(keys, member, peer.id)
  end
  if not known then
    if listed >= peer.ports then return 'address-full' end
    if #peer.former == #member then known = move(keys, peer, cutoff) end
  end
  if not known then
    outcome = 'joined'
    known = { role = peer.role, counted = 0, seen = now }
    enter(keys, member, peer.id)
    numberJoining(keys, member)
  end
  local before = known.role
  known.base = peer.listing * LISTING + peer.family * FAMILY
  known.seen = math.max(known.seen, now)
  known.role = peer.role
  local partner = partnerOf(keys, member)
  local other = partner and lookUp(keys, partner, cutoff)
  if not other then
    partner, other = meet(keys, peer, now, cutoff)
    if other then
      join(keys, member, partner)
      -- What is said last holds for both, so it may complete what the other address began.
      if outcome == 'joined' or before == SEED then before = other.role end
      known.counted = math.max(known.counted, other.counted)
    end
  end
  if completes(keys, before, known.role, known.counted) then
    known.counted = 1
    outcome = 'completed'
  end
  if other then agree(keys, member, known, partner, other) else write(keys, member, known) end
  peer.partner = other and partner or false
  if peer.key ~= '' then note(keys, peer, now) end
  return outcome
end

local function leave(keys, peer, cutoff)
  if not lookUp(keys, peer.member, cutoff) then return 'absent' end
  forget(keys, peer.member)
  return 'left'
end
`;
