// One torrent of a session at work: its storage, journal, driver, file selection and checks, joined. Decides what a change
// of files, priorities or places means for all of them. Sockets and pieces are the driver's affair, choices the torrent's.
import { rename } from 'node:fs/promises';
import type { Metainfo } from '@shoal/metainfo';
import { Bitfield, FileMap } from '@shoal/pieces';
import { StorageError, type ResumeJournal, type Storage } from '@shoal/storage';
import type { Torrent, TorrentInput, TorrentReport, TorrentSnapshot } from '@shoal/torrent';
import { checkInBackground } from './background-check.ts';
import type { Budget, BudgetMember } from './budget.ts';
import type { DiskTrouble } from './disk-trouble.ts';
import { SessionError } from './errors.ts';
import { readFile, type ReadRange } from './file-reader.ts';
import type { FilePriority, FileSelection } from './file-selection.ts';
import { FileWatch, type ChangedFile } from './file-watch.ts';
import { Milestones } from './milestones.ts';
import type { PieceWork } from './piece-work.ts';
import { PriorityChange } from './priority-change.ts';
import type { TorrentRateLimits, TorrentRates } from './rates.ts';
import type { TorrentDriver } from './torrent-driver.ts';

export interface TorrentRunParts {
  readonly metainfo: Metainfo;
  readonly storage: Storage;
  readonly journal: ResumeJournal | undefined;
  /** Where the journal of content in this folder lies. */
  readonly journalPathIn: (directory: string) => string | undefined;
  /** The folder at first. */
  readonly directory: string | undefined;
  readonly torrent: Torrent;
  readonly driver: TorrentDriver;
  readonly pieceWork: PieceWork;
  readonly trouble: DiskTrouble;
  readonly rates: TorrentRates;
  readonly selection: FileSelection;
  readonly budget: Budget;
  readonly random: () => number;
  /** How long the content may take to reach the device when the torrent stops. */
  readonly flushTimeoutMs: number;
  readonly onReport: (report: SessionReport) => void;
}

export type SessionReport =
  | TorrentReport
  /** Files were deleted, replaced or cut by others; what was theirs is checked again. */
  | { readonly type: 'files-changed'; readonly files: readonly ChangedFile[] }
  /** Everything that was in doubt has been checked. */
  | { readonly type: 'checked' }
  /** The journal cannot be kept: after a crash more would have to be checked. */
  | { readonly type: 'journal-failed'; readonly reason: string };

/** How often files are looked at; a deletion that is noticed later costs more pieces. */
const watchMs = 5000;
/** A torrent that several files finish in a second is sorted again once. */
const sortMs = 1000;

export class TorrentRun implements BudgetMember {
  readonly pieceLength: number;
  readonly #parts: TorrentRunParts;
  readonly #map: FileMap;
  readonly #watch: FileWatch;
  readonly #milestones: Milestones;
  readonly #priorityChange: PriorityChange;
  readonly #ended = new AbortController();
  readonly #work = new Set<Promise<void>>();
  #directory: string | undefined;
  #watchTimer: NodeJS.Timeout | undefined;
  #sortTimer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #onCheckProgress: ((checked: number, total: number) => void) | undefined;

  constructor(parts: TorrentRunParts) {
    const { metainfo, storage } = parts;
    this.#parts = parts;
    this.#directory = parts.directory;
    this.pieceLength = metainfo.geometry.pieceLength;
    this.#map = new FileMap(metainfo.files.map((file) => file.length));
    this.#watch = new FileWatch(storage, metainfo.files.length);
    this.#milestones = new Milestones(metainfo.infoHash, parts.torrent);
    const { selection, journal } = parts;
    const changed = (): void => {
      this.#watch.forget();
      this.input({ type: 'priorities', pieces: selection.pieces() });
    };
    this.#priorityChange = new PriorityChange({ selection, storage, journal, changed });
  }

  get pieceBytes(): number {
    return this.#parts.pieceWork.bytes;
  }

  get isDownloading(): boolean {
    return !this.#parts.torrent.complete && this.connections > 0;
  }

  get connections(): number {
    return this.#parts.driver.connections;
  }

  get complete(): boolean {
    return this.#parts.torrent.complete;
  }

  get milestones(): Milestones {
    return this.#milestones;
  }

  get filePriorities(): readonly FilePriority[] {
    return this.#parts.selection.priorities;
  }

  snapshot(): TorrentSnapshot {
    return this.#parts.torrent.snapshot(performance.now());
  }

  allow(part: { readonly pieceBufferBytes: number; readonly maxConnections: number }): void {
    this.input({ type: 'allowance', ...part });
  }

  input(input: TorrentInput): void {
    this.#parts.driver.input(input);
  }

  /** Begins: what is `doubted` is checked while everything else goes on. */
  start(doubted: Bitfield, onCheckProgress: ((checked: number, total: number) => void) | undefined): void {
    const { selection, budget, torrent } = this.#parts;
    this.#onCheckProgress = onCheckProgress;
    const { pieceCount } = torrent.snapshot(performance.now());
    for (let piece = 0; piece < pieceCount; piece++) if (torrent.has(piece)) selection.verified(piece);
    if (!selection.isPlain) this.input({ type: 'priorities', pieces: selection.pieces() });
    budget.join(this);
    this.setLimits({});
    this.input({ type: 'started' });
    // Without anybody to serve or to get from nothing hangs on it: a thousand idle torrents cost nothing.
    this.#watchTimer = setInterval(() => void (this.connections > 0 && this.look()), watchMs);
    this.#watchTimer.unref();
    if (!doubted.isEmpty) void this.#check(doubted);
  }

  /** The torrent's word on its way to whoever listens. */
  reported(report: TorrentReport): void {
    const { selection, budget, onReport } = this.#parts;
    if (report.type === 'piece-verified') {
      this.#noteWritten(report.piece);
      if (selection.verified(report.piece)) this.#sortSoon();
      this.#milestones.verified(report.piece);
    }
    if (report.type === 'peer-joined' && !this.complete) budget.rebalance();
    if (report.type === 'completed') {
      budget.rebalance();
      // Complete is what is complete on disk: a file that was deleted meanwhile must be noticed before it is said.
      this.#track(this.look().then(() => this.#milestones.completed()));
    }
    onReport(report);
  }

  setLimits(limits: TorrentRateLimits): void {
    this.#parts.rates.set(limits);
    this.input({ type: 'allowance', ...this.#parts.rates.allowance });
  }

  setFilePriority(files: readonly number[], priority: FilePriority): Promise<void> {
    const change = this.#priorityChange.set(files, priority);
    this.#track(change.catch(() => {}));
    return change;
  }

  read(file: number, range?: ReadRange): ReadableStream<Uint8Array> {
    const { metainfo, storage, torrent, selection } = this.#parts;
    if (!selection.isWanted(file))
      throw new SessionError('not-wanted', `file ${file} is skipped: give it another priority first`, metainfo);
    const parts = {
      infoHash: metainfo.infoHash,
      map: this.#map,
      geometry: metainfo.geometry,
      storage,
      has: (piece: number) => torrent.has(piece),
      whenVerified: (piece: number, signal: AbortSignal) => this.#milestones.whenVerified(piece, signal),
      setDeadline: (piece: number, at: number | undefined) => this.input({ type: 'deadline', piece, at }),
      now: () => performance.now(),
    };
    return readFile(parts, file, range);
  }

  async move(directory: string, options: Parameters<Storage['move']>[1]): Promise<void> {
    await this.#parts.storage.move(directory, options);
    this.#directory = directory;
    this.#watch.forget();
    await this.#parts.journal?.restamp();
  }

  async rename(file: number, path: readonly string[]): Promise<void> {
    await this.#parts.storage.rename(file, path);
    this.#watch.forget();
    await this.#parts.journal?.restamp([file]);
  }

  /** Tries the disk again at once. */
  retry(): void {
    this.#parts.trouble.retry();
  }

  /** Hashes everything again while running. */
  async recheck(): Promise<void> {
    const { pieceCount } = this.#parts.metainfo.geometry;
    await this.#doubt(Bitfield.full(pieceCount));
  }

  /** Looks whether files are still those we left, now. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  /** Says goodbye, lets the disk come to rest and leaves a journal that spares the next check. */
  async stop(): Promise<void> {
    const { driver, trouble, budget, journal, storage } = this.#parts;
    clearInterval(this.#watchTimer);
    clearTimeout(this.#sortTimer);
    this.#ended.abort(new SessionError('closed', 'the torrent was stopped', this.#parts.metainfo));
    const wasTroubled = trouble.isTroubled;
    trouble.end();
    await driver.stop();
    await Promise.all(this.#work);
    budget.leave(this);
    if (journal !== undefined) {
      const isFlushed = !wasTroubled && (await this.#flushed());
      await journal.close({ clean: isFlushed });
      await this.#moveJournal();
    }
    await storage.close();
    this.#milestones.end();
  }

  /** A disk that is slow must not hold up the end: then the journal says less, and more is checked after a power loss. */
  async #flushed(): Promise<boolean> {
    const { storage, flushTimeoutMs } = this.#parts;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), flushTimeoutMs);
    storage.flush().then(
      () => resolve(true),
      () => resolve(false),
    );
    return promise.finally(() => clearTimeout(timer));
  }

  /** The next start looks for it by the folder of the content. */
  async #moveJournal(): Promise<void> {
    const { directory, journalPathIn, onReport } = this.#parts;
    if (directory === undefined || this.#directory === undefined || this.#directory === directory) return;
    const [from, to] = [journalPathIn(directory), journalPathIn(this.#directory)];
    if (from === undefined || to === undefined) return;
    await rename(from, to).catch((error: Error) => onReport({ type: 'journal-failed', reason: error.message }));
  }

  #noteWritten(piece: number): void {
    const { pieceLength, totalLength } = this.#parts.metainfo.geometry;
    const begin = piece * pieceLength;
    for (const span of this.#map.spans(begin, Math.min(pieceLength, totalLength - begin))) this.#watch.wrote(span.file);
  }

  async #look(): Promise<void> {
    if (this.#ended.signal.aborted) return;
    let changed: ChangedFile[];
    try {
      changed = await this.#watch.look();
    } catch {
      // A disk that does not even tell fails its next read or write as well, and that is what suspends the torrent.
      return;
    }
    if (changed.length === 0 || this.#ended.signal.aborted) return;
    this.#parts.onReport({ type: 'files-changed', files: changed });
    const deleted = changed.filter(({ change }) => change === 'deleted').map(({ file }) => file);
    if (deleted.length > 0) await this.#awaitReturn(deleted);
    await this.#doubt(this.#piecesOf(changed.map(({ file }) => file)));
  }

  /** Deleted files stop the torrent until they are back: it must not fetch anew what somebody moved away by mistake. */
  async #awaitReturn(files: readonly number[]): Promise<void> {
    const { storage, trouble, metainfo } = this.#parts;
    const look = async (): Promise<void> => {
      const stamps = await storage.stamps(files);
      const missing = files.find((file) => stamps[file] === undefined);
      if (missing === undefined) return;
      const name = metainfo.files[missing]?.path.join('/') ?? `file ${missing}`;
      const advice = 'put it back, or stop and start again to download it anew';
      throw new StorageError('not-found', `"${name}" was deleted while it was in use: ${advice}`);
    };
    // That the torrent ended first is no news.
    await look().catch((error) => trouble.overcome(error, look).catch(() => {}));
  }

  async #doubt(pieces: Bitfield): Promise<void> {
    if (this.#ended.signal.aborted) return;
    for (const piece of pieces.indices()) {
      this.#parts.journal?.lost(piece);
      if (this.#parts.torrent.has(piece)) this.#parts.selection.lost(piece);
    }
    this.input({ type: 'pieces-doubted', pieces });
    await this.#check(pieces);
  }

  #piecesOf(files: readonly number[]): Bitfield {
    const { geometry } = this.#parts.metainfo;
    const pieces = new Bitfield(geometry.pieceCount);
    for (const file of files) {
      const range = this.#map.piecesOf(file, geometry.pieceLength);
      if (range === undefined) continue;
      for (let piece = range.first; piece <= range.last; piece++) if (this.#parts.torrent.has(piece)) pieces.add(piece);
    }
    return pieces;
  }

  #check(doubted: Bitfield): Promise<void> {
    const { storage, journal, trouble, random, budget, metainfo, onReport } = this.#parts;
    const { geometry, pieceHashes } = metainfo;
    const answer = (input: TorrentInput): void => this.input(input);
    const parts = { hashPool: budget.hashPool, storage, geometry, pieceHashes, journal, trouble, random, answer };
    const progress = { onProgress: this.#onCheckProgress, signal: this.#ended.signal };
    const work = checkInBackground(parts, doubted, progress).then(
      () => onReport({ type: 'checked' }),
      // The torrent ended first.
      () => {},
    );
    this.#track(work);
    return work;
  }

  #sortSoon(): void {
    this.#sortTimer ??= setTimeout(() => {
      this.#sortTimer = undefined;
      this.input({ type: 'priorities', pieces: this.#parts.selection.pieces() });
    }, sortMs);
  }

  #track(work: Promise<void>): void {
    this.#work.add(work);
    void work.finally(() => this.#work.delete(work));
  }
}
