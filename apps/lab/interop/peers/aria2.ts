// aria2c with one torrent, found through its trackers only.
import type { Program } from '../program.ts';
import { aria2c } from '../requirements.ts';
import { peerPort, type Scene } from '../scene.ts';
import type { Client, Job, Peer } from './peer.ts';

const dhtPort = peerPort + 1;

export const aria2: Client = {
  name: 'aria2',
  requirement: aria2c,
  async seed(scene, job) {
    const program = await start(scene, 'seed', job, '--check-integrity=true', '--bt-hash-check-seed=true');
    return peerOf(program, job, Promise.resolve());
  },
  async download(scene, job) {
    // aria2 tells by running a program; this one prints the arguments it gets: task id, number of files, first path.
    const program = await start(scene, 'download', job, '--on-bt-download-complete=/bin/echo');
    const told = program.heard('completing', (line) => /^[0-9a-f]{16} \d+ /.exec(line) ?? undefined);
    return peerOf(
      program,
      job,
      told.then(() => {}),
    );
  },
};

function start(
  scene: Scene,
  mode: 'seed' | 'download',
  { torrent, directory, address }: Job,
  ...more: readonly string[]
): Promise<Program> {
  const options = {
    'no-conf': true,
    'console-log-level': 'notice',
    'summary-interval': 0,
    'show-console-readout': false,
    'enable-color': false,
    // Turns on UDP trackers too; the distributed hash table itself has nobody to talk to here.
    'enable-dht': true,
    'dht-listen-port': dhtPort,
    'enable-dht6': false,
    'disable-ipv6': true,
    'bt-enable-lpd': false,
    'enable-peer-exchange': false,
    'follow-torrent': false,
    'file-allocation': 'none',
    'allow-overwrite': true,
    'seed-ratio': '0.0',
    interface: address,
    'listen-port': peerPort,
    dir: directory,
    'torrent-file': torrent,
  };
  const words = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  return scene.spawn(`aria2 ${mode}`, 'aria2c', ...words, ...more);
}

function peerOf(program: Program, { directory }: Job, complete: Promise<void>): Peer {
  return { directory, complete, stop: async () => void (await program.stop()) };
}
