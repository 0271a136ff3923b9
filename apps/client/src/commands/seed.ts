// `shoal seed`: gives what is on disk, complete, until told to stop. It downloads nothing.
import type { Metainfo } from '@shoal/metainfo';
import { SessionError } from '@shoal/session';
import { CommandError, type ExitName } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { table } from '../render/table.ts';
import { formatBytes } from '../render/text.ts';
import { runTransfer, type TransferRequest } from '../transfer-run.ts';
import { faultRows, faultSummary, verdictOf } from '../verdicts.ts';
import { magnetOf } from './show.ts';

export async function seed(sources: readonly string[], request: TransferRequest, output: Output): Promise<ExitName> {
  const { results, by } = await runTransfer(sources, request, output, async (torrents, open, { signal }) => {
    const transfer = await open();
    const rows = torrents.flatMap((metainfo) => [
      ['info-hash', metainfo.infoHash] as const,
      ['magnet', magnetOf(metainfo, request.trackers?.flat())] as const,
    ]);
    // Before the check, which may take long: this is what people wait for.
    output.data(table(rows, output.isForPeople).join('\n'));
    const troubles: Promise<never>[] = [];
    for (const metainfo of torrents) {
      const { handle, trouble } = await transfer
        .add(metainfo, signal, { requireComplete: true })
        .catch(async (error: unknown) => {
          throw (await incomplete(error, metainfo, request.directory, output)) ?? error;
        });
      output.info(`${handle.name}: seeding ${formatBytes(handle.snapshot().totalBytes)}`);
      troubles.push(trouble.promise);
    }
    await Promise.race(troubles);
  });
  output.result({ ok: true, torrents: results });
  if (by === undefined || by === 'unread') return 'ok';
  const sent = results.reduce((sum, result) => sum + result.uploadedBytes, 0);
  output.fail(by, `seeding ended; ${formatBytes(sent)} sent`);
  return by;
}

/** Files spelled out; --json has them all. */
const maxFiles = 20;

/** What is missing, when that is what `error` is about. */
async function incomplete(
  error: unknown,
  metainfo: Metainfo,
  directory: string,
  output: Output,
): Promise<CommandError | undefined> {
  if (!(error instanceof SessionError) || error.have === undefined) return undefined;
  const verdict = await verdictOf(metainfo, error.have, directory);
  const rows = table(faultRows(verdict), true);
  for (const row of rows.slice(0, maxFiles)) output.warn(row);
  if (rows.length > maxFiles) output.warn(`and ${rows.length - maxFiles} files more`);
  const { infoHash, name } = metainfo;
  const where = `"${name}" in ${directory}: ${faultSummary(verdict)}`;
  return new CommandError(
    'verification-failed',
    `${where}; shoal download fetches what is missing, then seeds with --seed`,
    {
      cause: error,
      facts: { name, infoHash, pieces: verdict.pieces, files: verdict.files },
    },
  );
}
