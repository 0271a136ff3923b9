// WebTorrent's signalling. Listed, so that a report says what it leaves out: this suite speaks HTTP and UDP.
import { type ConformanceCase, unjudged } from '../conformance-case.ts';

const reason = 'WebSocket: this suite speaks HTTP and UDP';

export const webSocketCases: readonly ConformanceCase[] = [
  unjudged(65, 'ids in JSON are 20 latin1 characters; anything else ends the connection', reason),
  unjudged(66, 'offers above the limit are ignored', reason),
  unjudged(67, 'a connection keeps its peer id', reason),
  unjudged(68, 'an answer to an offer that was not forwarded is dropped', reason),
  unjudged(69, 'who disconnects leaves every swarm', reason),
  unjudged(70, 'numwant counts offers, and an answer to nobody is ignored', reason),
];
