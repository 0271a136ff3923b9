// Who announces: a million torrents with a heavy head, two million peers. The same in every run and computed from a
// number, so that each tracker gets the same load and nothing of it has to be kept.

export const torrentCount = 1_000_000;
export const peerCount = 2_000_000;

/** As in aquatic's load test over UDP; ours and theirs asked for in every announce. */
export const wantedPeers = 30;

/** Source addresses, 127.0.0.2 and up, and so sockets: a tracker meets many addresses, not one with thousands of ports. */
export const addressCount = 64;

/** One more than the seed of the torrents, so that peers differ from info-hashes. */
const torrentSeed = 0x5eed;

/** Of four peers one has everything: with more, trackers that keep seeds from seeds would have short answers. */
const seedEvery = 4;

/** Uniform in [0, 1): Mulberry32 (T. Ettinger), enough for a load and many times cheaper than what it loads. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    return mixed(state) / 0x1_0000_0000;
  };
}

/** The info-hashes of all torrents, 20 bytes each. */
export function infoHashes(): Uint8Array {
  const words = new Uint32Array(torrentCount * 5);
  for (let at = 0; at < words.length; at++) words[at] = mixed(Math.imul(at + torrentSeed, 0x9e37_79b1));
  return new Uint8Array(words.buffer);
}

/** Two million peers. */
export class Population {
  readonly hashes: Uint8Array = infoHashes();
  readonly #torrents = drawTorrents();
  readonly #random = seededRandom(torrentSeed + 1);

  /** The number of any peer. */
  peer(): number {
    return Math.floor(this.#random() * peerCount);
  }

  /** Uniform in [0, 1). */
  random(): number {
    return this.#random();
  }

  torrent(peer: number): number {
    return this.#torrents[peer]!;
  }

  /** The torrent of any peer, so that those with many are drawn often. */
  busyTorrent(): number {
    return this.torrent(this.peer());
  }

  /** Which of the addresses it has. */
  address(peer: number): number {
    return peer % addressCount;
  }

  /** Five digits: requests of one length can be patched in place. */
  port(peer: number): number {
    return 10_000 + (mixed(peer + 0x7000_0000) % 55_000);
  }

  left(peer: number): number {
    return peer % (addressCount * seedEvery) < addressCount ? 0 : 1;
  }

  /** Writes the twelve random characters of its peer id, all of them letters, so that HTTP and UDP send the same. */
  writePeerId(target: Uint8Array, offset: number, peer: number): void {
    let bits = 0;
    for (let at = 0; at < 12; at++) {
      if (at % 6 === 0) bits = mixed(peer * 2 + at);
      target[offset + at] = 0x41 + ((bits >>> ((at % 6) * 5)) & 15);
    }
  }
}

/** The torrent of each peer: weights 1 + exp(6.5 − 500 i / N), some 570 peers at the head and a tail of ones. */
function drawTorrents(): Uint32Array {
  const sums = new Float64Array(torrentCount);
  let sum = 0;
  for (let at = 0; at < torrentCount; at++) sums[at] = sum += 1 + Math.exp(6.5 - (500 * at) / torrentCount);
  const random = seededRandom(torrentSeed + 2);
  const torrents = new Uint32Array(peerCount);
  for (let peer = 0; peer < peerCount; peer++) torrents[peer] = firstAbove(sums, random() * sum);
  return torrents;
}

function firstAbove(sums: Float64Array, value: number): number {
  let [low, high] = [0, sums.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** A word that looks random, of a word that need not. */
function mixed(word: number): number {
  let bits = Math.imul(word ^ (word >>> 15), word | 1);
  bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
  return (bits ^ (bits >>> 14)) >>> 0;
}
