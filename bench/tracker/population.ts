// Who announces: 10,000 torrents, and peers that nobody has seen before. The same sequence in every run, so that each
// tracker gets the same load.

export const torrentCount = 10_000;

/** Peers asked for in each announce: what most clients ask for or get. */
export const wantedPeers = 50;

/** One peer in four has everything, as in the load test of aquatic over HTTP. */
const seedShare = 0.25;

/** Where loads start; one more than the seed of the torrents, so that peers differ from info-hashes. */
const torrentSeed = 0x5eed;

export interface Newcomer {
  readonly torrent: number;
  /** Twenty bytes, all of them letters and digits, so that HTTP and UDP send the same. Valid until the next draw. */
  readonly peerId: Uint8Array;
  readonly port: number;
  readonly left: number;
}

/** Uniform in [0, 1): Mulberry32 (T. Ettinger), enough for a load and many times cheaper than what it loads. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** The info-hashes of all torrents. */
export function infoHashes(): Uint8Array[] {
  const random = seededRandom(torrentSeed);
  return Array.from({ length: torrentCount }, () => Uint8Array.from({ length: 20 }, () => random() * 256));
}

/** Draws one newcomer after another; the object is the same each time. */
export function newcomers(): () => Newcomer {
  const random = seededRandom(torrentSeed + 1);
  const peerId = new Uint8Array(20);
  peerId.set(new TextEncoder().encode('-SB0001-'));
  const newcomer = { torrent: 0, peerId, port: 0, left: 0 };
  return () => {
    newcomer.torrent = Math.floor(random() * torrentCount);
    // Five digits: requests of one length can be patched in place.
    newcomer.port = 10_000 + Math.floor(random() * 55_000);
    newcomer.left = random() < seedShare ? 0 : 1;
    let bits = 0;
    for (let at = 8; at < 20; at++) {
      if ((at - 8) % 6 === 0) bits = Math.floor(random() * 0x4000_0000);
      // Sixteen letters from A on.
      peerId[at] = 0x41 + ((bits >>> (((at - 8) % 6) * 5)) & 15);
    }
    return newcomer;
  };
}
