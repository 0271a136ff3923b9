// `shoal create`: makes a .torrent file of a file or folder and tells its info-hash and magnet link.
import { constants } from 'node:fs';
import { access, lstat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createMetainfo, type CreatedMetainfo, type CreateOptions } from '@shoal/metainfo';
import { CommandError, type ExitName } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { checkPicture } from '../render/picture.ts';
import { table } from '../render/table.ts';
import { formatBytes } from '../render/text.ts';
import { onStop } from '../signals.ts';
import { version } from '../version.ts';
import { magnetOf } from './show.ts';

export interface CreateFlags {
  /** A path, or `-` for standard output. */
  readonly output: string;
  /** One tier each; a comma separates the trackers of one tier. */
  readonly announce: readonly string[];
  readonly pieceLength: number | 'auto';
  readonly private: boolean;
  readonly source: string | undefined;
  readonly comment: string | undefined;
  readonly name: string | undefined;
  readonly webSeed: readonly string[];
  readonly date: boolean;
  readonly force: boolean;
}

/** Progress is told to programs at most this often. */
const eventIntervalMs = 250;

export async function create(source: string, flags: CreateFlags, output: Output): Promise<ExitName> {
  const stop = onStop();
  const { output: file } = flags;
  if (file !== '-') await requireWritable(file, flags.force);
  else if (output.isForPeople)
    throw new CommandError('usage', '-o - writes a .torrent file, which a terminal cannot show: redirect it');
  const { bytes, metainfo, skipped } = await make(source, flags, output, stop.signal).catch((error: unknown) => {
    throw stop.failure(`${file === '-' ? 'nothing' : file} was not written`) ?? error;
  });
  output.endProgress();
  for (const { path: left, reason } of skipped) output.warn(`${left} is not in the torrent: ${reason}`);
  for (const warning of metainfo.warnings) output.warn(warning);
  if (flags.announce.length === 0)
    output.warn('the torrent names no tracker (-a): downloaders must be told of peers by hand');
  if (file === '-') process.stdout.write(bytes);
  else await write(file, bytes, flags.force);
  const { infoHash, name, geometry } = metainfo;
  const { totalLength, pieceCount, pieceLength } = geometry;
  const magnet = magnetOf(metainfo);
  const rows = table(
    [
      ['info-hash', infoHash],
      ['magnet', magnet],
      ['torrent', file],
    ],
    output.isForPeople,
  );
  if (file === '-') for (const row of rows.slice(0, -1)) output.info(row.replace('\t', ' '));
  else output.data(rows.join('\n'));
  const files = metainfo.files.length;
  const facts = { infoHash, magnet, name, bytes: totalLength, pieces: pieceCount, pieceLength, files };
  output.result({ ok: true, file, ...facts, skipped });
  return 'ok';
}

async function make(source: string, flags: CreateFlags, output: Output, signal: AbortSignal): Promise<CreatedMetainfo> {
  let toldAt = -Infinity;
  const onProgress: CreateOptions['onProgress'] = ({ hashedBytes, totalBytes }) => {
    const now = performance.now();
    const amount = `of ${formatBytes(totalBytes)}`;
    const work = { verb: 'hashing', what: path.basename(source), done: hashedBytes, total: totalBytes, amount };
    output.progress(checkPicture(work, output.paint), now);
    if (hashedBytes < totalBytes && now - toldAt < eventIntervalMs) return;
    toldAt = now;
    output.event('hashing', { hashedBytes, totalBytes });
  };
  try {
    return await createMetainfo(source, {
      announceTiers: flags.announce.map((tier) => tier.split(',').map((url) => url.trim())),
      pieceLength: flags.pieceLength,
      isPrivate: flags.private,
      source: flags.source,
      comment: flags.comment,
      name: flags.name,
      webSeeds: flags.webSeed,
      createdBy: `Shoal ${version()}`,
      creationDate: flags.date ? Math.floor(Date.now() / 1000) : undefined,
      signal,
      onProgress,
    });
  } catch (error) {
    if (error instanceof RangeError) throw new CommandError('configuration', error.message, { cause: error });
    throw error;
  }
}

const exists = (file: string, cause?: unknown): CommandError =>
  new CommandError('disk', `${file} exists already; -f overwrites it`, { cause });

/** Said before hours of hashing, not after. */
async function requireWritable(file: string, force: boolean): Promise<void> {
  if (
    !force &&
    (await lstat(file).then(
      () => true,
      () => false,
    ))
  )
    throw exists(file);
  try {
    await access(path.dirname(path.resolve(file)), constants.W_OK);
  } catch (error) {
    throw writeFailure(file, error);
  }
}

async function write(file: string, bytes: Uint8Array, force: boolean): Promise<void> {
  try {
    await writeFile(file, bytes, { flag: force ? 'w' : 'wx' });
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? exists(file, error) : writeFailure(file, error);
  }
}

function writeFailure(file: string, cause: unknown): CommandError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const why: Readonly<Partial<Record<string, string>>> = {
    ENOENT: 'the folder it would be in does not exist; make it first',
    ENOTDIR: 'what it would be in is not a folder',
    EACCES: 'the system does not allow it; choose another place',
    EISDIR: 'it is a folder; name the file to write',
    ENOSPC: 'the disk is full; free some space',
  };
  return new CommandError('disk', `cannot write ${file}: ${why[code ?? ''] ?? message}`, { cause });
}
