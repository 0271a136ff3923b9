// python3-libtorrent, driven by the script beside this folder.
import { fileURLToPath } from 'node:url';
import { libtorrentModule, systemPython } from '../requirements.ts';
import type { Program } from '../program.ts';
import { peerPort, type Scene } from '../scene.ts';
import type { Client, Job, Peer } from './peer.ts';

const script = fileURLToPath(new URL('../libtorrent-peer.py', import.meta.url));

export const libtorrent: Client = {
  name: 'libtorrent',
  requirement: libtorrentModule,
  async seed(scene, job) {
    const program = await start(scene, 'seed', job);
    const peer = peerOf(program, job);
    await peer.complete;
    return peer;
  },
  async download(scene, job) {
    return peerOf(await start(scene, 'download', job), job);
  },
};

function start(scene: Scene, mode: 'seed' | 'download', { torrent, directory, address }: Job): Promise<Program> {
  return scene.spawn(`libtorrent ${mode}`, systemPython, script, mode, torrent, directory, address, String(peerPort));
}

function peerOf(program: Program, { directory }: Job): Peer {
  const complete = program.heard('completing', (line) => (line === 'complete' ? line : undefined)).then(() => {});
  return { directory, complete, stop: async () => void (await program.stop()) };
}
