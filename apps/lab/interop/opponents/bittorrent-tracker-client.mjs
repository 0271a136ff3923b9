// npm bittorrent-tracker's client over WebSocket: `bittorrent-tracker-client.mjs URL INFO_HASH PEER_ID LEFT`, ids in
// hexadecimal. It says what the tracker answers, and when it is connected to another client by the tracker's help.
import Client from 'bittorrent-tracker';

const [announce, infoHash, peerId, left] = process.argv.slice(2);
const client = new Client({ infoHash, peerId, announce, port: 6881, rtcConfig: { iceServers: [] } });
client.on('error', (error) => {
  console.error(error);
  process.exit(1);
});
client.on('warning', (warning) => console.error(`warning: ${warning.message}`));
client.on('update', ({ complete, incomplete, interval }) =>
  console.log(`counts ${complete} ${incomplete} ${interval}`),
);
client.on('scrape', ({ complete, incomplete }) => console.log(`scrape ${complete} ${incomplete}`));
client.on('peer', (peer) => {
  peer.on('error', (error) => console.error(`peer: ${error.message}`));
  peer.on('connect', () => {
    console.log(`connected ${peer.id}`);
    client.scrape();
  });
});
client.start({ left: Number(left) });
process.once('SIGTERM', () => client.stop());
