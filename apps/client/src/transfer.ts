// Torrents in one session, and what is told of them meanwhile: as events, as a live picture, as lines.
// What `download` and `seed` do with it, and when it ends, is theirs.
import type { Metainfo } from '@shoal/metainfo';
import { Session, type TorrentHandle } from '@shoal/session';
import type { TorrentReport, TorrentSnapshot } from '@shoal/torrent';
import type { Output } from './output.ts';
import type { PeerAddress } from './peer-addresses.ts';
import { checkPicture } from './render/picture.ts';
import { counted, formatBytes, formatDuration } from './render/text.ts';
import { liveLines, plainLine } from './render/transfer-lines.ts';

export interface TransferOptions {
  /** Absolute. */
  readonly directory: string;
  readonly port: number | undefined;
  readonly bind: string | undefined;
  readonly peers: readonly PeerAddress[];
  /** Instead of the torrents' own. */
  readonly trackers: readonly (readonly string[])[] | undefined;
  readonly slots: number | undefined;
  readonly intervalMs: number;
}

export interface Transferring {
  /** Counted from 1 in this run. */
  readonly id: number;
  readonly metainfo: Metainfo;
  readonly handle: TorrentHandle;
  readonly trackers: readonly (readonly string[])[];
  readonly startedAt: number;
  /** The time it began with when it was complete already. */
  completedAt: number | undefined;
  /** What it was doing when it was stopped. */
  endState: TorrentSnapshot['state'] | undefined;
}

export interface TransferResult {
  readonly infoHash: string;
  readonly name: string;
  readonly peerId: string;
  readonly state: TorrentSnapshot['state'];
  readonly complete: boolean;
  readonly totalBytes: number;
  readonly leftBytes: number;
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  readonly wastedBytes: number;
  readonly corruptBytes: number;
  /** From the start of the transfer to completion, or until now. */
  readonly seconds: number;
  readonly contributions: TorrentSnapshot['contributions'];
}

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
    const { port, bind, slots } = options;
    const session = await Session.open({
      ...(port === undefined ? {} : { port }),
      ...(bind === undefined ? {} : { bind }),
      ...(slots === undefined ? {} : { uploadSlots: slots }),
    });
    output.event('listening', { port: session.port });
    output.info(`listening on port ${session.port}`);
    return new Transfer(session, output, options);
  }

  /** Checks what is there and starts; returns when the check is done. */
  async add(metainfo: Metainfo, signal: AbortSignal, requireComplete = false): Promise<Transferring> {
    const { directory, peers } = this.#options;
    const trackers = this.#options.trackers ?? metainfo.announceTiers;
    const { name, infoHash } = metainfo;
    for (const warning of metainfo.warnings) this.#output.warn(`${name}: ${warning}`);
    if (trackers.length + peers.length === 0) this.#output.warn(`${name}: ${this.#lonely()}`);
    const onCheckProgress = this.#onCheckProgress(metainfo);
    const options = { directory, peers, trackers, requireComplete, onCheckProgress };
    const handle = await this.#session.add(metainfo, options, signal);
    const startedAt = performance.now();
    const { pieceCount, havePieces, leftBytes, totalBytes } = handle.snapshot();
    const completedAt = leftBytes === 0 ? startedAt : undefined;
    const id = this.#torrents.length + 1;
    const torrent: Transferring = { id, metainfo, handle, trackers, startedAt, completedAt, endState: undefined };
    this.#torrents.push(torrent);
    const { peerId } = handle;
    this.#output.event('added', { infoHash, name, peerId, totalBytes, pieces: pieceCount, havePieces });
    handle.onReport((report) => this.#reported(torrent, report));
    this.#ticker ??= setInterval(() => this.show(), this.#options.intervalMs);
    return torrent;
  }

  /** Says goodbye to trackers and peers, at most five seconds, and tells the last figures. */
  async close(): Promise<void> {
    clearInterval(this.#ticker);
    // The figures are of the end, what it was doing is of before: that it is stopped now says nothing.
    for (const torrent of this.#torrents) torrent.endState = torrent.handle.snapshot().state;
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
    const pictures = this.#torrents.map((torrent) => ({ torrent, snapshot: torrent.handle.snapshot() }));
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
      const work = { verb: 'checking', what: name, done: checked, total, amount: `of ${total} pieces` };
      this.#output.progress(checkPicture(work, this.#output.paint), now);
    };
  }

  #reported(torrent: Transferring, report: TorrentReport): void {
    const { infoHash, name } = torrent.handle;
    const output = this.#output;
    switch (report.type) {
      case 'completed':
        return this.#completed(torrent);
      case 'announced': {
        const { tracker, event, peers } = report;
        output.event('announced', { infoHash, tracker, announceEvent: event, peers });
        const answer = event === 'stopped' ? '' : ` and named ${counted(peers, 'peer')}`;
        return output.detail(`${name}: ${hostOf(tracker)} was told ${told[event]}${answer}`);
      }
      case 'announce-warning':
        return output.warn(`${name}: the tracker says: ${report.warning}`);
      case 'announce-failed': {
        const { reason, retryInMs } = report;
        output.event('announce-failed', { infoHash, reason, retryInMs });
        return output.warn(`${name}: announcing failed: ${reason}${nextTry(retryInMs)}`);
      }
      case 'peer-joined': {
        const { peerId, endpoint } = report;
        output.event('peer-joined', { infoHash, peerId, endpoint });
        return output.detail(`${name}: connected to ${endpoint.ip}, port ${endpoint.port}`);
      }
      case 'connection-failed': {
        const { endpoint, reason } = report;
        output.event('connection-failed', { infoHash, endpoint, reason });
        return output.detail(`${name}: no connection with ${endpoint.ip}, port ${endpoint.port}: ${reason}`);
      }
      case 'peer-left':
      case 'peer-banned': {
        const { endpoint, reason, type } = report;
        output.event(type, { infoHash, endpoint, reason });
        const who = `${name}: ${endpoint.ip}, port ${endpoint.port}`;
        return type === 'peer-left'
          ? output.detail(`${who} left: ${reason}`)
          : output.warn(`${who} is banned: ${reason}`);
      }
      case 'piece-corrupt':
        return output.detail(`${name}: piece ${report.piece} failed its hash and is fetched again`);
      case 'failed':
        return output.event('failed', { infoHash, reason: report.reason });
      default:
        return;
    }
  }

  #completed(torrent: Transferring): void {
    const { infoHash, name } = torrent.handle;
    torrent.completedAt = performance.now();
    const seconds = (torrent.completedAt - torrent.startedAt) / 1000;
    this.show();
    this.#output.event('completed', { infoHash, seconds });
    const { downloadedBytes } = torrent.handle.snapshot();
    const rate = `${formatBytes(downloadedBytes)} in ${seconds < 60 ? `${seconds.toFixed(1)} s` : formatDuration(seconds)}`;
    this.#output.info(`${name}: complete (${rate})`);
  }
}

/** What an announce's event says, as the object of "was told". */
const told: Readonly<Record<string, string>> = {
  started: 'that we began',
  completed: 'that we are complete',
  stopped: 'goodbye',
  paused: 'that we pause',
  none: 'how far we are',
};

/** The path of a tracker's URL may be a password: people see the host. */
function hostOf(url: string | undefined): string {
  return (url === undefined ? undefined : URL.parse(url)?.host) ?? 'the tracker';
}

function nextTry(retryInMs: number): string {
  return Number.isFinite(retryInMs) ? ` (next try in ${formatDuration(Math.ceil(retryInMs / 1000))})` : '';
}

function snapshotOf({ handle, endState }: Transferring): TorrentSnapshot {
  const snapshot = handle.snapshot();
  return { ...snapshot, state: endState ?? snapshot.state };
}

function resultOf(torrent: Transferring): TransferResult {
  const { handle, completedAt, startedAt } = torrent;
  const { infoHash, name, peerId } = handle;
  const snapshot = snapshotOf(torrent);
  const { state, totalBytes, leftBytes, downloadedBytes, uploadedBytes, wastedBytes, corruptBytes } = snapshot;
  return {
    infoHash,
    name,
    peerId,
    state,
    complete: leftBytes === 0,
    totalBytes,
    leftBytes,
    downloadedBytes,
    uploadedBytes,
    wastedBytes,
    corruptBytes,
    seconds: ((completedAt ?? performance.now()) - startedAt) / 1000,
    contributions: snapshot.contributions,
  };
}

function progressFacts({ handle }: Transferring, snapshot: TorrentSnapshot): object {
  const { state, havePieces, pieceCount, leftBytes, totalBytes, downloadedBytes, uploadedBytes } = snapshot;
  const { downloadRate, uploadRate, peers, contributions } = snapshot;
  return {
    infoHash: handle.infoHash,
    state,
    havePieces,
    pieces: pieceCount,
    leftBytes,
    totalBytes,
    downloadedBytes,
    uploadedBytes,
    downloadRate: Math.round(downloadRate),
    uploadRate: Math.round(uploadRate),
    peers: peers.length,
    contributions,
  };
}
