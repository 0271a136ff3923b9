// npm webtorrent in Node over WebRTC: `webtorrent-peer.mjs seed|download TORRENT DIRECTORY`. It meets others through the
// torrent's trackers only.
import { readFileSync } from 'node:fs';
import WebTorrent from 'webtorrent';

const [mode, torrent, directory] = process.argv.slice(2);
const elsewhere = { dht: false, lsd: false, utPex: false, natUpnp: false, natPmp: false, utp: false };
const client = new WebTorrent({ ...elsewhere, tracker: { rtcConfig: { iceServers: [] } } });
const fail = (error) => {
  console.error(error);
  process.exit(1);
};
client.on('error', fail);
const added = client.add(readFileSync(torrent), { path: directory });
added.on('error', fail);
added.on('warning', (warning) => console.error(`warning: ${warning.message ?? warning}`));
added.on('wire', (wire) => console.log(`wire ${wire.type}`));
added.on('done', () => console.log(mode === 'seed' ? 'seeding' : 'completed'));
process.once('SIGTERM', () => client.destroy(() => process.exit()));
