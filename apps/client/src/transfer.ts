// Torrents in one session, and what is told of them meanwhile: as events, as a live picture, as lines.
// What `download` and `seed` do with it, and when it ends, is theirs.
import type { Metainfo } from '@shoal/metainfo';
import { Session, type AddOptions, type RateLimits, type SessionOptions, type SessionReport } from '@shoal/session';
import { CommandError } from './exit-codes.ts';
import type { Output } from './output.ts';
import type { PeerAddress } from './peer-addresses.ts';
import { checkPicture } from './render/picture.ts';
import { liveLines, plainLine } from './render/transfer-lines.ts';
import { tellReport } from './report-telling.ts';
import { makeResumeDirectory, type ResumeDirectory } from './state-directory.ts';
import { progressFacts, resultOf, snapshotOf, type TransferResult, type Transferring } from './transfer-facts.ts';

export interface TransferOptions {
  /** Absolute. */
  readonly directory: string;
  readonly session: SessionOptions;
  /** For every peer of every torrent alone. */
  readonly peerLimits: RateLimits;
  /** Where it is noted what is verified; undefined: nowhere. */
  readonly resume: ResumeDirectory | undefined;
  readonly peers: readonly PeerAddress[];
  /** Instead of the torrents' own. */
  readonly trackers: readonly (readonly string[])[] | undefined;
  /** Whether trouble with the disk ends a torrent, or is waited for. */
  readonly onDiskError: 'stop' | 'wait';
  readonly intervalMs: number;
}

/** What may differ between the torrents. */
export type TorrentOptions = Pick<
  AddOptions,
  'requireComplete' | 'filePriorities' | 'sequential' | 'finishFilesFirst' | 'preallocation'
>;

/** A check of what is on disk is told to programs at most this often. */
const checkIntervalMs = 250;

export class Transfer implements AsyncDisposable {
  readonly #session: Session;
  readonly #output: Output;
  readonly #options: TransferOptions;
  readonly #torrents: Transferring[] = [];
  #ticker: NodeJS.Timeout | undefined;

  private constructor(session: Session, output: Output, options: TransferOptions) {
    this.#session = session;
    this.#output = output;
    this.#options = options;
  }

  static async open(output: Output, options: TransferOptions): Promise<Transfer> {
    const { resume } = options;
    const resumeDirectory =
      resume === undefined ? undefined : await makeResumeDirectory(resume, (text) => output.warn(text));
    const session = await Session.open({
      ...options.session,
      ...(resumeDirectory === undefined ? {} : { resumeDirectory }),
    });
    output.event('listening', { port: session.port });
    output.info(`listening on port ${session.port}`);
    return new Transfer(session, output, options);
  }

  /** Starts it; with `requireComplete` once all that is there is checked. */
  async add(metainfo: Metainfo, signal: AbortSignal, wanted: TorrentOptions = {}): Promise<Transferring> {
    const { directory, peers, peerLimits } = this.#options;
    const trackers = this.#options.trackers ?? metainfo.announceTiers;
    const { name, infoHash } = metainfo;
    for (const warning of metainfo.warnings) this.#output.warn(`${name}: ${warning}`);
    if (trackers.length + peers.length === 0) this.#output.warn(`${name}: ${this.#lonely()}`);
    const onCheckProgress = this.#onCheckProgress(metainfo);
    const options = { ...wanted, directory, peers, trackers, limits: { peer: peerLimits }, onCheckProgress };
    const startedAt = performance.now();
    const handle = await this.#session.add(metainfo, options, signal);
    const { pieceCount, havePieces, checkingPieces, wantedLeftBytes, totalBytes } = handle.snapshot();
    const completedAt = wantedLeftBytes === 0 ? startedAt : undefined;
    const id = this.#torrents.length + 1;
    const trouble = Promise.withResolvers<never>();
    // Who does not wait for it still hears of it.
    trouble.promise.catch(() => {});
    const torrent: Transferring = {
      id,
      metainfo,
      handle,
      trackers,
      startedAt,
      trouble,
      completedAt,
      endState: undefined,
    };
    this.#torrents.push(torrent);
    const { peerId } = handle;
    const pieces = pieceCount;
    this.#output.event('added', { infoHash, name, peerId, totalBytes, pieces, havePieces, checkingPieces });
    handle.onReport((report) => this.#reported(torrent, report));
    this.#ticker ??= setInterval(() => this.show(), this.#options.intervalMs);
    return torrent;
  }

  /** Ends one of them; the others go on. */
  async stop(torrent: Transferring): Promise<void> {
    torrent.endState ??= torrent.handle.snapshot().state;
    await torrent.handle.stop();
  }

  /** Says goodbye to trackers and peers, at most five seconds, and tells the last figures. */
  async close(): Promise<void> {
    clearInterval(this.#ticker);
    for (const torrent of this.#torrents) torrent.endState ??= torrent.handle.snapshot().state;
    await this.#session.close();
    for (const torrent of this.#torrents) this.#output.event('stopped', progressFacts(torrent, snapshotOf(torrent)));
    this.#output.endProgress();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  results(): TransferResult[] {
    return this.#torrents.map(resultOf);
  }

  /** One picture of now, on whatever the output shows it. */
  show(): void {
    const pictures = this.#torrents.map((torrent) => ({ torrent, snapshot: snapshotOf(torrent) }));
    for (const { torrent, snapshot } of pictures) this.#output.event('progress', progressFacts(torrent, snapshot));
    const shown = pictures.map(({ torrent, snapshot }) => ({ name: torrent.handle.name, snapshot }));
    const live = (columns: number, rows: number): string[] => liveLines(shown, columns, rows, this.#output.paint);
    const plain = (): string[] => shown.map(({ name, snapshot }) => plainLine(name, snapshot));
    this.#output.progress({ live, plain }, performance.now());
  }

  #lonely(): string {
    const { port } = this.#session;
    return `the torrent names no tracker and no peer was given: give --tracker or --peer, or have others connect to port ${port}`;
  }

  #onCheckProgress({ infoHash, name }: Metainfo): (checked: number, total: number) => void {
    let toldAt = -Infinity;
    return (checked, total) => {
      const now = performance.now();
      if (checked < total && now - toldAt < checkIntervalMs) return;
      toldAt = now;
      this.#output.event('checking', { infoHash, name, checked, total });
      // What is transferred already has a picture of its own.
      if (this.#torrents.length > 0) return;
      const work = { verb: 'checking', what: name, done: checked, total, amount: `of ${total} pieces` };
      this.#output.progress(checkPicture(work, this.#output.paint), now);
    };
  }

  #reported(torrent: Transferring, report: SessionReport): void {
    if (report.type === 'completed') {
      torrent.completedAt = performance.now();
      this.show();
    }
    tellReport(torrent, report, this.#output);
    if (report.type !== 'suspended') return;
    const { reason } = report;
    if (this.#options.onDiskError === 'stop') torrent.trouble.reject(new CommandError('disk', reason));
    else this.#output.warn(`${torrent.handle.name}: suspended until the disk works again: ${reason}`);
  }
}
