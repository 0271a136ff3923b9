// npm webtorrent in Node, over WebRTC alone: it meets others through WebSocket trackers.
import { fileURLToPath } from 'node:url';
import { webRtcInNode, webRtcPreload } from '../requirements.ts';
import type { Scene } from '../scene.ts';
import type { Client, Job, Peer } from './peer.ts';

const script = fileURLToPath(new URL('../opponents/webtorrent-peer.mjs', import.meta.url));

export const webtorrent: Client = {
  name: 'webtorrent',
  requirement: webRtcInNode,
  seed: (scene, job) => start(scene, job, 'seed', 'seeding'),
  download: (scene, job) => start(scene, job, 'download', 'completed'),
};

async function start(scene: Scene, job: Job, mode: 'seed' | 'download', last: string): Promise<Peer> {
  const { torrent, directory } = job;
  const words = ['--import', webRtcPreload, script, mode, torrent, directory];
  const program = await scene.spawn(`webtorrent ${mode}`, process.execPath, ...words);
  const complete = program.heard(last, (line) => (line === last ? line : undefined)).then(() => {});
  return { directory, complete, stop: async () => void (await program.stop()) };
}
