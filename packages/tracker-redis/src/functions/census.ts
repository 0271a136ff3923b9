// How many there are in a swarm, and where they stand: sweeping, counting, and the ranks of every part. Lua.
/** Where each part begins, and where the last one ends. */
const edges = Array.from({ length: 22 }, (_, part) => `'${part * 2 ** 36}'`).join(', ');

export const censusLua: string = `
local PART = 2 ^ 36
local LISTING, FAMILY = 6, 3
local SEED, PAIRS, RECENT, LINKS, IDS, JOINS, SIGNALLED = 2, 12, 15, 16, 17, 18, 19
-- The parts that peers are drawn from.
local DRAWN = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, SIGNALLED, SIGNALLED + 1 }
-- Stale members removed from each part per announce: faster than they can join.
local SWEEP = '16'
-- How long a key is remembered: a client announces over both families within seconds.
local RECENT_SECONDS = 120
-- Up to this many members a swarm is read whole, which is less work than counting its parts.
local SMALL = 24
-- A look-up by rank takes as long as eight neighbours of a range (README, "Figures").
local NEIGHBOURS = 8

-- Set by whatever function is entered: while a library is loaded there is nothing to call yet.
local call

local function text(number)
  return string.format('%.0f', number)
end

-- Where each part begins, as text; a library that loads has no functions for that.
local edges = { [0] = ${edges} }

-- The lowest score of the living of a part: heard of after the cutoff, or of WebTorrent peers, whose scores say until
-- when they live, not over yet.
local function alive(part, cutoff)
  return text(part * PART + 2 * cutoff + 2)
end

local function between(keys, low, high)
  return call('ZCOUNT', keys[1], low, '(' .. high)
end

local function pairOf(one, other)
  return #one == 6 and one .. other or other .. one
end

-- The score under which something is found by its name in a part that is an index.
local function indexed(number, name)
  return text(number * PART + tonumber(string.sub(redis.sha1hex(name), 1, 9), 16))
end

-- What an index has for a name: the members that begin with it.
local function find(keys, number, name)
  local score = indexed(number, name)
  for _, member in ipairs(call('ZRANGE', keys[1], score, score, 'BYSCORE')) do
    if string.sub(member, 1, #name) == name then return member end
  end
end

-- Who is listed at a record's address: the entry of the record itself (record and peer id), and how many there are.
local function entryOf(keys, member)
  local address = string.sub(member, 1, -3)
  local score, own, count = indexed(IDS, address), nil, 0
  for _, entry in ipairs(call('ZRANGE', keys[1], score, score, 'BYSCORE')) do
    if #entry == #member + 20 and string.sub(entry, 1, #address) == address then
      count = count + 1
      if string.sub(entry, 1, #member) == member then own = entry end
    end
  end
  return own, count
end

local function enter(keys, member, id)
  call('ZADD', keys[1], indexed(IDS, string.sub(member, 1, -3)), member .. id)
end

local function idIn(entry)
  return string.sub(entry, -20)
end

-- A record leads to that of its partner.
local function partnerOf(keys, member)
  local link = find(keys, LINKS, 'l' .. member)
  return link and string.sub(link, 2 + #member) or false
end

local function join(keys, one, other)
  call('ZADD', keys[1], indexed(LINKS, 'l' .. one), 'l' .. one .. other, indexed(LINKS, 'l' .. other), 'l' .. other .. one)
end

-- Makes two participants of one.
local function part(keys, member)
  local partner = partnerOf(keys, member)
  if partner then call('ZREM', keys[1], pairOf(member, partner), 'l' .. member .. partner, 'l' .. partner .. member) end
end

-- Takes an address out.
local function forget(keys, member)
  part(keys, member)
  local entry = entryOf(keys, member)
  call('ZREM', keys[1], member, 'j' .. member, entry or member)
end

-- Removes a few of the stale of a part; whether there may be more.
local function sweep(keys, number, cutoff)
  local stale = call('ZRANGE', keys[1], edges[number], '(' .. alive(number, cutoff), 'BYSCORE', 'LIMIT', '0', SWEEP)
  for _, member in ipairs(stale) do forget(keys, member) end
  return #stale == tonumber(SWEEP)
end

-- All parts of a small swarm from one look at it, kept for the draw; and who is stale.
local function readWhole(keys, cutoff, now)
  local all = call('ZRANGE', keys[1], '0', '-1', 'WITHSCORES')
  local parts, paired, stale = {}, { [0] = 0, 0, 0 }, {}
  for _, number in ipairs(DRAWN) do parts[number] = { from = 0, count = 0 } end
  for at = 2, #all, 2 do
    local score = tonumber(all[at])
    if score >= 0 then
      local number = math.floor(score / PART)
      local isDrawn = number < PAIRS or number >= SIGNALLED
      local second = math.floor((score % PART) / 2)
      local living = second > (number >= SIGNALLED and now or cutoff)
      if isDrawn and living then
        local found = parts[number]
        if found.count == 0 then found.from = at / 2 - 1 end
        found.count = found.count + 1
      elseif isDrawn then
        -- Its pair goes with it.
        stale[#stale + 1] = all[at - 1]
      elseif number < RECENT and living then
        paired[number - PAIRS] = paired[number - PAIRS] + 1
      end
    end
  end
  parts.whole = all
  return parts, paired, stale
end

-- Which of the parts have members at all: most swarms have public peers of one family or two.
local function occupied(keys)
  local found = {}
  for listing = 0, 1 do
    local first = listing * LISTING
    if between(keys, edges[first], edges[first + LISTING]) > 0 then
      for number = first, first + LISTING - FAMILY, FAMILY do
        if between(keys, edges[number], edges[number + FAMILY]) > 0 then
          for role = 0, SEED do found[#found + 1] = number + role end
        end
      end
    end
  end
  return found
end

-- The living of every part (first rank and number), and how many participants of each role have two addresses.
local function census(keys, cutoff, now, writing)
  local size = call('ZCARD', keys[1])
  if size <= SMALL then
    local parts, paired, stale = readWhole(keys, cutoff, now)
    if #stale == 0 or not writing then return parts, paired end
    for _, member in ipairs(stale) do forget(keys, member) end
    return readWhole(keys, cutoff, now)
  end
  local numbers, stale = occupied(keys), {}
  local signalled = call('ZCOUNT', keys[1], edges[SIGNALLED], '+inf') > 0
  -- Sweeping comes first: it moves the ranks of those that stay.
  for _, number in ipairs(numbers) do stale[number] = not writing or sweep(keys, number, cutoff) end
  if signalled and writing then
    for number = SIGNALLED, SIGNALLED + 1 do sweep(keys, number, now) end
  end
  local parts, rank = {}, call('ZCOUNT', keys[1], '-inf', '(0')
  for _, number in ipairs(DRAWN) do parts[number] = { from = 0, count = 0 } end
  for _, number in ipairs(numbers) do
    local living = alive(number, cutoff)
    if stale[number] then rank = rank + between(keys, edges[number], living) end
    local count = between(keys, living, edges[number + 1])
    parts[number] = { from = rank, count = count }
    rank = rank + count
  end
  if signalled then
    -- The last parts there are: their ranks count from the end.
    local last = call('ZCARD', keys[1])
    for number = SIGNALLED + 1, SIGNALLED, -1 do
      local count = between(keys, alive(number, now), edges[number + 1])
      parts[number] = { from = last - count, count = count }
      last = last - between(keys, edges[number], edges[number + 1])
    end
  end
  local paired = { [0] = 0, 0, 0 }
  if between(keys, edges[PAIRS], edges[RECENT]) > 0 then
    for role = 0, SEED do paired[role] = between(keys, alive(PAIRS + role, cutoff), edges[PAIRS + role + 1]) end
  end
  return parts, paired
end

-- Participants of a role over both listings and families.
local function participants(parts, paired, role)
  local count = -paired[role]
  for number = role, 11, FAMILY do count = count + parts[number].count end
  return count
end

local function completedOf(keys)
  return -tonumber(call('ZSCORE', keys[1], 'c') or 0)
end

-- Leechers, partial seeds, seeds; with two addresses each counts once. Last, how many WebTorrent peers are among them.
local function tally(keys, parts, paired)
  local leeching, seeding = parts[SIGNALLED].count, parts[SIGNALLED + 1].count
  local leechers, seeds = participants(parts, paired, 0) + leeching, participants(parts, paired, SEED) + seeding
  return leechers, participants(parts, paired, 1), seeds, completedOf(keys), leeching + seeding
end
`;
