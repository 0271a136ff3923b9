// A tracker without sockets: what it answers to two peers of one swarm.
import { Tracker } from '@shoal/tracker';

const tracker = new Tracker({ random: Math.random });
const announceOf = (id: number, left: number): Parameters<Tracker['announce']>[0] => ({
  infoHash: new Uint8Array(20).fill(9),
  peerId: new Uint8Array(20).fill(id),
  port: 6881,
  uploaded: 0,
  downloaded: 0,
  left,
  event: 'started',
});
const now = 0;
tracker.announce(announceOf(1, 0), { ip: '192.0.2.1' }, now);
console.log(tracker.announce(announceOf(2, 500), { ip: '192.0.2.2' }, now));
console.log(tracker.scrape([new Uint8Array(20).fill(9)], now));
