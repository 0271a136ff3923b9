// What a million peers cost: memory, time per announce, the longest pause while growing, the longest expiry slice.
// Run: node --expose-gc bench/tracker.bench.ts [peers] [torrents] [keys] [head]. Prints figures, asserts nothing.
import { argv, memoryUsage } from 'node:process';
import { Tracker } from '../src/index.ts';

const peers = Number(argv[2] ?? 1_000_000);
const torrents = Number(argv[3] ?? 100_000);
/** As real clients announce: each is remembered for a while, so that its other address may be met. */
const withKeys = argv.includes('keys');
/** Few torrents with many peers and many with few, as in bench/tracker of the repository; else all have as many. */
const withHead = argv.includes('head');

const collect = (): void => {
  // Buffers are freed at the collection after the one that finds their owners dead.
  for (let turn = 0; turn < 3; turn++) globalThis.gc?.();
};
const allTimes = new Float64Array(peers).fill(1);
const random = mulberry32(7);
const tracker = new Tracker({ random });
const infoHash = new Uint8Array(20);
const peerId = new Uint8Array(20);

const torrentsOfPeers = drawTorrents();

/** Peer number `peer` announces to its torrent; addresses are all different. */
function announce(peer: number, now: number, numWant = 50): void {
  const torrent = torrentsOfPeers[peer]!;
  new DataView(infoHash.buffer).setUint32(0, torrent * 2_654_435_761);
  new DataView(infoHash.buffer).setUint32(16, torrent);
  new DataView(peerId.buffer).setUint32(8, peer);
  const address = Uint8Array.of(1 + (peer >>> 24), peer >>> 16, peer >>> 8, peer);
  const left = peer % 4 === 0 ? 0 : 100;
  const [port, key] = [6881, withKeys ? peer + 1 : undefined];
  const request = { infoHash, peerId, port, uploaded: 0, downloaded: 0, left, event: 'none', numWant, key } as const;
  tracker.announcePacked(request, address, 'own', false, now);
}

/** With a head: weights 1 + exp(6.5 − 500 i / torrents), some 570 peers in the largest. */
function drawTorrents(): Uint32Array {
  if (!withHead) return Uint32Array.from({ length: peers }, (_, peer) => peer % torrents);
  const sums = new Float64Array(torrents);
  let sum = 0;
  for (let at = 0; at < torrents; at++) sums[at] = sum += 1 + Math.exp(6.5 - (500 * at) / torrents);
  return Uint32Array.from({ length: peers }, () => {
    const drawn = random() * sum;
    let [low, high] = [0, torrents - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle]! > drawn) high = middle;
      else low = middle + 1;
    }
    return low;
  });
}

const bytesHeld = (): { rss: number; buffers: number; heap: number } => {
  collect();
  const { rss, arrayBuffers, heapUsed } = memoryUsage();
  return { rss, buffers: arrayBuffers, heap: heapUsed };
};

const warmUp = new Tracker({ random });
for (let peer = 0; peer < 20_000; peer++) {
  const request = { infoHash, peerId, port: 1 + peer, uploaded: 0, downloaded: 0, left: 1, event: 'none' } as const;
  warmUp.announcePacked(request, Uint8Array.of(1, 2, peer >> 8, peer), 'own', false, 0);
}

const before = bytesHeld();
const join = timeEach(peers, (peer) => announce(peer, peer / 100));
const after = bytesHeld();
const perPeer = (key: keyof typeof before): string => ((after[key] - before[key]) / peers).toFixed(1);
console.log(`${peers} peers of ${torrents} torrents${withHead ? ' with a head' : ''}, peer ids kept, numwant 50`);
console.log(
  `memory per peer   ${perPeer('buffers')} B in typed arrays, ${perPeer('heap')} B heap, ${perPeer('rss')} B resident`,
);
report('joining', join);

// Every peer again, in another order: nothing grows.
report(
  'announcing again',
  timeEach(peers, (turn) => announce((turn * 7919) % peers, 20_000)),
);
report(
  '… and wanting none',
  timeEach(peers, (turn) => announce((turn * 7919) % peers, 30_000, 0)),
);

const slices: number[] = [];
for (let more = true; more;) {
  const start = performance.now();
  more = tracker.expire(1e9);
  slices.push(performance.now() - start);
}
report('an expiry slice', slices);
bytesHeld();
const empty = bytesHeld();
console.log(`when empty again  ${((empty.buffers - before.buffers) / 1e6).toFixed(1)} MB in typed arrays`);

/** Milliseconds of each turn. The array is part of what is held before and after, so it does not count. */
function timeEach(count: number, work: (turn: number) => void): Float64Array {
  const times = allTimes.subarray(0, count);
  for (let turn = 0; turn < count; turn++) {
    const start = performance.now();
    work(turn);
    times[turn] = performance.now() - start;
  }
  return times;
}

/** On a machine that does other things too, the longest times are those of being interrupted. */
function report(what: string, times: ArrayLike<number>): void {
  const sorted = Float64Array.from(times).sort();
  const at = (share: number): string => `${(sorted[Math.floor((sorted.length - 1) * share)]! * 1000).toFixed(1)} µs`;
  const mean = ((sorted.reduce((sum, time) => sum + time, 0) / sorted.length) * 1000).toFixed(2);
  console.log(
    `${what.padEnd(18)}mean ${mean} µs, 50 % ${at(0.5)}, 99 % ${at(0.99)}, 99.99 % ${at(0.9999)}, longest ${at(1)}`,
  );
}

function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
