// Many torrents on one port: listens, routes, shares files, hashes and buffers between torrents, and ends them all.
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Metainfo } from '@shoal/metainfo';
import type { Bitfield } from '@shoal/pieces';
import { FileStorage, HashPool, OpenFiles, OperationQueue, type Storage } from '@shoal/storage';
import { Torrent, type TorrentReport } from '@shoal/torrent';
import { TrackerTiers, UdpClient } from '@shoal/tracker-client';
import { Announcer } from './announcer.ts';
import { SessionError } from './errors.ts';
import { Listener, type Introduced } from './listener.ts';
import { resolveOptions, type AddOptions, type ResolvedSessionOptions, type SessionOptions } from './options.ts';
import { RunBuffers } from './run-buffers.ts';
import { Dialer } from './tcp.ts';
import { TorrentDriver } from './torrent-driver.ts';
import { TorrentHandle } from './torrent-handle.ts';

/** Blocks in one read of a seeder: 512 KiB, measured best. */
const maxRunBlocks = 32;
/** Of the time for goodbyes, what an announce under way may take before the `stopped`. */
const graceShare = 0.3;

export class Session implements AsyncDisposable {
  readonly #options: ResolvedSessionOptions;
  readonly #listener: Listener;
  readonly #dialer: Dialer;
  readonly #openFiles: OpenFiles;
  /** One queue for all torrents: a slow disk is shared fairly. */
  readonly #diskOperations = new OperationQueue();
  readonly #hashPool = new HashPool();
  /** One socket per family and one set of connection ids for all UDP trackers. */
  readonly #udp = new UdpClient();
  readonly #runBuffers = new RunBuffers(maxRunBlocks);
  readonly #drivers = new Map<string, TorrentDriver>();
  readonly #handles = new Map<string, TorrentHandle>();
  readonly #adding = new Set<string>();
  /** Where torrents keep their content: two in one place would write over each other. */
  readonly #places = new Map<string, string>();
  #closing: Promise<void> | undefined;

  private constructor(options: ResolvedSessionOptions, listener: Listener) {
    this.#options = options;
    this.#listener = listener;
    this.#dialer = new Dialer({ localAddress: specific(options.bind), timeoutMs: options.dialTimeoutMs });
    this.#openFiles = new OpenFiles({ limit: options.openFiles });
  }

  /** Opens the port. @throws SessionError `address-in-use`, `cannot-listen`. */
  static async open(options: SessionOptions = {}): Promise<Session> {
    const resolved = resolveOptions(options);
    const late: { session?: Session } = {};
    const listener = await Listener.open(
      {
        port: resolved.port,
        bind: resolved.bind,
        maxPending: resolved.maxPendingHandshakes,
        timeoutMs: resolved.handshakeTimeoutMs,
      },
      (peer) => (late.session === undefined ? peer.socket.destroy() : late.session.#introduced(peer)),
    );
    late.session = new Session(resolved, listener);
    return late.session;
  }

  /** The port peers reach us on. */
  get port(): number {
    return this.#listener.port;
  }

  get torrents(): readonly TorrentHandle[] {
    return [...this.#handles.values()];
  }

  /**
   * Checks what is there, then announces and transfers. Resolves when the check is done.
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
      const storage = await this.#storageFor(metainfo, options);
      try {
        return await this.#start(metainfo, storage, options, signal);
      } catch (error) {
        await storage.close();
        throw error;
      }
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
    this.#dialer.close();
    await Promise.all([this.#listener.close(), ...this.torrents.map((handle) => handle.stop())]);
    await Promise.all([this.#udp[Symbol.asyncDispose](), this.#hashPool.close()]);
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

  async #storageFor(metainfo: Metainfo, options: AddOptions): Promise<Storage> {
    if (options.storage !== undefined) return options.storage;
    if (options.directory === undefined) throw new TypeError('either directory or storage is required');
    return FileStorage.open({
      directory: options.directory,
      files: metainfo.files,
      openFiles: this.#openFiles,
      queue: this.#diskOperations,
    });
  }

  async #start(
    metainfo: Metainfo,
    storage: Storage,
    options: AddOptions,
    signal?: AbortSignal,
  ): Promise<TorrentHandle> {
    const { geometry, pieceHashes, infoHash, infoHashBytes } = metainfo;
    const have = await this.#hashPool.checkPieces(storage, geometry, pieceHashes, {
      ...(options.onCheckProgress === undefined ? {} : { onProgress: options.onCheckProgress }),
      ...(signal === undefined ? {} : { signal }),
    });
    if (!have.isFull && options.requireComplete === true) throw incomplete(metainfo, have);
    // Pieces say nothing of empty files, links, and bytes past a file's end.
    if (options.requireComplete !== true) await storage.prepare();
    if (this.#closing !== undefined) throw new SessionError('closed', 'the session is closed', { infoHash });
    const peerId = newPeerId(this.#options.peerIdPrefix);
    const torrent = new Torrent({ infoHash: infoHashBytes, geometry, isPrivate: metainfo.isPrivate }, have, {
      ...this.#torrentOptions(),
      peerId,
    });
    const driver = new TorrentDriver({
      torrent,
      geometry,
      pieceHashes,
      storage,
      hashPool: this.#hashPool,
      dialer: this.#dialer,
      announcer: this.#announcerFor(metainfo, peerId, options),
      runBuffers: this.#runBuffers,
      pieceBufferBytes: this.#options.pieceBufferBytes,
      onReport: (report: TorrentReport) => handle.reported(report),
    });
    const handle: TorrentHandle = new TorrentHandle(
      {
        infoHash,
        name: metainfo.name,
        peerId: Buffer.from(peerId).toString('hex'),
        driver,
        snapshot: () => torrent.snapshot(performance.now()),
        close: () => this.#remove(infoHash, driver, storage),
      },
      torrent.complete,
    );
    this.#drivers.set(infoHash, driver);
    this.#handles.set(infoHash, handle);
    driver.input({ type: 'started' });
    if (options.peers !== undefined) driver.input({ type: 'peers-found', peers: options.peers, source: 'user' });
    return handle;
  }

  async #remove(infoHash: string, driver: TorrentDriver, storage: Storage): Promise<void> {
    await driver.stop();
    this.#drivers.delete(infoHash);
    this.#handles.delete(infoHash);
    await storage.close();
    this.#places.delete(infoHash);
  }

  #announcerFor(metainfo: Metainfo, peerId: Uint8Array, options: AddOptions): Announcer {
    const tiers = options.trackers ?? metainfo.announceTiers;
    const localAddress = specific(this.#options.bind);
    const graceMs = this.#options.stopTimeoutMs * graceShare;
    return new Announcer({
      tiers:
        tiers.length === 0
          ? undefined
          : new TrackerTiers(tiers, {
              random: this.#options.random,
              udp: this.#udp,
              userAgent: this.#options.clientVersion,
              stopTimeoutMs: this.#options.stopTimeoutMs - graceMs,
              minimumInterval: this.#options.minAnnounceIntervalMs / 1000,
              ...(localAddress === undefined ? {} : { bindings: [{ localAddress }] }),
            }),
      infoHash: metainfo.infoHashBytes,
      peerId,
      port: this.port,
      key: randomBytes(4).toString('hex'),
      graceMs,
    });
  }

  #torrentOptions(): Omit<ConstructorParameters<typeof Torrent>[2], 'peerId'> {
    const { random, clientVersion, pieceBufferBytes, maxConnections, uploadSlots, retryMs, minAnnounceIntervalMs } =
      this.#options;
    return {
      random,
      listenPort: this.port,
      clientVersion,
      pieceBufferBytes,
      maxConnections,
      uploadSlots,
      retryMs,
      minAnnounceIntervalMs,
    };
  }
}

function incomplete(metainfo: Metainfo, have: Bitfield): SessionError {
  const missing = have.length - have.count;
  const what = `"${metainfo.name}": ${missing} of ${have.length} pieces are missing or wrong on disk`;
  return new SessionError('incomplete', what, { infoHash: metainfo.infoHash, have });
}

/** An address that sockets must be bound to; "all addresses" binds nothing. */
function specific(bind: string | undefined): string | undefined {
  return bind === '0.0.0.0' || bind === '::' ? undefined : bind;
}

/** BEP 20 style: a prefix that names the client, then letters and digits at random. */
function newPeerId(prefix: string): Uint8Array {
  const alphabet = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
  let text = prefix;
  for (const byte of randomBytes(20 - prefix.length)) text += alphabet[byte % alphabet.length];
  return new Uint8Array(Buffer.from(text, 'latin1'));
}
