// A journal's surroundings without a disk: files in memory that fail as told, content whose stamps a test sets.
import { FileMap, geometryOf } from '@shoal/pieces';
import {
  type FileStamp,
  type JournalFiles,
  type NoJournal,
  type OpenJournal,
  ResumeJournal,
  type ResumeOptions,
} from '../src/index.ts';
import { startsWith } from '../src/resume/records.ts';
import { systemError } from './scratch.ts';

/** Journal files in memory. */
export class MemoryFiles implements JournalFiles {
  readonly content: Map<string, Uint8Array> = new Map();
  readonly calls: string[] = [];
  /** Files that are open. */
  opened = 0;
  /** While set, writing fails so; `tornBytes` of what was to be appended are there all the same. */
  fault: { readonly code: string; readonly tornBytes?: number } | undefined;

  async read(at: string, limitBytes: number): Promise<Uint8Array | undefined> {
    if (this.fault !== undefined) throw systemError(this.fault.code);
    const bytes = this.content.get(at);
    if (bytes !== undefined && bytes.length > limitBytes) throw systemError('EFBIG');
    return bytes;
  }

  async replace(at: string, bytes: Uint8Array): Promise<void> {
    this.calls.push('replace');
    if (this.fault !== undefined) throw systemError(this.fault.code);
    this.content.set(at, bytes.slice());
  }

  async open(at: string, head: Uint8Array): Promise<OpenJournal | NoJournal> {
    const content = this.content.get(at);
    if (content === undefined) return 'missing';
    if (!startsWith(content, head)) return 'foreign';
    this.opened += 1;
    let own = content;
    return {
      append: async (bytes) => {
        this.calls.push('append');
        // A file that was replaced or removed is another array, or none.
        if (this.content.get(at) !== own) return false;
        const added = this.fault === undefined ? bytes : bytes.subarray(0, this.fault.tornBytes ?? 0);
        own = new Uint8Array(Buffer.concat([own, added]));
        this.content.set(at, own);
        if (this.fault !== undefined) throw systemError(this.fault.code);
        return true;
      },
      close: async () => {
        this.opened -= 1;
      },
    };
  }

  async sync(): Promise<void> {
    this.calls.push('sync');
    if (this.fault !== undefined) throw systemError(this.fault.code);
  }

  async remove(at: string): Promise<void> {
    this.content.delete(at);
  }
}

/** Content that is nothing but stamps. */
export class StampedContent {
  readonly stampsNow: (FileStamp | undefined)[];
  readonly asked: (readonly number[] | undefined)[] = [];
  flushes = 0;
  flushed: () => Promise<void> = () => Promise.resolve();
  fault: Error | undefined;
  readonly #lengths: readonly number[];

  constructor(lengths: readonly number[], now: number) {
    this.#lengths = lengths;
    this.stampsNow = lengths.map((length, file) => stampOf(length, now, file + 1));
  }

  async stamps(only?: Iterable<number>): Promise<readonly (FileStamp | undefined)[]> {
    const asked = only === undefined ? undefined : [...only];
    this.asked.push(asked);
    if (this.fault !== undefined) throw this.fault;
    return this.stampsNow.map((stamp, file) => (asked === undefined || asked.includes(file) ? stamp : undefined));
  }

  async flush(): Promise<void> {
    this.flushes += 1;
    await this.flushed();
  }

  async presence(): Promise<{ mayHold(offset: number, length: number): boolean }> {
    if (this.fault !== undefined) throw this.fault;
    const stamps = [...this.stampsNow];
    const map = new FileMap(this.#lengths);
    const mayHold = (offset: number, length: number): boolean =>
      map.spans(offset, length).every((span) => span.offset + span.length <= (stamps[span.file]?.length ?? -1));
    return { mayHold };
  }

  /** As a write of ours, or another's, at this time. */
  touch(file: number, atMs: number): void {
    const { length, inode } = this.stampsNow[file]!;
    this.stampsNow[file] = stampOf(length, atMs, Number(inode));
  }
}

export function stampOf(length: number, modifiedMs: number, inode: number): FileStamp {
  return { length, modifiedNs: BigInt(modifiedMs) * 1_000_000n, inode: BigInt(inode) };
}

export const pieceLength = 16_384;

/** Two files of four pieces each, and a journal that a test opens again and again. */
export class JournalScene {
  readonly files: MemoryFiles = new MemoryFiles();
  readonly content: StampedContent;
  readonly lengths: readonly number[];
  readonly errors: string[] = [];
  now: number;
  bootId = 'one boot';

  constructor(lengths: readonly number[] = [pieceLength * 4, pieceLength * 4], now: number = 1_000_000_000_000) {
    this.lengths = lengths;
    this.now = now;
    this.content = new StampedContent(lengths, now - 86_400_000);
  }

  get pieceCount(): number {
    return this.#geometry().pieceCount;
  }

  get bytes(): Uint8Array | undefined {
    return this.files.content.get('journal');
  }

  set bytes(bytes: Uint8Array) {
    this.files.content.set('journal', bytes);
  }

  open(options: Partial<ResumeOptions> = {}): Promise<ResumeJournal> {
    return ResumeJournal.open({
      path: 'journal',
      infoHash: new Uint8Array(20).fill(7),
      geometry: this.#geometry(),
      fileLengths: this.lengths,
      storage: this.content,
      bootId: this.bootId,
      wallClock: () => this.now,
      onError: (error) => void this.errors.push(error.code),
      files: this.files,
      ...options,
    });
  }

  #geometry(): ReturnType<typeof geometryOf> {
    return geometryOf(
      this.lengths.reduce((sum, length) => sum + length, 0),
      pieceLength,
    );
  }
}

/** Pieces in a set, for comparing. */
export function piecesOf(set: { indices(): Iterable<number> }): number[] {
  return [...set.indices()];
}
