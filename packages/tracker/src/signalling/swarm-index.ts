// Finds a torrent's members by info-hash, also for every announce of the other transports: no text is made of the hash,
// and nobody outside can choose hashes that collide.
import { KeyedHash } from '../memory/keyed-hash.ts';
import { SwarmMembers } from './swarm-members.ts';

export class SwarmIndex {
  readonly #hash: KeyedHash;
  readonly #swarms = new Map<number, SwarmMembers>();
  readonly #words = new Uint32Array(5);
  readonly #bytes = new Uint8Array(this.#words.buffer);
  #size = 0;

  constructor(random: () => number) {
    this.#hash = new KeyedHash(random);
  }

  /** Torrents in it. */
  get size(): number {
    return this.#size;
  }

  find(infoHash: Uint8Array): SwarmMembers | undefined {
    if (this.#size === 0) return undefined;
    let swarm = this.#swarms.get(this.#keyOf(infoHash));
    while (swarm !== undefined && !same(swarm.infoHash, infoHash)) swarm = swarm.next;
    return swarm;
  }

  /** The torrent's members, from now on in the index. */
  findOrAdd(infoHash: Uint8Array): SwarmMembers {
    const found = this.find(infoHash);
    if (found !== undefined) return found;
    const swarm = new SwarmMembers(infoHash);
    const key = this.#keyOf(infoHash);
    swarm.next = this.#swarms.get(key);
    this.#swarms.set(key, swarm);
    this.#size++;
    return swarm;
  }

  /** Takes a torrent that is in it out. */
  remove(swarm: SwarmMembers): void {
    const key = this.#keyOf(swarm.infoHash);
    const first = this.#swarms.get(key);
    if (first === swarm) {
      if (swarm.next === undefined) this.#swarms.delete(key);
      else this.#swarms.set(key, swarm.next);
    } else {
      let before = first;
      while (before !== undefined && before.next !== swarm) before = before.next;
      if (before !== undefined) before.next = swarm.next;
    }
    this.#size--;
  }

  #keyOf(infoHash: Uint8Array): number {
    this.#bytes.set(infoHash);
    return hashKey(this.#hash.of(this.#words, 0, 5));
  }
}

/** A hash as a key of a map: 31 bits with a sign, which engines keep without an object for each. */
export function hashKey(hash: number): number {
  return hash >> 1;
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  for (let at = 0; at < 20; at++) if (one[at] !== other[at]) return false;
  return true;
}
