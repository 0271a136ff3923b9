// `shoal seed`: gives what is on disk, complete, until told to stop.
import { Transfer, type TransferOptions } from '../transfer.ts';
import type { ExitName } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { formatBytes } from '../render/text.ts';
import { onStop } from '../signals.ts';
import { readTorrent } from '../source.ts';

export async function seed(sources: readonly string[], options: TransferOptions, output: Output): Promise<ExitName> {
  const stop = onStop();
  const torrents = [];
  for (const source of sources) torrents.push(await readTorrent(source));
  const transfer = await Transfer.open(output, options);
  try {
    for (const metainfo of torrents) {
      const { handle } = await transfer.add(metainfo, stop.signal, true);
      output.info(`${handle.name}: seeding ${formatBytes(handle.snapshot().totalBytes)}`);
    }
    const failures = transfer.torrents.map(async ({ handle }) => {
      throw await handle.failed;
    });
    await Promise.race([stop.asked, ...failures]);
  } catch (error) {
    if (stop.by() === undefined) throw error;
  } finally {
    await transfer.close();
  }
  output.result({ ok: true, torrents: transfer.results() });
  return stop.by() ?? 'ok';
}
