// npm webtorrent as a plain seeder or downloader. usage: webtorrent.mjs seed|leech TORRENT DIR PORT [PEER]...
import { readFileSync } from 'node:fs';
import WebTorrent from 'webtorrent';

const [mode, torrent, directory, port, ...peers] = process.argv.slice(2);
const client = new WebTorrent({
  torrentPort: Number(port),
  dht: false,
  lsd: false,
  utPex: false,
  natUpnp: false,
  natPmp: false,
  utp: false,
  secure: 0,
});
client.on('error', (error) => console.log('ERROR', error.message));
const added = client.add(readFileSync(torrent), { path: directory });
added.on('ready', () => {
  console.log('LISTENING');
  for (const peer of peers) added.addPeer(peer);
});
added.on('done', () => console.log(mode === 'seed' ? 'READY' : 'DONE'));
