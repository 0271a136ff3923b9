// What a tracker calls: announce, the same without writing, and counts. Lua.
export const entryLua: string = `
local function seconds(given)
  if given ~= '' then return tonumber(given) end
  return tonumber(call('TIME')[1])
end

-- args: record, role (0 leecher, 1 partial seed, 2 seed), leaving (0, 1), listing (0 public, 1 private), want,
-- families (1 both, 0 own), lifetime, ports, seed, key or nothing, former record or nothing, second or nothing, peer id,
-- whether peer ids are wanted (0, 1), mark or nothing
local function peerIn(args)
  math.randomseed(tonumber(args[9]))
  return {
    member = args[1], family = #args[1] == 6 and 0 or 1, role = tonumber(args[2]), leaving = args[3] == '1',
    listing = tonumber(args[4]), want = args[3] == '1' and 0 or tonumber(args[5]), both = args[6] == '1',
    partner = false, lifetime = tonumber(args[7]), ports = tonumber(args[8]), key = args[10], former = args[11],
    id = args[13], withIds = args[14] == '1', since = tonumber(args[15]),
  }
end

local function answer(keys, outcome, peer, now, writing)
  local cutoff = now - peer.lifetime
  local parts, paired = census(keys, cutoff, now, writing)
  local leechers, partial, seeds, completed, signalled = tally(keys, parts, paired)
  local ipv4, ipv6, mark = fillSince(keys, parts, peer, cutoff, writing)
  return {
    outcome, leechers + partial, partial, seeds, completed, ipv4, ipv6,
    peer.withIds and idsOf(keys, ipv4, 6) or '', peer.withIds and idsOf(keys, ipv6, 18) or '', signalled, mark,
  }
end

-- A swarm lives as long as peers may be silent in it; one without anybody is gone at once.
local function keep(keys, population, lifetime)
  if population == 0 then call('DEL', keys[1]) else call('EXPIRE', keys[1], lifetime) end
end

local function announce(keys, args)
  call = redis.call
  local peer, now = peerIn(args), seconds(args[12])
  local cutoff = now - peer.lifetime
  local outcome = peer.leaving and leave(keys, peer, cutoff) or record(keys, peer, now, cutoff)
  local reply = answer(keys, outcome, peer, now, true)
  keep(keys, reply[2] + reply[4], args[7])
  return reply
end

-- The same without writing anything, for a store that has no room left.
local function look(keys, args)
  call = redis.call
  local peer = peerIn(args)
  peer.partner = partnerOf(keys, peer.member)
  return answer(keys, 'store-full', peer, seconds(args[12]), false)
end

-- args: lifetime, second or nothing. Leechers, partial seeds, seeds, downloads, IPv4 and IPv6 addresses, those of seeds,
-- WebTorrent leechers and seeds.
local function counts(keys, args)
  call = redis.call
  local now = seconds(args[2])
  local parts, paired = census(keys, now - tonumber(args[1]), now, false)
  local leechers, partial, seeds, completed = tally(keys, parts, paired)
  local addresses, seeding = { [0] = 0, 0 }, { [0] = 0, 0 }
  for number = 0, 11 do
    local family = math.floor(number / FAMILY) % 2
    addresses[family] = addresses[family] + parts[number].count
    if number % FAMILY == SEED then seeding[family] = seeding[family] + parts[number].count end
  end
  return {
    leechers + partial, partial, seeds, completed, addresses[0], addresses[1], seeding[0], seeding[1],
    parts[SIGNALLED].count, parts[SIGNALLED + 1].count,
  }
end
`;
