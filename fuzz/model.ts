// What the swarms must look like, written for clearness alone: a map of maps. Every answer is held against it.

export interface ModelOptions {
  readonly maxPeers: number;
  readonly maxPeersPerAddress: number;
  readonly lifetimeMs: number;
  /** Whether a peer at this address is listed apart from the others. */
  readonly isApart: (address: string) => boolean;
}

/** A peer as the model keeps it. `address` is a canonical address in hex: 8 or 32 digits. */
export interface ModelPeer {
  readonly address: string;
  readonly port: number;
  peerId: string;
  seeding: boolean;
  /** A partial seed: it wants no more and has not everything (BEP 21). */
  partial: boolean;
  /** Whether it has been counted as a completed download. */
  counted: boolean;
  seen: number;
}

/** An announce as the model reads it. */
export interface ModelAnnounce {
  /** Hex, as all bytes here. */
  readonly infoHash: string;
  readonly address: string;
  readonly port: number;
  readonly peerId: string;
  readonly seeding: boolean;
  readonly partial: boolean;
  readonly leaving: boolean;
}

export interface ModelCounts {
  readonly complete: number;
  readonly incomplete: number;
  readonly downloaded: number;
  /** Leechers that still download. */
  readonly downloaders: number;
}

/** Behind the name of the list of those who are kept apart. */
const apart = ' apart';

/** One list of a torrent: of the peers of everybody, or of those that are kept apart. */
interface ModelSwarm {
  readonly peers: Map<string, ModelPeer>;
  downloaded: number;
}

export class Model {
  readonly #options: ModelOptions;
  readonly #swarms = new Map<string, ModelSwarm>();
  #peers = 0;

  constructor(options: ModelOptions) {
    this.#options = options;
  }

  /** What an announce does to the announcer; `full`: it is not listed. */
  announce(announce: ModelAnnounce, now: number): 'joined' | 'stays' | 'left' | 'full' {
    const key = keyOf(announce.address, announce.port);
    const name = this.#nameOf(announce.infoHash, announce.address);
    const swarm = this.#swarms.get(name) ?? { peers: new Map<string, ModelPeer>(), downloaded: 0 };
    const known = swarm.peers.get(key);
    if (announce.leaving) {
      if (known !== undefined) this.#drop(name, swarm, key);
      return 'left';
    }
    if (known === undefined) {
      if (!this.#hasRoom(swarm, announce.address)) return 'full';
      const { address, port, peerId, seeding, partial } = announce;
      swarm.peers.set(key, { address, port, peerId, seeding, partial, counted: false, seen: now });
      this.#swarms.set(name, swarm);
      this.#peers++;
      return 'joined';
    }
    if (!known.seeding && announce.seeding && !known.counted) {
      known.counted = true;
      swarm.downloaded++;
    }
    known.seeding = announce.seeding;
    known.partial = announce.partial;
    known.peerId = announce.peerId;
    known.seen = now;
    return 'stays';
  }

  counts(infoHash: string): ModelCounts {
    let [complete, incomplete, downloaded, partial] = [0, 0, 0, 0];
    for (const swarm of this.#listsOf(infoHash)) {
      downloaded += swarm.downloaded;
      for (const peer of swarm.peers.values()) {
        if (peer.seeding) complete++;
        else incomplete++;
        if (peer.partial) partial++;
      }
    }
    return { complete, incomplete, downloaded, downloaders: incomplete - partial };
  }

  has(infoHash: string): boolean {
    return this.#listsOf(infoHash).length > 0;
  }

  peer(infoHash: string, address: string, port: number): ModelPeer | undefined {
    return this.#swarms.get(this.#nameOf(infoHash, address))?.peers.get(keyOf(address, port));
  }

  /**
   * How many peers of each family the announcer could be given: not itself, no seeds for who wants no more, and none
   * that are kept apart for who is not.
   */
  candidates(announce: ModelAnnounce): { readonly v4: number; readonly v6: number } {
    const own = keyOf(announce.address, announce.port);
    let [v4, v6] = [0, 0];
    for (const { peers } of this.#listsOf(announce.infoHash)) {
      for (const [key, { address, seeding }] of peers) {
        if (key === own || (seeding && (announce.seeding || announce.partial))) continue;
        if (this.mayNotMeet(announce.address, address)) continue;
        if (address.length === 8) v4++;
        else v6++;
      }
    }
    return { v4, v6 };
  }

  /** Whether `other` is kept apart from who is at `address`. */
  mayNotMeet(address: string, other: string): boolean {
    return this.#options.isApart(other) && !this.#options.isApart(address);
  }

  /** Forgets who fell silent; `now` is a whole second, as stores round. */
  expire(now: number): void {
    for (const [name, swarm] of this.#swarms) {
      for (const [key, { seen }] of swarm.peers)
        if (seen <= now - this.#options.lifetimeMs) this.#drop(name, swarm, key);
    }
  }

  get totals(): {
    readonly torrents: number;
    readonly seeders: number;
    readonly leechers: number;
    readonly ipv4Peers: number;
    readonly ipv6Peers: number;
    readonly ipv4Seeds: number;
    readonly ipv6Seeds: number;
  } {
    let [seeders, ipv4Peers, ipv4Seeds] = [0, 0, 0];
    for (const { peers } of this.#swarms.values()) {
      for (const { address, seeding } of peers.values()) {
        if (seeding) seeders++;
        if (address.length !== 8) continue;
        ipv4Peers++;
        if (seeding) ipv4Seeds++;
      }
    }
    return {
      torrents: this.#swarms.size,
      seeders,
      leechers: this.#peers - seeders,
      ipv4Peers,
      ipv6Peers: this.#peers - ipv4Peers,
      ipv4Seeds,
      ipv6Seeds: seeders - ipv4Seeds,
    };
  }

  #hasRoom(swarm: ModelSwarm, address: string): boolean {
    let neighbours = 0;
    for (const peer of swarm.peers.values()) if (peer.address === address) neighbours++;
    return neighbours < this.#options.maxPeersPerAddress && this.#peers < this.#options.maxPeers;
  }

  /** Those that somebody is on. */
  #listsOf(infoHash: string): ModelSwarm[] {
    return [infoHash, infoHash + apart].flatMap((name) => this.#swarms.get(name) ?? []);
  }

  #nameOf(infoHash: string, address: string): string {
    return this.#options.isApart(address) ? infoHash + apart : infoHash;
  }

  #drop(name: string, swarm: ModelSwarm, key: string): void {
    swarm.peers.delete(key);
    this.#peers--;
    // A torrent that nobody has is forgotten with its count.
    if (swarm.peers.size === 0) this.#swarms.delete(name);
  }
}

function keyOf(address: string, port: number): string {
  return `${address}:${port}`;
}

/** Lower-case hex. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
