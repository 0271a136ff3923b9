// The resume journal of a torrent: what is on disk and right, kept so that neither a stop nor a crash makes us hash it
// again. Decides when what was reported is written down, and that a write never lacks a sign of life before it. What to
// believe is judge.ts; must not know peers or hashes.
import { Bitfield, type FileMap, offsetAt, pieceLengthAt } from '@shoal/pieces';
import { StorageError } from '../errors.ts';
import { type JournalFiles, nodeJournalFiles } from './journal-files.ts';
import { bootIdOfSystem, type JournalFound, type JournalOpening, openingOf } from './journal-opening.ts';
import { changes, common, withThoseBeside } from './journal-state.ts';
import { JournalWriter } from './journal-writer.ts';
import type { FileDoubt } from './judge.ts';
import { type JournalRecord, runsOf } from './records.ts';
import { fileMapOf, resumeDefaults, type ResumeOptions, type SettledResumeOptions } from './resume-options.ts';

/** Remembers which pieces are on disk and right. */
export class ResumeJournal implements AsyncDisposable {
  readonly found: JournalFound;
  /** As found at the start: needs no check. */
  readonly have: Bitfield;
  /** As found at the start: may be on disk, and must be hashed before it counts. */
  readonly doubt: Bitfield;
  /** What was noticed of the files at the start. */
  readonly reasons: readonly FileDoubt[];
  readonly #options: SettledResumeOptions;
  readonly #fileMap: FileMap;
  readonly #writer: JournalWriter;
  /** What is right now, those included that wait to be written down. */
  readonly #live: Bitfield;
  /** Each once, and `#queued` tells which. */
  #pending: number[] = [];
  readonly #queued: Bitfield;
  #pendingBytes = 0;
  /** Of the batch that is being written down. */
  #appendingBytes = 0;
  /** Files of which something was reported. */
  readonly #touched: Set<number> = new Set();
  #timer: NodeJS.Timeout | undefined;
  #quietTicks = 0;
  #ticksToSync: number;
  /** Whether pieces that a crashed process wrote may not have reached the device, for which our flush does nothing. */
  #inherits: boolean;
  #isAsked = false;
  #queue: Promise<void> = Promise.resolve();
  #waking: Promise<void> | undefined;
  #syncing: Promise<boolean> | undefined;
  #closed: Promise<void> | undefined;

  /**
   * Reads the journal and looks at the files; writes nothing. A journal that is damaged, foreign or cannot be read is
   * none, or as much as could be read of it.
   * @throws RangeError when hash, lengths and geometry do not belong together, or an interval is not positive.
   */
  static async open(options: ResumeOptions): Promise<ResumeJournal> {
    const settled: SettledResumeOptions = { ...resumeDefaults, ...options };
    const fileMap = fileMapOf(settled);
    const { path, geometry, infoHash, storage, onError, files = nodeJournalFiles } = settled;
    const bootId = options.bootId ?? (await bootIdOfSystem());
    const wallClock = options.wallClock ?? Date.now;
    const subject = { infoHash, geometry, fileCount: fileMap.fileCount };
    const slackMs = settled.appendEveryMs + resumeDefaults.clockSlackMs;
    const failures: unknown[] = [];
    const place = { path, files, subject, fileMap, storage, bootId, slackMs };
    const opening = await openingOf(place, (cause) => void failures.push(cause));
    const writer = new JournalWriter({ path, files, subject, state: opening.state, bootId, wallClock, onError });
    for (const failure of failures) writer.report(failure, 'read');
    return new ResumeJournal(settled, fileMap, opening, writer);
  }

  /** Removes a torrent's journal for good. Nothing there is no error. */
  static async remove(path: string, files: JournalFiles = nodeJournalFiles): Promise<void> {
    await files.remove(path);
  }

  private constructor(options: SettledResumeOptions, fileMap: FileMap, opening: JournalOpening, writer: JournalWriter) {
    this.found = opening.found;
    this.have = opening.verdict.have;
    this.doubt = opening.verdict.doubt;
    this.reasons = opening.verdict.reasons;
    this.#options = options;
    this.#fileMap = fileMap;
    this.#writer = writer;
    this.#live = this.have.clone();
    this.#queued = new Bitfield(this.have.length);
    this.#inherits = writer.state.hasUnsynced;
    const firstSyncMs = Math.max(options.syncEveryMs, this.#inherits ? options.writebackMs : 0);
    this.#ticksToSync = Math.ceil(firstSyncMs / options.appendEveryMs);
  }

  /**
   * Call before each write of content and each `prepare`, so that a crash in the midst is not taken for another's change.
   * Undefined while a recent sign of life is on record and little waits to be written down; else a promise to wait for,
   * which never rejects.
   */
  writing(): Promise<void> | undefined {
    if (this.#isOver) return undefined;
    this.#quietTicks = 0;
    if (this.#timer === undefined) this.#wake();
    if (this.#waking !== undefined) return this.#waking;
    // A disk that takes content faster than records must not get ahead of them: a crash would cost all that waits.
    const isAhead = this.#pendingBytes + this.#appendingBytes >= this.#options.appendEveryBytes;
    return isAhead ? this.#queue : undefined;
  }

  /**
   * The piece is on disk, its write completed, and its hash is right.
   * @throws RangeError when there is no such piece.
   */
  verified(piece: number): void {
    if (this.#live.add(piece)) this.#note(piece);
  }

  /**
   * The piece is not on disk, or not right.
   * @throws RangeError when there is no such piece.
   */
  lost(piece: number): void {
    const wasTrusted = this.#live.remove(piece);
    this.#note(piece);
    // A piece that others believe in must not survive a crash.
    if (wasTrusted) this.#kick(false);
  }

  /** Resolves when all that was reported so far has been handed to the system, or could not be. */
  async checkpoint(): Promise<void> {
    if (this.#isOver) return;
    await this.#enqueue(() => this.#append(false));
  }

  /**
   * Takes the files as they are now for ours: after they were made, moved, renamed or cut by the storage's own doing.
   * @throws RangeError when a number is not that of a file.
   */
  async restamp(files: Iterable<number> = this.#writer.state.stamps.keys()): Promise<void> {
    const asked = [...files];
    for (const file of asked) this.#fileMap.lengthOf(file);
    if (this.#isOver) return;
    await this.#enqueue(async () => {
      const records = await this.#stampsOf(asked);
      if (records !== undefined && records.length > 0) await this.#writer.write([this.#alive(), ...records]);
    });
  }

  /**
   * Writes down what is pending. `clean`, the default: nothing is being written any more and the storage is still open;
   * it is flushed, and the next start trusts everything. What is reported later is not recorded.
   */
  close(options: { readonly clean?: boolean } = {}): Promise<void> {
    this.#closed ??= this.#close(options.clean ?? true);
    return this.#closed;
  }

  /** Closes as if not cleanly, since whoever fails may leave writes under way; after `close` it does nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close({ clean: false });
  }

  get #isOver(): boolean {
    return this.#closed !== undefined || this.#writer.isSuperseded;
  }

  #note(piece: number): void {
    if (this.#isOver) return;
    if (this.#queued.add(piece)) this.#pending.push(piece);
    this.#pendingBytes += this.#options.geometry.pieceLength;
    this.#quietTicks = 0;
    if (this.#timer === undefined) this.#wake();
    else if (this.#pendingBytes >= this.#options.appendEveryBytes / 2) this.#kick(false);
  }

  /** Begins to write at intervals, and at once. */
  #wake(): void {
    this.#arm();
    this.#waking ??= this.#enqueue(() => this.#append(true)).then(() => {
      this.#waking = undefined;
    });
  }

  /** One append runs, at most one more waits. */
  #kick(isHeartbeat: boolean): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    void this.#enqueue(() => this.#append(isHeartbeat));
  }

  #arm(): void {
    const { appendEveryMs } = this.#options;
    this.#timer = setTimeout(() => this.#tick(), this.#writer.isFailing ? appendEveryMs * 10 : appendEveryMs);
    this.#timer.unref();
  }

  #tick(): void {
    this.#timer = undefined;
    if (this.#isOver) return;
    this.#quietTicks += 1;
    // Whole content is not written any more, so no write of ours can need a sign of life.
    const mayWrite = !this.#live.isFull;
    if (mayWrite || this.#pending.length > 0) this.#kick(mayWrite);
    // Open while pieces come faster than ticks: as few files are held as torrents take megabytes a second.
    void this.#enqueue(() => this.#writer.rest());
    const { hasUnsynced } = this.#writer.state;
    if (hasUnsynced) this.#ticksToSync -= 1;
    if (this.#ticksToSync <= 0) this.#startSync();
    const { isFailing } = this.#writer;
    const isQuiet = !mayWrite || this.#quietTicks * this.#options.appendEveryMs >= this.#options.quietMs;
    if (!isQuiet || hasUnsynced || isFailing || this.#pending.length > 0) this.#arm();
  }

  /** In turn; no task ever rejects. */
  #enqueue(task: () => Promise<unknown>): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      await task();
      if (this.#timer === undefined) await this.#writer.rest();
    });
    return this.#queue;
  }

  async #append(isHeartbeat: boolean): Promise<void> {
    this.#isAsked = false;
    const batch = this.#pending.toSorted((one, other) => one - other);
    if (batch.length === 0 && !isHeartbeat) return;
    this.#pending = [];
    this.#appendingBytes = this.#pendingBytes;
    this.#pendingBytes = 0;
    for (const piece of batch) this.#queued.remove(piece);
    const verified = runsOf(batch.filter((piece) => this.#live.has(piece)));
    const lost = runsOf(batch.filter((piece) => !this.#live.has(piece)));
    // Taken after the pieces: a stamp older than a write would make that write look like another's.
    const stamps = await this.#stampsOf(this.#filesOf(batch));
    if (stamps === undefined) {
      for (const piece of batch) if (this.#queued.add(piece)) this.#pending.push(piece);
      this.#pendingBytes += this.#appendingBytes;
      this.#appendingBytes = 0;
      return;
    }
    const records: JournalRecord[] = [this.#alive(), ...stamps];
    if (verified.length > 0) records.push({ type: 'verified', runs: verified });
    if (lost.length > 0) records.push({ type: 'lost', runs: lost });
    await this.#writer.write(records);
    this.#appendingBytes = 0;
  }

  #filesOf(pieces: readonly number[]): Set<number> {
    const { geometry } = this.#options;
    const files = new Set<number>();
    for (const piece of pieces) {
      const spans = this.#fileMap.spans(offsetAt(geometry, piece), pieceLengthAt(geometry, piece));
      for (const span of spans) files.add(span.file);
    }
    for (const file of files) this.#touched.add(file);
    return files;
  }

  /** One record of those that changed, or none; undefined when they cannot be told now. */
  async #stampsOf(files: Iterable<number>): Promise<JournalRecord[] | undefined> {
    const asked = [...files];
    if (asked.length === 0) return [];
    try {
      const entries = changes(this.#writer.state.stamps, await this.#options.storage.stamps(asked), asked);
      return entries.length === 0 ? [] : [{ type: 'stamps', entries }];
    } catch (error) {
      this.#writer.report(error, 'look at the files for');
      return undefined;
    }
  }

  #alive(): JournalRecord {
    return { type: 'alive', wallMs: (this.#options.wallClock ?? Date.now)() };
  }

  #startSync(): void {
    const { syncEveryMs, appendEveryMs } = this.#options;
    this.#ticksToSync = Math.ceil(syncEveryMs / appendEveryMs);
    this.#inherits = false;
    this.#syncing ??= this.#sync().then((isSynced) => {
      this.#syncing = undefined;
      return isSynced;
    });
  }

  async #flush(): Promise<boolean> {
    try {
      await this.#options.storage.flush();
      return true;
    } catch (error) {
      this.#writer.report(error, 'flush the files for');
      const isLost = !(error instanceof StorageError && error.code === 'closed');
      if (isLost) await this.#enqueue(() => this.#doubtUnsynced());
      return false;
    }
  }

  /** Appends go on while the device works: what is synced is what came before the mark. */
  async #sync(): Promise<boolean> {
    await this.#enqueue(() => this.#writer.write([{ type: 'syncing' }]));
    const isFlushed = await this.#flush();
    if (!isFlushed) return false;
    await this.#enqueue(() => this.#writer.write([{ type: 'synced' }]));
    await this.#writer.sync();
    return true;
  }

  /** After a failed flush the system may have dropped what it could not write, and the next flush would not say so. */
  async #doubtUnsynced(): Promise<void> {
    const { state } = this.#writer;
    const pieces = [...common(state.syncing, state.have).indices()];
    for (const piece of pieces) if (!this.#queued.has(piece)) this.#live.remove(piece);
    await this.#writer.write([{ type: 'doubted', runs: runsOf(pieces) }, { type: 'synced' }]);
  }

  async #close(isClean: boolean): Promise<void> {
    clearTimeout(this.#timer);
    // A device that does not answer holds up a clean end only.
    if (isClean) await this.#syncing;
    await this.#enqueue(() => this.#append(false));
    if (isClean && (this.#writer.isStarted || this.found !== 'clean')) await this.#endCleanly();
    await this.#enqueue(() => this.#writer.end());
  }

  async #endCleanly(): Promise<void> {
    const isFlushed = this.#inherits ? await this.#flush() : await this.#sync();
    if (!isFlushed) return;
    await this.#enqueue(async () => {
      const stamps = await this.#stampsOf(withThoseBeside(this.#touched, this.#writer.state.stamps));
      if (stamps !== undefined) await this.#writer.write([this.#alive(), ...stamps, { type: 'clean' }]);
    });
    await this.#writer.sync();
  }
}
