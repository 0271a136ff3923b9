// A seeder that is up, and where: what most tests of downloading begin with.
import { start, type Run } from './command.ts';
import type { Content } from './content.ts';

export const loopback: readonly string[] = ['--port', '0', '--bind', '127.0.0.1'];

export interface Seeder {
  readonly run: Run;
  readonly host: string;
  readonly port: number;
  /** For `--peer`. */
  readonly peer: string;
}

export async function seeding(content: Content, ...words: string[]): Promise<Seeder> {
  const run = start(['seed', content.torrent, '-d', content.folder, ...loopback, '--jsonl', ...words]);
  const port = Number((await run.until('listening'))['port']);
  await run.until('added');
  return { run, host: '127.0.0.1', port, peer: `127.0.0.1:${port}` };
}
