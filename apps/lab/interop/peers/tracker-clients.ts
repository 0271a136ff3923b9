// npm bittorrent-tracker's own client over WebSocket: two of them, connected to each other by the tracker's help.
import { fileURLToPath } from 'node:url';
import { webRtcPreload } from '../requirements.ts';
import type { Program } from '../program.ts';
import type { Scene } from '../scene.ts';

const script = fileURLToPath(new URL('../opponents/bittorrent-tracker-client.mjs', import.meta.url));

const infoHash = 'c3'.repeat(20);

/** Starts a seeding and a downloading client; settles when they are connected, each to the other, and have scraped both. */
export async function trackerClients(scene: Scene, url: string): Promise<void> {
  const [one, other] = ['a1'.repeat(20), 'b2'.repeat(20)];
  const seeding = await start(scene, url, one, 0);
  await seeding.heard('being answered', (line) => (/^counts 1 0 \d+$/.test(line) ? line : undefined));
  const downloading = await start(scene, url, other, 1000);
  await Promise.all([connected(seeding, other), connected(downloading, one), scraped(seeding), scraped(downloading)]);
}

function start(scene: Scene, url: string, peerId: string, left: number): Promise<Program> {
  const words = [process.execPath, '--import', webRtcPreload, script, url, infoHash, peerId, String(left)];
  return scene.spawn(`bittorrent-tracker client with ${left} left`, ...words);
}

async function connected(client: Program, peerId: string): Promise<void> {
  await client.heard('connecting', (line) => (line === `connected ${peerId}` ? line : undefined));
}

async function scraped(client: Program): Promise<void> {
  await client.heard('being counted', (line) => (line === 'scrape 1 1' ? line : undefined));
}
