// A web page in headless Chromium with npm webtorrent's browser build: a peer that can do nothing but WebRTC.
import { fileURLToPath } from 'node:url';
import { chromium as chromiumProgram } from '../requirements.ts';
import type { Scene } from '../scene.ts';
import type { Client, Job, Peer } from './peer.ts';

const script = fileURLToPath(new URL('../browser/main.ts', import.meta.url));

export const chromium: Client = {
  name: 'Chromium',
  requirement: chromiumProgram,
  seed: (scene, job) => start(scene, job, 'seed', 'seeding'),
  download: (scene, job) => start(scene, job, 'download', 'completed'),
};

async function start(scene: Scene, job: Job, mode: 'seed' | 'download', last: string): Promise<Peer> {
  const { torrent, directory } = job;
  const program = await scene.spawn(`Chromium ${mode}`, process.execPath, script, mode, torrent, directory);
  const complete = program.heard(last, (line) => (line === last ? line : undefined)).then(() => {});
  return { directory, complete, stop: async () => void (await program.stop()) };
}
