// `shoal verify`: compares content on disk with a torrent and says which files and pieces are missing or wrong.
import { lstat, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Metainfo } from '@shoal/metainfo';
import { FileStorage, HashPool } from '@shoal/storage';
import { CommandError, type ExitName } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { checkPicture } from '../render/picture.ts';
import { table } from '../render/table.ts';
import { onStop } from '../signals.ts';
import { readTorrent } from '../source.ts';
import { faultRows, faultSummary, verdictOf, type Verdict } from '../verdicts.ts';

/** A check is told to programs at most this often. */
const checkEventMs = 250;

export async function verify(source: string, place: string, output: Output): Promise<ExitName> {
  const stop = onStop();
  try {
    const metainfo = await readTorrent(source, stop.signal);
    for (const warning of metainfo.warnings) output.detail(warning);
    return tell(metainfo, await check(metainfo, await contentAt(place, metainfo), output, stop.signal), output);
  } catch (error) {
    throw stop.failure('not everything was checked') ?? error;
  } finally {
    output.endProgress();
  }
}

/** Where content lies: each file's path is relative to the directory. */
interface Content {
  readonly directory: string;
  readonly places: readonly (readonly string[])[];
}

async function check(metainfo: Metainfo, content: Content, output: Output, signal: AbortSignal): Promise<Verdict> {
  const { geometry, pieceHashes, name, infoHash } = metainfo;
  const { directory, places } = content;
  const files = metainfo.files.map((file, index) => ({ ...file, path: places[index] ?? file.path }));
  await using storage = await FileStorage.open({ directory, files });
  let toldAt = -Infinity;
  const onProgress = (checked: number, total: number): void => {
    const now = performance.now();
    const work = { verb: 'checking', what: name, done: checked, total, amount: `of ${total} pieces` };
    output.progress(checkPicture(work, output.paint), now);
    if (checked < total && now - toldAt < checkEventMs) return;
    toldAt = now;
    output.event('checking', { infoHash, name, checked, total });
  };
  await using hashPool = new HashPool();
  const good = await hashPool.checkPieces(storage, geometry, pieceHashes, { signal, onProgress });
  return verdictOf(metainfo, good, directory, places);
}

/**
 * `place` is the folder that holds the torrent's name, or the file or folder itself, whatever it is called now. When
 * both are possible, the one that holds more of the torrent's files is meant.
 */
async function contentAt(place: string, metainfo: Metainfo): Promise<Content> {
  // A link that the person names is followed; links inside the content are not.
  const absolute = await realpath(place).catch((cause: unknown) => {
    throw new CommandError('input', `${place}: no such file or folder`, { cause });
  });
  const paths = metainfo.files.map((file) => file.path);
  const inside = { directory: absolute, places: paths };
  const renamed = paths.map(([, ...rest]) => [path.basename(absolute), ...rest]);
  const itself = { directory: path.dirname(absolute), places: renamed };
  if ((await stat(absolute)).isDirectory() !== metainfo.isMultiFile) {
    if (!metainfo.isMultiFile) return inside;
    throw new CommandError(
      'input',
      `${place} is a file, but "${metainfo.name}" is a folder: give that folder or the one it is in`,
    );
  }
  if (!metainfo.isMultiFile) return itself;
  return (await presentFiles(itself)) > (await presentFiles(inside)) ? itself : inside;
}

async function presentFiles({ directory, places }: Content): Promise<number> {
  let present = 0;
  for (const place of places)
    if (
      await lstat(path.join(directory, ...place)).then(
        (found) => found.isFile(),
        () => false,
      )
    )
      present++;
  return present;
}

function tell(metainfo: Metainfo, verdict: Verdict, output: Output): ExitName {
  const { name, infoHash } = metainfo;
  const { ok, pieces, files } = verdict;
  output.endProgress();
  if (ok) {
    output.data(output.paintData('green', `${name}: all ${pieces.total} pieces and ${files.length} files are right`));
    output.result({ ok, name, infoHash, pieces, files });
    return 'ok';
  }
  const rows = table(faultRows(verdict), output.isForPeople);
  if (rows.length > 0) output.data(rows.join('\n'));
  const hint = 'shoal download fetches what is missing';
  throw new CommandError('verification-failed', `${name}: ${faultSummary(verdict)}; ${hint}`, {
    facts: { name, infoHash, pieces, files },
  });
}
