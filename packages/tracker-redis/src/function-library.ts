// What runs inside the store: one Lua function per announce, atomic. Lua of Redis 7 and Valkey.
//
// A swarm is one sorted set. Ranges of scores are its parts, and each part stands in the order in which its members were
// last heard of, so that whoever is silent can be left out of every count and draw and be removed when there is time:
//   below 0      `c`, minus the completed downloads; `n`, minus the last number of those who joined
//   0 to 11      peers: 6 × private + 3 × IPv6 + (0 leecher, 1 partial seed, 2 seed); the member is the compact record
//   12 to 14     participants with two addresses, by role: both records, heard of when the more silent one was
//   15           an index of who announced with which key in the last two minutes
//   16           an index of who is whose other address
//   17           an index of who is listed at an address: the record and the peer id
//   18           who joined, by number, in a swarm in which somebody asked for what is new
//   19 and 20    WebTorrent leechers and seeds; the member is node, connection and peer id, and its second the one from
//                which it does not count any more
// A part is 2^36 wide: twice the second, plus 1 once the peer's download was counted; in an index, a hash of the name.
import { createHash } from 'node:crypto';
import { censusLua } from './functions/census.ts';
import { drawingLua } from './functions/drawing.ts';
import { entryLua } from './functions/entry.ts';
import { marksLua } from './functions/marks.ts';
import { recordingLua } from './functions/recording.ts';
import { signallingLua } from './functions/signalling.ts';

const body = censusLua + drawingLua + marksLua + recordingLua + entryLua + signallingLua;

/** Names what the functions mean, so that trackers of two versions never call each other's. */
const version: string = createHash('sha256').update(body).digest('hex').slice(0, 12);

/** What `FCALL` names. */
export const functionNames: Readonly<Record<'announce' | 'look' | 'counts' | 'signal' | 'hand', string>> = {
  announce: `shoal_announce_${version}`,
  look: `shoal_look_${version}`,
  counts: `shoal_counts_${version}`,
  signal: `shoal_signal_${version}`,
  hand: `shoal_hand_${version}`,
};

/** What `FUNCTION LOAD` takes. */
export const functionLibrary: string = `#!lua name=shoal_${version}
${body}
redis.register_function('${functionNames.announce}', announce)
redis.register_function { function_name = '${functionNames.look}', callback = look, flags = { 'no-writes' } }
redis.register_function { function_name = '${functionNames.counts}', callback = counts, flags = { 'no-writes' } }
redis.register_function('${functionNames.signal}', signal)
redis.register_function('${functionNames.hand}', hand)
`;
