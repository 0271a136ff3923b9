// What runs inside the store: one Lua function per announce, atomic, on one key per swarm. Lua of Redis 7 and Valkey.
//
// A swarm is one sorted set; ranges of scores are its parts, each in the order in which its members were last heard of:
//   below 0         bookkeeping: `c` has minus the completed downloads, an address (4 or 16 bytes) minus its ports
//   part × 2^36     peers: 0 IPv4 leechers, 1 IPv4 seeds, 2 IPv6 leechers, 3 IPv6 seeds; the member is the compact record
// Inside a part: 2 × the server's second, plus 1 once the peer's completed download was counted in this stay.
// Whoever is stale is never counted or drawn, so removing the stale may be lazy: a few at every announce.
import { createHash } from 'node:crypto';

const body = `
local PART = 2 ^ 36
-- Stale members removed from each part per announce: as many may join, so a swarm never holds more than it shrinks by.
local SWEEP = '16'
-- A lookup by rank costs as much as ten neighbours of a range (README, "Figures").
local NEIGHBOURS = 8

local function call(...)
  return redis.call(...)
end

local function seconds(given)
  if given ~= '' then return tonumber(given) end
  return tonumber(call('TIME')[1])
end

local function text(number)
  return string.format('%.0f', number)
end

-- Takes a peer out, and its port out of what its address may list.
local function forget(key, member)
  call('ZREM', key, member)
  local address = string.sub(member, 1, -3)
  if tonumber(call('ZINCRBY', key, '1', address)) >= 0 then call('ZREM', key, address) end
end

-- Removes a few of the stale of a part; whether there may be more.
local function sweep(key, part, cutoff)
  local silent = call('ZRANGE', key, text(part * PART), '(' .. text(part * PART + 2 * cutoff + 2), 'BYSCORE', 'LIMIT', '0', SWEEP)
  for _, member in ipairs(silent) do forget(key, member) end
  return #silent == tonumber(SWEEP)
end

-- The living of a part whose first member stands at a rank: where they begin, how many; and the rank behind them.
local function living(key, part, rank, cutoff, stale)
  local alive = text(part * PART + 2 * cutoff + 2)
  if stale then rank = rank + call('ZCOUNT', key, text(part * PART), '(' .. alive) end
  local count = call('ZCOUNT', key, alive, '(' .. text((part + 1) * PART))
  return { from = rank, count = count }, rank + count
end

-- The living of all parts. Sweeping comes first: it moves the ranks of those that stay.
local function census(key, cutoff, writing)
  local stale = {}
  for part = 0, 3 do stale[part] = not writing or sweep(key, part, cutoff) end
  local parts, rank = {}, call('ZCOUNT', key, '-inf', '(0')
  for part = 0, 3 do parts[part], rank = living(key, part, rank, cutoff, stale[part]) end
  return parts
end

-- Up to want members of the parts other than skip, which stands at rank own (or is false): packed, in random order.
local function draw(key, parts, want, own, skip)
  local total = 0
  local index = false
  for _, part in ipairs(parts) do
    if own and own >= part.from and own < part.from + part.count then index = total + own - part.from end
    total = total + part.count
  end
  local candidates = index and total - 1 or total
  local count = math.min(want, candidates)
  if count <= 0 then return '', 0 end
  local members = false
  if total <= NEIGHBOURS * count then
    members = {}
    for _, part in ipairs(parts) do
      if part.count > 0 then
        for _, member in ipairs(call('ZRANGE', key, part.from, part.from + part.count - 1)) do
          if member ~= skip then members[#members + 1] = member end
        end
      end
    end
  end
  -- Fisher and Yates, its array a table of what was moved.
  local drawn, moved = {}, {}
  for at = 0, count - 1 do
    local other = at + math.floor(math.random() * (candidates - at))
    local chosen = moved[other] or other
    moved[other] = moved[at] or at
    if members then
      drawn[at + 1] = members[chosen + 1]
    else
      if index and chosen >= index then chosen = chosen + 1 end
      for _, part in ipairs(parts) do
        if chosen < part.count then
          drawn[at + 1] = call('ZRANGE', key, part.from + chosen, part.from + chosen)[1]
          break
        end
        chosen = chosen - part.count
      end
    end
  end
  return table.concat(drawn), count
end

-- Writes the announcer down: what became of it, and its score before and after.
local function record(key, member, seeding, ports, now, cutoff)
  local part = (#member == 6 and 0 or 2) + (seeding and 1 or 0)
  local before = tonumber(call('ZSCORE', key, member) or false)
  local outcome = 'refreshed'
  local counted = 0
  if before then
    local seen = math.floor((before % PART) / 2)
    if seen <= cutoff then
      forget(key, member)
      before = false
    else
      counted = before % 2
      now = math.max(now, seen)
    end
  end
  if not before then
    local address = string.sub(member, 1, -3)
    if -tonumber(call('ZSCORE', key, address) or 0) >= ports then return 'address-full' end
    call('ZINCRBY', key, '-1', address)
    outcome = 'joined'
  elseif seeding and math.floor(before / PART) % 2 == 0 and counted == 0 then
    counted = 1
    outcome = 'completed'
    call('ZINCRBY', key, '-1', 'c')
  end
  call('ZADD', key, text(part * PART + 2 * now + counted), member)
  return outcome
end

local nobody = { from = 0, count = 0 }

-- Counts, and up to want members: those of the announcer's own family first.
local function answer(key, member, seeding, want, both, cutoff, writing)
  local parts = census(key, cutoff, writing)
  local leechers = parts[0].count + parts[2].count
  local seeds = parts[1].count + parts[3].count
  local completed = -tonumber(call('ZSCORE', key, 'c') or 0)
  if want == 0 then return leechers, seeds, completed, '', '' end
  -- A seed has no use for other seeds.
  local ipv4 = { parts[0], seeding and nobody or parts[1] }
  local ipv6 = { parts[2], seeding and nobody or parts[3] }
  local first, second = ipv4, ipv6
  if #member == 18 then first, second = ipv6, ipv4 end
  local near, drawn = draw(key, first, want, call('ZRANK', key, member), member)
  local far = both and draw(key, second, want - drawn, false, member) or ''
  if #member == 18 then near, far = far, near end
  return leechers, seeds, completed, near, far
end

-- args: record, 0 leecher or 1 seed or 2 leaving, want, b(oth) or o(wn), lifetime, ports, seed, second or nothing
local function announce(keys, args)
  local key, member, role = keys[1], args[1], args[2]
  local lifetime = tonumber(args[5])
  local now = seconds(args[8])
  local cutoff = now - lifetime
  math.randomseed(tonumber(args[7]))
  local outcome = 'absent'
  if role == '2' then
    local score = tonumber(call('ZSCORE', key, member) or false)
    if score then
      if math.floor((score % PART) / 2) > cutoff then outcome = 'left' end
      forget(key, member)
    end
  else
    outcome = record(key, member, role == '1', tonumber(args[6]), now, cutoff)
  end
  local want = role == '2' and 0 or tonumber(args[3])
  local leechers, seeds, completed, ipv4, ipv6 = answer(key, member, role == '1', want, args[4] == 'b', cutoff, true)
  if leechers + seeds == 0 then
    call('DEL', key)
  elseif role ~= '2' then
    call('EXPIRE', key, args[5])
  end
  return { outcome, leechers, seeds, completed, ipv4, ipv6 }
end

-- The same without writing anything, for a store that has no room left.
local function look(keys, args)
  local now = seconds(args[8])
  math.randomseed(tonumber(args[7]))
  local leechers, seeds, completed, ipv4, ipv6 =
    answer(keys[1], args[1], args[2] == '1', tonumber(args[3]), args[4] == 'b', now - tonumber(args[5]), false)
  return { 'store-full', leechers, seeds, completed, ipv4, ipv6 }
end

-- args: lifetime, second or nothing. Leechers and seeds of both families, then completed.
local function counts(keys, args)
  local cutoff = seconds(args[2]) - tonumber(args[1])
  local reply = {}
  for part = 0, 3 do
    local alive = text(part * PART + 2 * cutoff + 2)
    reply[part + 1] = call('ZCOUNT', keys[1], alive, '(' .. text((part + 1) * PART))
  end
  reply[5] = -tonumber(call('ZSCORE', keys[1], 'c') or 0)
  return reply
end
`;

/** Names what the functions mean, so that trackers of two versions never call each other's. */
const version: string = createHash('sha256').update(body).digest('hex').slice(0, 12);

/** What `FCALL` names. */
export const functionNames: { readonly announce: string; readonly look: string; readonly counts: string } = {
  announce: `shoal_announce_${version}`,
  look: `shoal_look_${version}`,
  counts: `shoal_counts_${version}`,
};

/** What `FUNCTION LOAD` takes. */
export const functionLibrary: string = `#!lua name=shoal_${version}
${body}
redis.register_function('${functionNames.announce}', announce)
redis.register_function { function_name = '${functionNames.look}', callback = look, flags = { 'no-writes' } }
redis.register_function { function_name = '${functionNames.counts}', callback = counts, flags = { 'no-writes' } }
`;
