// Which peers are new to who has the rest: a swarm numbers its joinings once somebody asked for a mark. Lua.

/** Joinings that are remembered: each costs a look-up of 1 µs when somebody asks, and 100 bytes until then. */
const joiningsKept = 256;

export const marksLua: string = `
-- The last number is kept as that of the downloads is, negative.
local function lastNumber(keys)
  local score = call('ZSCORE', keys[1], 'n')
  return score and -tonumber(score)
end

-- Gives somebody who has just joined a number, in a swarm that has numbers; the oldest are forgotten.
local function numberJoining(keys, member)
  local last = lastNumber(keys)
  if not last then return end
  local base = JOINS * PART + last + 1
  call('ZADD', keys[1], text(-last - 1), 'n', text(base), 'j' .. member)
  call('ZREMRANGEBYSCORE', keys[1], edges[JOINS], text(base - ${joiningsKept}))
end

-- Whether a record may be given: as in given, for one.
local function isGiven(keys, record, peer, cutoff)
  local score = tonumber(call('ZSCORE', keys[1], record) or nil)
  if not score or record == peer.member or record == peer.partner then return false end
  local number = math.floor(score / PART)
  if math.floor((score % PART) / 2) <= cutoff or number >= LISTING then return false end
  return peer.role == 0 or number % FAMILY < SEED
end

-- Who has joined after a number, own family first: packed by family, and whether these are all.
local function fillNew(keys, peer, since, cutoff)
  local found, lists, left, all = { [6] = {}, [18] = {} }, {}, peer.want, true
  local first, last = '(' .. text(JOINS * PART + since), '(' .. edges[SIGNALLED]
  for _, note in ipairs(call('ZRANGE', keys[1], first, last, 'BYSCORE')) do
    local record = string.sub(note, 2)
    if (peer.both or #record == #peer.member) and isGiven(keys, record, peer, cutoff) then
      table.insert(found[#record], record)
    end
  end
  for _, stride in ipairs({ #peer.member, 24 - #peer.member }) do
    local records, drawn = found[stride], 0
    lists[stride], drawn = choose(#records, left, function(chosen) return records[chosen + 1] end)
    all, left = all and drawn == #records, left - drawn
  end
  return lists[6], lists[18], all
end

-- The peers of an answer, and a mark to ask with next time: 0 where they are not all, or none was asked for.
local function fillSince(keys, parts, peer, cutoff, writing)
  -- Private peers are given two lists, of which one would need numbers of its own.
  if not peer.since or peer.listing == 1 or peer.want == 0 then
    local ipv4, ipv6 = fill(keys, parts, peer)
    return ipv4, ipv6, 0
  end
  local last = lastNumber(keys)
  local isKnown = last and peer.since > 0 and peer.since <= last and last - peer.since <= ${joiningsKept}
  if isKnown then
    local ipv4, ipv6, all = fillNew(keys, peer, peer.since, cutoff)
    return ipv4, ipv6, all and last or 0
  end
  local ipv4, ipv6 = fill(keys, parts, peer)
  -- Who is given less than it wants is given all there are.
  if #ipv4 / 6 + #ipv6 / 18 >= peer.want or not (last or writing) then return ipv4, ipv6, 0 end
  if not last then
    -- Where numbers begin is drawn, so that marks of a swarm that is gone are not met again.
    last = 4096 * math.random(1, 262144)
    call('ZADD', keys[1], text(-last), 'n')
  end
  return ipv4, ipv6, last
end
`;
