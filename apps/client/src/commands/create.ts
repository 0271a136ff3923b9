// `shoal create`: makes a .torrent file of a file or folder and tells its info-hash and magnet link.
import { writeFile } from 'node:fs/promises';
import { createMetainfo, formatMagnet, MetainfoError, type CreateOptions } from '@shoal/metainfo';
import { CommandError, type ExitName } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { bar, formatBytes, formatPercent } from '../render/text.ts';
import { onStop } from '../signals.ts';
import { version } from '../version.ts';

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

export async function create(source: string, flags: CreateFlags, output: Output): Promise<ExitName> {
  const stop = onStop();
  const { bytes, metainfo, skipped } = await make(source, flags, output, stop.signal).finally(() =>
    output.endProgress(),
  );
  for (const { path, reason } of skipped) output.warn(`${path} is not in the torrent: ${reason}`);
  for (const warning of metainfo.warnings) output.warn(warning);
  if (flags.output === '-') process.stdout.write(bytes);
  else await write(flags.output, bytes, flags.force);
  const magnet = formatMagnet({
    infoHash: metainfo.infoHash,
    name: metainfo.name,
    trackers: metainfo.announceTiers.flat(),
  });
  const { infoHash, name, geometry } = metainfo;
  if (flags.output !== '-') {
    output.data(`info-hash\t${infoHash}`);
    output.data(`magnet\t${magnet}`);
    output.data(`torrent\t${flags.output}`);
    const { totalLength, pieceCount, pieceLength } = geometry;
    const files = metainfo.files.length;
    output.result({
      ok: true,
      file: flags.output,
      infoHash,
      magnet,
      name,
      bytes: totalLength,
      pieces: pieceCount,
      pieceLength,
      files,
      skipped,
    });
  }
  return 'ok';
}

async function make(
  source: string,
  flags: CreateFlags,
  output: Output,
  signal: AbortSignal,
): ReturnType<typeof createMetainfo> {
  const options: CreateOptions = {
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
    onProgress: ({ hashedBytes, totalBytes }) =>
      output.progress(
        () => [
          `hashing ${bar(hashedBytes, totalBytes, 30)} ${formatPercent(hashedBytes, totalBytes).padStart(7)} of ${formatBytes(totalBytes)}`,
        ],
        performance.now(),
      ),
  };
  try {
    return await createMetainfo(source, options);
  } catch (error) {
    if (error instanceof MetainfoError) throw new CommandError('input', error.message, { cause: error });
    if (error instanceof RangeError) throw new CommandError('configuration', error.message, { cause: error });
    throw error;
  }
}

async function write(file: string, bytes: Uint8Array, force: boolean): Promise<void> {
  try {
    await writeFile(file, bytes, { flag: force ? 'w' : 'wx' });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new CommandError('disk', `${file} exists already; -f overwrites it`, { cause: error });
    throw new CommandError('disk', `cannot write ${file}: ${message}`, { cause: error });
  }
}
