// How a torrent comes into being: storage, journal, what is trusted and what must be hashed, then everything around the
// torrent machine. Decides the order in which that is done and undone; nothing of what follows.
import { randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { Metainfo } from '@shoal/metainfo';
import { Bitfield, FileMap } from '@shoal/pieces';
import { FileStorage, type Storage } from '@shoal/storage';
import { Torrent } from '@shoal/torrent';
import { TrackerTiers, type UdpClient } from '@shoal/tracker-client';
import { Announcer } from './announcer.ts';
import type { Budget } from './budget.ts';
import { DiskTrouble } from './disk-trouble.ts';
import { SessionError } from './errors.ts';
import { FileSelection } from './file-selection.ts';
import type { JournalFolder } from './journal-folder.ts';
import type { AddOptions, ResolvedSessionOptions } from './options.ts';
import { PieceWork } from './piece-work.ts';
import type { Pacer } from './rate-limit/pacer.ts';
import { TorrentRates } from './rates.ts';
import { journalPath, resume, type Resumed } from './resume.ts';
import type { RunBuffers } from './run-buffers.ts';
import type { Dialer } from './tcp.ts';
import { TorrentDriver } from './torrent-driver.ts';
import { TorrentRun, type SessionReport } from './torrent-run.ts';

/** What the torrents of a session share. */
export interface SharedParts {
  readonly options: ResolvedSessionOptions;
  readonly budget: Budget;
  readonly dialer: Dialer;
  readonly pacer: Pacer;
  /** One socket per family and one set of connection ids for all UDP trackers. */
  readonly udp: UdpClient;
  readonly journals: JournalFolder | undefined;
  readonly runBuffers: RunBuffers;
  /** The port peers reach us on. */
  readonly port: number;
}

export interface OpenedTorrent {
  readonly run: TorrentRun;
  readonly driver: TorrentDriver;
  /** 40 hex digits. */
  readonly peerId: string;
  /** What must be hashed while it runs. */
  readonly doubt: Bitfield;
  readonly journalFile: string | undefined;
}

/** Of the time for goodbyes, what an announce under way may take before the `stopped`. */
const graceShare = 0.3;

/** @throws SessionError `incomplete`; StorageError; the signal's reason. Then nothing is left open. */
export async function openTorrent(
  shared: SharedParts,
  metainfo: Metainfo,
  options: AddOptions,
  onReport: (report: SessionReport) => void,
  signal?: AbortSignal,
): Promise<OpenedTorrent> {
  // Each of these steps takes tens of milliseconds of a torrent of 20,000 files: others get a turn in between.
  await turn();
  const selection = selectionFor(metainfo, options);
  await turn();
  const journalFile = journalPathIn(shared, metainfo, options)(options.directory);
  const storage = await storageFor(shared, metainfo, options, selection);
  let resumed: Resumed | undefined;
  try {
    const onError = ({ message }: Error): void => onReport({ type: 'journal-failed', reason: message });
    if (journalFile !== undefined) await shared.journals?.use(journalFile);
    resumed = await resume(metainfo, storage, journalFile, onError);
    await turn();
    const known =
      options.requireComplete === true ? await checked(shared, metainfo, storage, resumed, options, signal) : resumed;
    // Pieces say nothing of empty files, links, and bytes past a file's end.
    if (options.requireComplete !== true) {
      await resumed.journal?.writing();
      await storage.prepare(undefined, signal === undefined ? {} : { signal });
      await resumed.journal?.restamp();
    }
    signal?.throwIfAborted();
    return { ...assemble(shared, metainfo, options, { storage, selection, known }, onReport), journalFile };
  } catch (error) {
    await resumed?.journal?.close({ clean: false });
    if (journalFile !== undefined) await shared.journals?.release(journalFile);
    await storage.close();
    throw error;
  }
}

interface Content {
  readonly storage: Storage;
  readonly selection: FileSelection;
  readonly known: Resumed;
}

function assemble(
  shared: SharedParts,
  metainfo: Metainfo,
  options: AddOptions,
  { storage, selection, known }: Content,
  onReport: (report: SessionReport) => void,
): Omit<OpenedTorrent, 'journalFile'> {
  const { geometry, pieceHashes, infoHashBytes, isPrivate } = metainfo;
  const { budget, dialer, pacer, runBuffers } = shared;
  const { journal, have, doubt } = known;
  const peerId = newPeerId(shared.options.peerIdPrefix);
  const torrent = new Torrent(
    { infoHash: infoHashBytes, geometry, isPrivate },
    have,
    { ...torrentOptions(shared), peerId },
    { held: doubt },
  );
  const trouble = new DiskTrouble({
    suspended: (reason) => driver.input({ type: 'suspended', reason }),
    resumed: () => driver.input({ type: 'resumed' }),
  });
  const pieceWork = new PieceWork({
    geometry,
    pieceHashes,
    storage,
    hashPool: budget.hashPool,
    slabs: budget.slabs,
    runBuffers,
    journal,
    trouble,
    answer: (input) => driver.input(input),
  });
  const rates = new TorrentRates(pacer, options.limits);
  const driver: TorrentDriver = new TorrentDriver({
    torrent,
    pieceWork,
    dialer,
    announcer: announcerFor(shared, metainfo, peerId, options),
    rates,
    hasRoom: () => budget.hasRoom,
    onReport: (report) => run.reported(report),
  });
  const { random, flushTimeoutMs } = shared.options;
  const run: TorrentRun = new TorrentRun({
    metainfo,
    storage,
    journal,
    journalPathIn: journalPathIn(shared, metainfo, options),
    directory: options.directory,
    torrent,
    driver,
    pieceWork,
    trouble,
    rates,
    selection,
    budget,
    random,
    flushTimeoutMs,
    onReport,
  });
  return { run, driver, peerId: Buffer.from(peerId).toString('hex'), doubt };
}

function selectionFor({ files, geometry }: Metainfo, options: AddOptions): FileSelection {
  return new FileSelection({
    map: new FileMap(files.map((file) => file.length)),
    geometry,
    files,
    priorities: options.filePriorities ?? files.map(() => 'normal'),
    finishFilesFirst: options.finishFilesFirst ?? false,
  });
}

async function storageFor(
  { budget }: SharedParts,
  metainfo: Metainfo,
  options: AddOptions,
  selection: FileSelection,
): Promise<Storage> {
  const { storage, directory, preallocation } = options;
  const wanted = selection.wanted();
  if (storage !== undefined) {
    if (wanted.includes(false)) await storage.setWanted(wanted);
    return storage;
  }
  if (directory === undefined) throw new TypeError('either directory or storage is required');
  return FileStorage.open({
    directory,
    files: metainfo.files,
    openFiles: budget.openFiles,
    queue: budget.diskOperations,
    wanted,
    ...(preallocation === undefined ? {} : { preallocation }),
  });
}

function journalPathIn(
  { options: { resumeDirectory } }: SharedParts,
  { infoHash }: Metainfo,
  { storage }: AddOptions,
): (directory: string | undefined) => string | undefined {
  // Other storage has no files whose change could be told.
  return (directory) =>
    resumeDirectory === undefined || storage !== undefined || directory === undefined
      ? undefined
      : journalPath(resumeDirectory, infoHash, directory);
}

/** Who only gives wants to know first whether all is there. @throws SessionError `incomplete`. */
async function checked(
  { budget }: SharedParts,
  metainfo: Metainfo,
  storage: Storage,
  { journal, have, doubt }: Resumed,
  options: AddOptions,
  signal?: AbortSignal,
): Promise<Resumed> {
  const { geometry, pieceHashes } = metainfo;
  const onPiece = (piece: number, isGood: boolean): void => {
    if (!isGood) return journal?.lost(piece);
    have.add(piece);
    journal?.verified(piece);
  };
  if (!doubt.isEmpty)
    await budget.hashPool.checkPieces(storage, geometry, pieceHashes, {
      pieces: doubt.indices(),
      onPiece,
      ...(options.onCheckProgress === undefined ? {} : { onProgress: options.onCheckProgress }),
      ...(signal === undefined ? {} : { signal }),
    });
  if (have.isFull) return { journal, have, doubt: new Bitfield(geometry.pieceCount) };
  const missing = have.length - have.count;
  const what = `"${metainfo.name}": ${missing} of ${have.length} pieces are missing or wrong on disk`;
  throw new SessionError('incomplete', what, { infoHash: metainfo.infoHash, have });
}

function announcerFor(shared: SharedParts, metainfo: Metainfo, peerId: Uint8Array, options: AddOptions): Announcer {
  const { bind, random, clientVersion, stopTimeoutMs, minAnnounceIntervalMs } = shared.options;
  const tiers = options.trackers ?? metainfo.announceTiers;
  const localAddress = specific(bind);
  const graceMs = stopTimeoutMs * graceShare;
  return new Announcer({
    tiers:
      tiers.length === 0
        ? undefined
        : new TrackerTiers(tiers, {
            random,
            udp: shared.udp,
            userAgent: clientVersion,
            stopTimeoutMs: stopTimeoutMs - graceMs,
            minimumInterval: minAnnounceIntervalMs / 1000,
            ...(localAddress === undefined ? {} : { bindings: [{ localAddress }] }),
          }),
    infoHash: metainfo.infoHashBytes,
    peerId,
    port: shared.port,
    key: randomBytes(4).toString('hex'),
    graceMs,
  });
}

function torrentOptions({ options, port }: SharedParts): Omit<ConstructorParameters<typeof Torrent>[2], 'peerId'> {
  const { random, clientVersion, pieceBufferBytes, maxConnections, uploadSlots, retryMs, minAnnounceIntervalMs } =
    options;
  return {
    random,
    listenPort: port,
    clientVersion,
    pieceBufferBytes,
    maxConnections,
    ...(uploadSlots === undefined ? {} : { uploadSlots }),
    retryMs,
    minAnnounceIntervalMs,
  };
}

/** An address that sockets must be bound to; "all addresses" binds nothing. */
export function specific(bind: string | undefined): string | undefined {
  return bind === '0.0.0.0' || bind === '::' ? undefined : bind;
}

/** BEP 20 style: a prefix that names the client, then letters and digits at random. */
function newPeerId(prefix: string): Uint8Array {
  const alphabet = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
  let text = prefix;
  for (const byte of randomBytes(20 - prefix.length)) text += alphabet[byte % alphabet.length];
  return new Uint8Array(Buffer.from(text, 'latin1'));
}
