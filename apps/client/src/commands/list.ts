// `shoal download --list`: the files of torrents with their numbers, and what the given choice makes of them.
import type { ExitName } from '../exit-codes.ts';
import { listedFiles, prioritiesOf, type FileChoice } from '../file-choice.ts';
import type { Output } from '../output.ts';
import { table, type Row } from '../render/table.ts';
import { formatBytes } from '../render/text.ts';
import { onStop } from '../signals.ts';
import { readTorrents } from '../source.ts';

export async function list(sources: readonly string[], choice: FileChoice, output: Output): Promise<ExitName> {
  const torrents = await readTorrents(sources, onStop().signal);
  const priorities = prioritiesOf(torrents, choice);
  const listed = torrents.map((metainfo, i) => ({
    infoHash: metainfo.infoHash,
    name: metainfo.name,
    files: listedFiles(metainfo).map(({ number, index, path, length }) => ({
      number,
      path,
      length,
      priority: priorities[i]?.[index] ?? 'normal',
    })),
  }));
  const size = (bytes: number): string => (output.isForPeople ? formatBytes(bytes) : String(bytes));
  const rows = listed.flatMap(({ files }) =>
    files.map(({ number, path, length, priority }): Row => [String(number), path, size(length), priority]),
  );
  output.data(table(rows, output.isForPeople).join('\n'));
  output.result({ ok: true, torrents: listed });
  return 'ok';
}
