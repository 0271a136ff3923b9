// What a resume journal says, record by record, and the fewest records that say the same. Decides what each record
// changes; must not know bytes, disks or what to believe. Replaying a journal and writing it share this one meaning.
import { Bitfield } from '@shoal/pieces';
import type { FileStamp } from '../storage.ts';
import { type JournalRecord, type PieceRuns, runsOf, type StampEntry } from './records.ts';

/** What was on record when a journal ended. */
export interface Recorded {
  /** Reported verified, and not lost since. */
  readonly have: Bitfield;
  /** On disk perhaps, and not looked at yet. */
  readonly doubt: Bitfield;
  /** Not known to have reached the device since they were verified; some may be lost meanwhile. */
  readonly unsynced: Bitfield;
  /** One per file, the latest. */
  readonly stamps: readonly (FileStamp | undefined)[];
  /** One per file, as the last writer found them. */
  readonly openingStamps: readonly (FileStamp | undefined)[];
  readonly bootId: string;
  /** When the last writer began, wall clock, ms. */
  readonly startedMs: number;
  /** Its last sign of life, wall clock, ms. */
  readonly aliveMs: number;
  readonly isClean: boolean;
}

/** Invariant: no piece is both had and in doubt. */
export class JournalState implements Recorded {
  have: Bitfield;
  doubt: Bitfield;
  readonly stamps: (FileStamp | undefined)[];
  openingStamps: readonly (FileStamp | undefined)[];
  bootId = '';
  startedMs = 0;
  aliveMs = 0;
  isClean = false;
  /** Verified before the last `syncing`, which no `synced` followed. */
  syncing: Bitfield;
  /** Verified since. */
  #fresh: number[] = [];

  constructor(pieceCount: number, stamps: readonly (FileStamp | undefined)[]) {
    this.have = new Bitfield(pieceCount);
    this.doubt = new Bitfield(pieceCount);
    this.syncing = new Bitfield(pieceCount);
    this.stamps = [...stamps];
    this.openingStamps = stamps;
  }

  get unsynced(): Bitfield {
    const all = this.syncing.clone();
    move(this.#fresh, undefined, all);
    return all;
  }

  get hasUnsynced(): boolean {
    return this.#fresh.length > 0 || !this.syncing.isEmpty;
  }

  apply(record: JournalRecord): void {
    this.isClean = record.type === 'clean';
    switch (record.type) {
      case 'session':
        this.bootId = record.bootId;
        this.startedMs = record.wallMs;
        this.aliveMs = record.wallMs;
        this.openingStamps = [...this.stamps];
        break;
      case 'have':
        this.have = new Bitfield(this.have.length, record.bits);
        this.doubt = new Bitfield(this.have.length);
        this.syncing = new Bitfield(this.have.length);
        this.#fresh = [];
        break;
      case 'doubt':
        this.doubt = without(new Bitfield(this.have.length, record.bits), this.have);
        break;
      case 'verified':
        for (const value of record.runs) this.#fresh.push(value);
        move(record.runs, this.doubt, this.have);
        break;
      case 'lost':
        move(record.runs, this.doubt, undefined);
        move(record.runs, this.have, undefined);
        break;
      case 'doubted':
        move(record.runs, this.have, this.doubt);
        break;
      case 'stamps':
        for (const { file, stamp } of record.entries) this.stamps[file] = stamp;
        break;
      case 'alive':
        this.aliveMs = Math.max(this.aliveMs, record.wallMs);
        break;
      case 'syncing':
        move(this.#fresh, undefined, this.syncing);
        this.#fresh = [];
        break;
      case 'synced':
        this.syncing = new Bitfield(this.have.length);
        break;
    }
  }

  /** The whole state in a few records; what `#fresh` holds twice or in vain is dropped. */
  compact(): JournalRecord[] {
    const fresh = new Bitfield(this.have.length);
    move(this.#fresh, undefined, fresh);
    this.#fresh = runsOf(common(fresh, this.have).indices());
    const records: JournalRecord[] = [
      { type: 'stamps', entries: changes([], this.openingStamps) },
      { type: 'session', bootId: this.bootId, wallMs: this.startedMs },
      { type: 'have', bits: this.have.bytes },
      { type: 'doubt', bits: this.doubt.bytes },
      { type: 'verified', runs: runsOf(common(this.syncing, this.have).indices()) },
      { type: 'syncing' },
      { type: 'verified', runs: this.#fresh },
      { type: 'stamps', entries: changes(this.openingStamps, this.stamps) },
      { type: 'alive', wallMs: this.aliveMs },
    ];
    if (this.isClean) records.push({ type: 'clean' });
    return records;
  }
}

/** The files whose stamp is another than before. */
export function changes(
  before: readonly (FileStamp | undefined)[],
  now: readonly (FileStamp | undefined)[],
  files: Iterable<number> = now.keys(),
): StampEntry[] {
  const entries: StampEntry[] = [];
  for (const file of files) {
    if (!isSameStamp(before[file], now[file])) entries.push({ file, stamp: now[file] });
  }
  return entries;
}

/** And the files that share an inode with one of `files`, as all those in a part file do: a write to one stamps all. */
export function withThoseBeside(files: ReadonlySet<number>, stamps: readonly (FileStamp | undefined)[]): number[] {
  const inodes = new Set(Array.from(files, (file) => stamps[file]?.inode));
  return [...stamps.keys()].filter((file) => {
    const inode = stamps[file]?.inode;
    return files.has(file) || (inode !== undefined && inodes.has(inode));
  });
}

export function isSameStamp(one: FileStamp | undefined, other: FileStamp | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.length === other.length && one.modifiedNs === other.modifiedNs && one.inode === other.inode;
}

/** Those of `one` that are not in `other`. */
export function without(one: Bitfield, other: Bitfield): Bitfield {
  const bytes = one.bytes.map((byte, index) => byte & ~other.bytes[index]!);
  return new Bitfield(one.length, bytes);
}

/** Those of `one` that are in `other` too. */
export function common(one: Bitfield, other: Bitfield): Bitfield {
  const bytes = one.bytes.map((byte, index) => byte & other.bytes[index]!);
  return new Bitfield(one.length, bytes);
}

function move(runs: PieceRuns, from: Bitfield | undefined, to: Bitfield | undefined): void {
  for (let index = 0; index + 1 < runs.length; index += 2) {
    const end = runs[index]! + runs[index + 1]!;
    for (let piece = runs[index]!; piece < end; piece += 1) {
      from?.remove(piece);
      to?.add(piece);
    }
  }
}
