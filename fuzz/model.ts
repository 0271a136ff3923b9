// What the swarms must look like, written for clearness alone: a map of maps. Every answer is held against it.

export interface ModelOptions {
  readonly maxPeers: number;
  readonly maxPeersPerAddress: number;
  readonly lifetimeMs: number;
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

const empty: ModelCounts = { complete: 0, incomplete: 0, downloaded: 0, downloaders: 0 };

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

  /** What an announce does; `listed` says whether the peer is in the swarm afterwards. */
  announce(announce: ModelAnnounce, now: number): { readonly listed: boolean } {
    const key = keyOf(announce.address, announce.port);
    const swarm = this.#swarms.get(announce.infoHash) ?? { peers: new Map<string, ModelPeer>(), downloaded: 0 };
    const known = swarm.peers.get(key);
    if (announce.leaving) {
      if (known !== undefined) this.#drop(announce.infoHash, swarm, key);
      return { listed: false };
    }
    if (known === undefined) {
      if (!this.#hasRoom(swarm, announce.address)) return { listed: false };
      const { address, port, peerId, seeding, partial } = announce;
      swarm.peers.set(key, { address, port, peerId, seeding, partial, counted: false, seen: now });
      this.#swarms.set(announce.infoHash, swarm);
      this.#peers++;
      return { listed: true };
    }
    if (!known.seeding && announce.seeding && !known.counted) {
      known.counted = true;
      swarm.downloaded++;
    }
    known.seeding = announce.seeding;
    known.partial = announce.partial;
    known.peerId = announce.peerId;
    known.seen = now;
    return { listed: true };
  }

  counts(infoHash: string): ModelCounts {
    const swarm = this.#swarms.get(infoHash);
    if (swarm === undefined) return empty;
    let [complete, partial] = [0, 0];
    for (const peer of swarm.peers.values()) {
      if (peer.seeding) complete++;
      else if (peer.partial) partial++;
    }
    const incomplete = swarm.peers.size - complete;
    return { complete, incomplete, downloaded: swarm.downloaded, downloaders: incomplete - partial };
  }

  has(infoHash: string): boolean {
    return this.#swarms.has(infoHash);
  }

  peer(infoHash: string, address: string, port: number): ModelPeer | undefined {
    return this.#swarms.get(infoHash)?.peers.get(keyOf(address, port));
  }

  /** How many peers of each family the announcer could be given: not itself, and no seeds for who wants no more. */
  candidates(announce: ModelAnnounce): { readonly v4: number; readonly v6: number } {
    const own = keyOf(announce.address, announce.port);
    let [v4, v6] = [0, 0];
    for (const [key, { address, seeding }] of this.#swarms.get(announce.infoHash)?.peers ?? []) {
      if (key === own || (seeding && (announce.seeding || announce.partial))) continue;
      if (address.length === 8) v4++;
      else v6++;
    }
    return { v4, v6 };
  }

  /** Forgets who fell silent; `now` is a whole second, as stores round. */
  expire(now: number): void {
    for (const [infoHash, swarm] of this.#swarms) {
      for (const [key, { seen }] of swarm.peers)
        if (seen <= now - this.#options.lifetimeMs) this.#drop(infoHash, swarm, key);
    }
  }

  get totals(): {
    readonly torrents: number;
    readonly seeders: number;
    readonly leechers: number;
    readonly ipv4Peers: number;
    readonly ipv6Peers: number;
  } {
    let [seeders, ipv4Peers] = [0, 0];
    for (const { peers } of this.#swarms.values()) {
      for (const { address, seeding } of peers.values()) {
        if (seeding) seeders++;
        if (address.length === 8) ipv4Peers++;
      }
    }
    return {
      torrents: this.#swarms.size,
      seeders,
      leechers: this.#peers - seeders,
      ipv4Peers,
      ipv6Peers: this.#peers - ipv4Peers,
    };
  }

  #hasRoom(swarm: ModelSwarm, address: string): boolean {
    let neighbours = 0;
    for (const peer of swarm.peers.values()) if (peer.address === address) neighbours++;
    return neighbours < this.#options.maxPeersPerAddress && this.#peers < this.#options.maxPeers;
  }

  #drop(infoHash: string, swarm: ModelSwarm, key: string): void {
    swarm.peers.delete(key);
    this.#peers--;
    // A torrent that nobody has is forgotten with its count.
    if (swarm.peers.size === 0) this.#swarms.delete(infoHash);
  }
}

function keyOf(address: string, port: number): string {
  return `${address}:${port}`;
}

/** Lower-case hex. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
