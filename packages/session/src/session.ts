// Many torrents on one port: listens, routes, hands the budget and the rate limits down to torrents, and ends them all.
import path from 'node:path';
import type { Metainfo } from '@shoal/metainfo';
import { UdpClient } from '@shoal/tracker-client';
import { Budget } from './budget.ts';
import { SessionError } from './errors.ts';
import { JournalFolder } from './journal-folder.ts';
import { Listener, type Introduced } from './listener.ts';
import { resolveOptions, type AddOptions, type ResolvedSessionOptions, type SessionOptions } from './options.ts';
import { Pacer } from './rate-limit/pacer.ts';
import type { RateLimits } from './rates.ts';
import { RunBuffers } from './run-buffers.ts';
import { Dialer } from './tcp.ts';
import type { TorrentDriver } from './torrent-driver.ts';
import { TorrentHandle } from './torrent-handle.ts';
import { openTorrent, specific, type OpenedTorrent, type SharedParts } from './torrent-opening.ts';
import type { SessionReport, TorrentRun } from './torrent-run.ts';

export class Session implements AsyncDisposable {
  readonly #listener: Listener;
  readonly #shared: SharedParts;
  readonly #drivers = new Map<string, TorrentDriver>();
  readonly #runs = new Map<string, TorrentRun>();
  readonly #handles = new Map<string, TorrentHandle>();
  readonly #adding = new Set<string>();
  /** Where torrents keep their content: two in one place would write over each other. */
  readonly #places = new Map<string, string>();
  #closing: Promise<void> | undefined;

  private constructor(options: ResolvedSessionOptions, listener: Listener, pacer: Pacer) {
    this.#listener = listener;
    const { resumeDirectory: directory } = options;
    this.#shared = {
      options,
      budget: new Budget(options),
      dialer: new Dialer({ localAddress: specific(options.bind), timeoutMs: options.dialTimeoutMs }),
      pacer,
      udp: new UdpClient(),
      journals:
        directory === undefined ? undefined : new JournalFolder({ directory, keepDays: options.resumeKeepDays }),
      runBuffers: new RunBuffers(),
      port: listener.port,
    };
    this.setLimits(options);
  }

  /** Opens the port. @throws SessionError `address-in-use`, `cannot-listen`; RangeError when a limit is out of range. */
  static async open(options: SessionOptions = {}): Promise<Session> {
    const resolved = resolveOptions(options);
    const late: { session?: Session } = {};
    const pacer = new Pacer();
    const listener = await Listener.open(
      {
        port: resolved.port,
        bind: resolved.bind,
        maxPending: resolved.maxPendingHandshakes,
        timeoutMs: resolved.handshakeTimeoutMs,
        // Strangers' bytes count too.
        limit: (socket) => socket.limit(pacer, pacer.down, pacer.up),
      },
      (peer) => (late.session === undefined ? peer.socket.destroy() : late.session.#introduced(peer)),
    );
    late.session = new Session(resolved, listener, pacer);
    return late.session;
  }

  /** The port peers reach us on. */
  get port(): number {
    return this.#listener.port;
  }

  get torrents(): readonly TorrentHandle[] {
    return [...this.#handles.values()];
  }

  /** Limits of all torrents together, from now on; what is left out stays. @throws RangeError when one is not above 0. */
  setLimits({ downloadBytesPerSecond, uploadBytesPerSecond }: RateLimits): void {
    const { pacer } = this.#shared;
    if (downloadBytesPerSecond !== undefined) pacer.down.bytesPerSecond = downloadBytesPerSecond;
    if (uploadBytesPerSecond !== undefined) pacer.up.bytesPerSecond = uploadBytesPerSecond;
    // Each plans with the lower of its own limits and these.
    for (const run of this.#runs.values()) run.setLimits({});
  }

  /**
   * Begins to announce and transfer. What the journal does not vouch for is hashed meanwhile, except with
   * `requireComplete`: then it is hashed first.
   * @throws SessionError `duplicate-torrent`, `place-in-use`, `incomplete`, `closed`; StorageError; the signal's reason.
   */
  async add(metainfo: Metainfo, options: AddOptions, signal?: AbortSignal): Promise<TorrentHandle> {
    const { infoHash } = metainfo;
    if (this.#closing !== undefined) throw new SessionError('closed', 'the session is closed', { infoHash });
    if (this.#handles.has(infoHash) || this.#adding.has(infoHash))
      throw new SessionError('duplicate-torrent', `"${metainfo.name}" is in this session already`, { infoHash });
    this.#takePlace(metainfo, options);
    this.#adding.add(infoHash);
    try {
      return await this.#start(metainfo, options, signal);
    } catch (error) {
      this.#places.delete(infoHash);
      throw error;
    } finally {
      this.#adding.delete(infoHash);
    }
  }

  /** Stops every torrent in parallel and closes the port. May be called again. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #closeAll(): Promise<void> {
    const { dialer, udp, budget, journals } = this.#shared;
    dialer.close();
    await Promise.all([this.#listener.close(), ...this.torrents.map((handle) => handle.stop())]);
    await Promise.all([udp[Symbol.asyncDispose](), budget[Symbol.asyncDispose](), journals?.close()]);
  }

  #takePlace(metainfo: Metainfo, options: AddOptions): void {
    if (options.storage !== undefined || options.directory === undefined) return;
    const { infoHash, name } = metainfo;
    // Without regard to case, as some file systems are.
    const place = path.resolve(options.directory, name).toLowerCase();
    if ([...this.#places.values()].includes(place)) {
      const what = `another torrent of this session is called "${name}" in the same folder: give one of them another folder`;
      throw new SessionError('place-in-use', what, { infoHash });
    }
    this.#places.set(infoHash, place);
  }

  #introduced(peer: Introduced): void {
    const driver = this.#drivers.get(peer.infoHash);
    if (driver === undefined) return peer.socket.destroy();
    driver.adopt(peer.socket, peer.endpoint, peer.bytes);
  }

  async #start(metainfo: Metainfo, options: AddOptions, signal?: AbortSignal): Promise<TorrentHandle> {
    const { infoHash, name } = metainfo;
    const late: { handle?: TorrentHandle } = {};
    const early: SessionReport[] = [];
    const onReport = (report: SessionReport): void => {
      if (late.handle === undefined) early.push(report);
      else late.handle.reported(report);
    };
    const opened = await openTorrent(this.#shared, metainfo, options, onReport, signal);
    const { run, driver, peerId, doubt } = opened;
    const close = (): Promise<void> => this.#remove(infoHash, opened);
    const handle = new TorrentHandle({ infoHash, name, peerId }, run, early, close);
    late.handle = handle;
    this.#drivers.set(infoHash, driver);
    this.#runs.set(infoHash, run);
    this.#handles.set(infoHash, handle);
    if (this.#closing !== undefined) {
      await handle.stop();
      throw new SessionError('closed', 'the session is closed', { infoHash });
    }
    if (options.sequential === true) driver.input({ type: 'sequential', on: true });
    run.start(doubt, options.onCheckProgress);
    if (options.peers !== undefined) driver.input({ type: 'peers-found', peers: options.peers, source: 'user' });
    return handle;
  }

  async #remove(infoHash: string, { run, journalFile }: OpenedTorrent): Promise<void> {
    await run.stop();
    if (journalFile !== undefined) await this.#shared.journals?.release(journalFile);
    this.#drivers.delete(infoHash);
    this.#runs.delete(infoHash);
    this.#handles.delete(infoHash);
    this.#places.delete(infoHash);
  }
}
