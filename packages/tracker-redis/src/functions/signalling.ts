// WebTorrent peers, which are reached through the node they are connected to, and what nodes hand to each other. Lua.
// docs/decisions/0014.

/** Who has not read for so many seconds is gone: longer than a connection to a new master takes. */
const goneSeconds = 5;

/** Batches that may wait for a node, each followed by its time: 8 MB of usual ones. */
const inboxBatches = 128;

/** How long an inbox lasts that nobody reads, in seconds. */
const inboxSeconds = 60;

export const signallingLua: string = `
-- Writes a member down until a second; whether that completes a download, once in its stay. A seed that joined has none
-- to complete.
local function enlist(keys, member, role, till)
  local score = tonumber(call('ZSCORE', keys[1], member) or nil)
  local counted = (score and score % 2 or 0) == 1
  local completed = score and role == 1 and score < tonumber(edges[SIGNALLED + 1]) and not counted
  if completed then call('ZINCRBY', keys[1], '-1', 'c') end
  call('ZADD', keys[1], scoreOf(SIGNALLED + role, till, (counted or role == 1) and 1 or 0), member)
end

-- args: member (node, connection, peer id), role (0 leecher, 1 seed), leaving (0, 1), want, for how many seconds, lifetime of other
-- peers, seed, second or nothing. Leechers, seeds, downloads, and drawn members.
local function signal(keys, args)
  call = redis.call
  math.randomseed(tonumber(args[7]))
  local member, role, now = args[1], tonumber(args[2]), seconds(args[8])
  local leaving = args[3] == '1'
  if leaving then call('ZREM', keys[1], member) else enlist(keys, member, role, now + tonumber(args[5])) end
  local parts, paired = census(keys, now - tonumber(args[6]), now, true)
  local leechers, partial, seeds, completed = tally(keys, parts, paired)
  local ranges = { parts[SIGNALLED], role == 0 and parts[SIGNALLED + 1] or nil }
  local drawn = draw(keys, parts.whole, ranges, leaving and 0 or tonumber(args[4]), member)
  keep(keys, leechers + partial + seeds, args[6])
  return { leechers + partial, seeds, completed, drawn }
end

-- An inbox: batches in the order they came, each after its second. args: batch, second or nothing.
local function hand(keys, args)
  call = redis.call
  local now, first = seconds(args[2]), call('LINDEX', keys[1], '0')
  if first and now - tonumber(first) > ${goneSeconds} then return 'gone' end
  if call('LLEN', keys[1]) >= ${2 * inboxBatches} then return 'full' end
  call('RPUSH', keys[1], text(now), args[1])
  call('EXPIRE', keys[1], '${inboxSeconds}')
  return 'taken'
end
`;
