// Our own client: the `shoal` command as people run it.
import { fileURLToPath } from 'node:url';
import { describeExit, type Program } from '../program.ts';
import { peerPort, type Scene } from '../scene.ts';
import type { Client, Job, Peer } from './peer.ts';

const command = fileURLToPath(new URL('../../../client/src/main.ts', import.meta.url));

export const shoal: Client = {
  name: 'shoal',
  async seed(scene, job) {
    const program = await start(scene, 'seed', job, 'shoal seed');
    await program.heard('announcing', (line) => eventOf(line, 'announced'));
    return peerOf(program, job, Promise.resolve());
  },
  async download(scene, job) {
    const program = await start(scene, 'download', job, 'shoal download', '--seed');
    return peerOf(
      program,
      job,
      program.heard('completing', (line) => eventOf(line, 'completed')).then(() => {}),
    );
  },
};

/** Makes the torrent with `shoal create`; answers its info-hash. */
export async function createTorrent(
  scene: Scene,
  path: string,
  torrent: string,
  pieceLength: string,
  announceUrls: readonly string[],
): Promise<string> {
  const trackers = announceUrls.length === 0 ? [] : ['--announce', announceUrls.join(',')];
  const options = ['--piece-length', pieceLength, '--no-date', '--json', ...trackers];
  const program = await scene.spawn(
    'shoal create',
    process.execPath,
    command,
    'create',
    path,
    '-o',
    torrent,
    ...options,
  );
  const infoHash = await program.heard('naming the info-hash', (line) => /"infoHash":"([0-9a-f]{40})"/.exec(line)?.[1]);
  await program.succeeded();
  return infoHash;
}

async function start(
  scene: Scene,
  verb: 'seed' | 'download',
  { torrent, directory, address }: Job,
  name: string,
  ...more: readonly string[]
): Promise<Program> {
  const options = [
    '-d',
    directory,
    '--bind',
    address,
    '--port',
    String(peerPort),
    '--jsonl',
    '--interval-ms',
    '5000',
    '--no-resume',
  ];
  return scene.spawn(name, process.execPath, command, verb, torrent, ...options, ...more);
}

/** The event of that name, if the line is one. */
function eventOf(line: string, name: string): object | undefined {
  if (!line.startsWith(`{"event":"${name}"`)) return undefined;
  return JSON.parse(line) as object;
}

function peerOf(program: Program, { directory }: Job, complete: Promise<void>): Peer {
  const stop = async (): Promise<void> => {
    const exit = await program.stop();
    // 143: ended by SIGTERM, having said goodbye.
    if (exit.status !== 143) throw new Error(`${program.name} did not end as asked (${describeExit(exit)})`);
  };
  return { directory, complete, stop };
}
