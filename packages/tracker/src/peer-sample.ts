// The peers of one answer as packed bytes, in a buffer that is filled again for every announce.
// Records are those of BEP 23 (6 bytes) and BEP 7 (18 bytes), so a compact list is one copy.

/** Address bytes of a family plus two of port: BEP 23 and BEP 7. */
export const recordBytes = { 4: 6, 6: 18 } as const;

/** BEP 3. */
export const peerIdBytes = 20;

/** Packed peers of one family. */
export class PeerRecords {
  /** Bytes of one record: 6 or 18. */
  readonly stride: 6 | 18;
  /** Records, of which the first `count` are valid. */
  readonly records: Uint8Array;
  /** The peer ids of the same peers, 20 bytes each, if they were asked for; zeros where the store does not keep them. */
  readonly peerIds: Uint8Array;
  count: number;

  constructor(family: 4 | 6, capacity: number) {
    this.stride = recordBytes[family];
    this.records = new Uint8Array(capacity * this.stride);
    this.peerIds = new Uint8Array(capacity * peerIdBytes);
    this.count = 0;
  }

  /** The valid records: a view that lasts until the sample is filled again. */
  packed(): Uint8Array {
    return this.records.subarray(0, this.count * this.stride);
  }
}

/** What a store answers: the counts of a swarm and peers drawn from it. */
export class PeerSample {
  /** Most peers it can hold in each family. */
  readonly capacity: number;
  readonly ipv4: PeerRecords;
  readonly ipv6: PeerRecords;
  /** Participants, the announcer among them: one with two addresses counts once. */
  seeders: number;
  /** All other participants, partial seeds too. */
  leechers: number;
  /** Partial seeds (BEP 21). */
  partialSeeds: number;
  completed: number;
  /** Of the participants, WebTorrent peers, whom nobody can dial. */
  signalled: number;
  /** What to ask with next time for the peers that join from now on; 0 where this list is not complete, or marks were not asked for. */
  mark: number;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.ipv4 = new PeerRecords(4, capacity);
    this.ipv6 = new PeerRecords(6, capacity);
    this.seeders = 0;
    this.leechers = 0;
    this.partialSeeds = 0;
    this.completed = 0;
    this.signalled = 0;
    this.mark = 0;
  }

  /** Forgets the previous answer. */
  clear(): void {
    this.ipv4.count = 0;
    this.ipv6.count = 0;
    this.seeders = 0;
    this.leechers = 0;
    this.partialSeeds = 0;
    this.completed = 0;
    this.signalled = 0;
    this.mark = 0;
  }
}

/** Leechers that still download, to be told where that is not all of them; undefined where there are no partial seeds. */
export function downloadersIn({ leechers, partialSeeds }: PeerSample): number | undefined {
  return partialSeeds === 0 ? undefined : leechers - partialSeeds;
}
