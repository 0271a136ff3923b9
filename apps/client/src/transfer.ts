// Runs torrents in one session until there is nothing left to do or somebody says stop, and tells what happens meanwhile.
// Both `download` and `seed` are this, with different ends.
import type { Metainfo } from '@shoal/metainfo';
import { Session, SessionError, type SessionErrorCode, type TorrentHandle } from '@shoal/session';
import { StorageError, type StorageErrorCode } from '@shoal/storage';
import type { TorrentReport, TorrentSnapshot } from '@shoal/torrent';
import { resolvePeers, type HostPort } from './arguments.ts';
import { CommandError, type ExitName } from './exit-codes.ts';
import type { Output } from './output.ts';
import { transferLines } from './render/transfer-lines.ts';

export interface TransferOptions {
  readonly directory: string;
  readonly port: number | undefined;
  readonly bind: string | undefined;
  readonly peers: readonly HostPort[];
  readonly trackers: readonly (readonly string[])[] | undefined;
  readonly slots: number | undefined;
  readonly intervalMs: number;
}

export interface Transferring {
  readonly metainfo: Metainfo;
  readonly handle: TorrentHandle;
  readonly startedAt: number;
  completedAt: number | undefined;
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

/** A check of what is on disk is reported at most this often. */
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
    output.detail(`listening on port ${session.port}`);
    return new Transfer(session, output, options);
  }

  get torrents(): readonly Transferring[] {
    return this.#torrents;
  }

  /** Checks what is there and starts; returns when the check is done. */
  async add(metainfo: Metainfo, signal: AbortSignal, requireComplete = false): Promise<Transferring> {
    const { directory, trackers } = this.#options;
    for (const warning of metainfo.warnings) this.#output.warn(`${metainfo.name}: ${warning}`);
    const peers = await resolvePeers(this.#options.peers);
    let toldAt = -Infinity;
    const onCheckProgress = (checked: number, total: number): void => {
      const now = performance.now();
      if (checked < total && now - toldAt < checkIntervalMs) return;
      toldAt = now;
      this.#output.event('checking', { infoHash: metainfo.infoHash, name: metainfo.name, checked, total });
      this.#output.progress(() => [`checking ${metainfo.name}: ${checked} of ${total} pieces`], now);
    };
    const handle = await this.#session.add(
      metainfo,
      { directory, peers, requireComplete, onCheckProgress, ...(trackers === undefined ? {} : { trackers }) },
      signal,
    );
    const torrent: Transferring = { metainfo, handle, startedAt: performance.now(), completedAt: undefined };
    this.#torrents.push(torrent);
    const { pieceCount, havePieces, totalBytes } = handle.snapshot();
    const { infoHash, name, peerId } = handle;
    this.#output.event('added', { infoHash, name, peerId, totalBytes, pieces: pieceCount, havePieces });
    handle.onReport((report) => this.#reported(torrent, report));
    this.#tick();
    return torrent;
  }

  /** Says goodbye to trackers and peers, at most five seconds, and tells the last figures. */
  async close(): Promise<void> {
    clearInterval(this.#ticker);
    const last = this.#torrents.map((torrent) => torrent.handle.snapshot());
    await this.#session.close();
    this.#torrents.forEach((torrent, i) => {
      // What was sent while the goodbye was said counts too; the state is that of before.
      const snapshot = { ...torrent.handle.snapshot(), state: last[i]?.state ?? 'stopped' };
      this.#output.event('stopped', progressFacts(torrent, snapshot));
    });
    this.#output.endProgress();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  results(): TransferResult[] {
    return this.#torrents.map((torrent) => {
      const snapshot = torrent.handle.snapshot();
      const { infoHash, name, peerId } = torrent.handle;
      const { totalBytes, leftBytes, downloadedBytes, uploadedBytes, wastedBytes, corruptBytes, contributions } =
        snapshot;
      const seconds = ((torrent.completedAt ?? performance.now()) - torrent.startedAt) / 1000;
      return {
        infoHash,
        name,
        peerId,
        state: snapshot.state,
        complete: leftBytes === 0,
        totalBytes,
        leftBytes,
        downloadedBytes,
        uploadedBytes,
        wastedBytes,
        corruptBytes,
        seconds,
        contributions,
      };
    });
  }

  #tick(): void {
    this.#ticker ??= setInterval(() => this.show(), this.#options.intervalMs);
  }

  /** One picture of now, on whatever the output shows it. */
  show(): void {
    const pictures = this.#torrents.map((torrent) => ({ torrent, snapshot: torrent.handle.snapshot() }));
    for (const { torrent, snapshot } of pictures) this.#output.event('progress', progressFacts(torrent, snapshot));
    this.#output.progress(
      () =>
        pictures.flatMap(({ torrent, snapshot }) =>
          transferLines(torrent.handle.name, snapshot, process.stderr.columns ?? 80),
        ),
      performance.now(),
    );
  }

  #reported(torrent: Transferring, report: TorrentReport): void {
    const { infoHash, name } = torrent.handle;
    const output = this.#output;
    switch (report.type) {
      case 'completed': {
        torrent.completedAt = performance.now();
        const seconds = (torrent.completedAt - torrent.startedAt) / 1000;
        this.show();
        output.event('completed', { infoHash, seconds });
        return output.info(`${name}: complete after ${seconds.toFixed(1)} s`);
      }
      case 'announced':
        output.event('announced', {
          infoHash,
          tracker: report.tracker,
          announceEvent: report.event,
          peers: report.peers,
        });
        return output.detail(`${name}: ${report.tracker ?? 'the tracker'} knows ${report.peers} peers`);
      case 'announce-warning':
        return output.warn(`${name}: the tracker says: ${report.warning}`);
      case 'announce-failed':
        output.event('announce-failed', { infoHash, reason: report.reason, retryInMs: report.retryInMs });
        return output.warn(
          `${name}: announcing failed: ${report.reason} (again in ${Math.ceil(report.retryInMs / 1000)} s)`,
        );
      case 'peer-joined':
        output.event('peer-joined', { infoHash, peerId: report.peerId, endpoint: report.endpoint });
        return output.detail(`${name}: connected to ${report.endpoint.ip}, port ${report.endpoint.port}`);
      case 'peer-left':
        output.event('peer-left', { infoHash, endpoint: report.endpoint, reason: report.reason });
        return output.detail(`${name}: ${report.endpoint.ip}, port ${report.endpoint.port} left: ${report.reason}`);
      case 'peer-banned':
        output.event('peer-banned', { infoHash, endpoint: report.endpoint, reason: report.reason });
        return output.warn(`${name}: ${report.endpoint.ip} is banned: ${report.reason}`);
      case 'piece-corrupt':
        return output.detail(`${name}: piece ${report.piece} failed its hash and is fetched again`);
      case 'failed':
        return output.event('failed', { infoHash, reason: report.reason });
      default:
        return;
    }
  }
}

function progressFacts(torrent: Transferring, snapshot: TorrentSnapshot): object {
  const { state, havePieces, pieceCount, leftBytes, totalBytes, downloadedBytes, uploadedBytes } = snapshot;
  const { downloadRate, uploadRate, peers, contributions } = snapshot;
  return {
    infoHash: torrent.handle.infoHash,
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

const sessionExits: Readonly<Record<SessionErrorCode, ExitName>> = {
  disk: 'disk',
  closed: 'unfinished',
  incomplete: 'verification-failed',
  'duplicate-torrent': 'usage',
  'address-in-use': 'network',
  'cannot-listen': 'network',
};

const storageExits: Readonly<Record<StorageErrorCode, ExitName>> = {
  'no-space': 'disk',
  permission: 'disk',
  io: 'disk',
  short: 'disk',
  'not-found': 'disk',
  closed: 'unfinished',
  'unsafe-path': 'input',
};

/** What a failure of the engine means for the command. */
export function commandErrorOf(error: unknown): CommandError | undefined {
  if (error instanceof CommandError) return error;
  if (error instanceof SessionError) {
    return new CommandError(sessionExits[error.code], error.message, { cause: error });
  }
  if (error instanceof StorageError) return new CommandError(storageExits[error.code], error.message, { cause: error });
  return undefined;
}
