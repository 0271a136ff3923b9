// One torrent of a session as its user holds it: what it does now, what happened, what is wanted of it, how to end it.
import type { Endpoint } from '@shoal/tracker-protocol';
import type { TorrentSnapshot } from '@shoal/torrent';
import type { MoveOptions } from '@shoal/storage';
import type { ReadRange } from './file-reader.ts';
import type { FilePriority } from './file-selection.ts';
import type { TorrentRateLimits } from './rates.ts';
import type { SessionReport, TorrentRun } from './torrent-run.ts';

export interface HandleFacts {
  readonly infoHash: string;
  readonly name: string;
  readonly peerId: string;
}

export class TorrentHandle implements AsyncDisposable {
  readonly infoHash: string;
  readonly name: string;
  /** 40 hex digits: the id this torrent goes by in this run. */
  readonly peerId: string;
  readonly #run: TorrentRun;
  readonly #close: () => Promise<void>;
  readonly #listeners = new Set<(report: SessionReport) => void>();
  /** Said before anybody could listen, for who listens first. */
  #early: readonly SessionReport[];
  #stopping: Promise<void> | undefined;

  constructor(
    { infoHash, name, peerId }: HandleFacts,
    run: TorrentRun,
    early: readonly SessionReport[],
    close: () => Promise<void>,
  ) {
    this.#early = early;
    this.infoHash = infoHash;
    this.name = name;
    this.peerId = peerId;
    this.#run = run;
    this.#close = close;
  }

  /**
   * Resolves when every wanted piece is here; rejects with SessionError `closed`. A disk in trouble keeps it waiting:
   * `onReport` tells of that, with `suspended`.
   */
  get completed(): Promise<void> {
    return this.#run.milestones.whenCompleted;
  }

  snapshot(): TorrentSnapshot {
    return this.#run.snapshot();
  }

  /** Calls `listener` for every report from now on, the first one also for those from before; returns what ends it. */
  onReport(listener: (report: SessionReport) => void): () => void {
    const early = this.#early;
    this.#early = [];
    for (const report of early) listener(report);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Dials these as well. */
  addPeers(peers: readonly Endpoint[]): void {
    this.#run.input({ type: 'peers-found', peers, source: 'user' });
  }

  /** Limits of this torrent and of each of its peers, from now on. @throws RangeError when one is not above 0. */
  setLimits(limits: TorrentRateLimits): void {
    this.#run.setLimits(limits);
  }

  /** One for each file. */
  get filePriorities(): readonly FilePriority[] {
    return this.#run.filePriorities;
  }

  /**
   * How much the files, by number, are wanted from now on. What is skipped is not created; what exists of it stays.
   * @throws RangeError when there is no such file; StorageError. Then all are wanted as before.
   */
  setFilePriority(files: number | readonly number[], priority: FilePriority): Promise<void> {
    return this.#run.setFilePriority(typeof files === 'number' ? [files] : files, priority);
  }

  /** Whether pieces are fetched in the order of the content instead of the rarest first. */
  setSequential(on: boolean): void {
    this.#run.input({ type: 'sequential', on });
  }

  /**
   * Bytes of a file in order, fetched ahead of whoever reads them, for as long as the stream is read. Cancel it when done.
   * @throws RangeError when file or range do not exist; SessionError `not-wanted` when the file is skipped.
   */
  read(file: number, range?: ReadRange): ReadableStream<Uint8Array> {
    return this.#run.read(file, range);
  }

  /** Moves the content below another folder while the torrent runs. @throws StorageError `exists` and others: then nothing has moved. */
  move(directory: string, options?: MoveOptions): Promise<void> {
    return this.#run.move(directory, options);
  }

  /** Gives a file another path below the folder, as a list of names. @throws StorageError `exists`, `unsafe-path`. */
  rename(file: number, path: readonly string[]): Promise<void> {
    return this.#run.rename(file, path);
  }

  /** Hashes all that is there again while the torrent runs; resolves when that is done. */
  recheck(): Promise<void> {
    return this.#run.recheck();
  }

  /** Looks at once whether files were deleted, replaced or cut by others, which is otherwise done every few seconds. */
  look(): Promise<void> {
    return this.#run.look();
  }

  /** Tries a disk that was in trouble at once, instead of when its wait is over. */
  retry(): void {
    this.#run.retry();
  }

  /** Says goodbye to peers and trackers, ends disk work and lets go of the files. May be called again. */
  stop(): Promise<void> {
    this.#stopping ??= this.#close();
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** For the session: passes a report on. */
  reported(report: SessionReport): void {
    for (const listener of this.#listeners) listener(report);
  }
}
