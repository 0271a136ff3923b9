// A population that never stays: newcomers over UDP and HTTP who announce once and are silent until they expire, torrents
// that nobody asks for again, WebTorrent peers who come, offer, answer and go. A process of its own.
// usage: crowd.ts UDP_PORT HTTP_PORT ADDRESS
import { createSocket } from 'node:dgram';
import { type Socket, connect } from 'node:net';
import { WebSocket } from 'ws';
import { peerAddress } from '../network.ts';

/** Announces a second, sent in portions so many ms apart. */
const udpPerSecond = 4000;
const httpPerSecond = 400;
const webSocketsPerSecond = 10;
const portionMs = 10;

/** Every newcomer speaks from one of these: nobody has more ports in a swarm than an address may list. */
const addresses = 120;

/** Torrents at a time, the first of them much more asked for than the last; all are others after so many ms. */
const torrents = 20_000;
const torrentsLastMs = 90_000;

/** How long a WebTorrent peer stays, in ms. */
const stayMs = 30_000;

/** Seeds among newcomers; goodbyes among announces. */
const [seedShare, goodbyeShare] = [0.3, 0.1];

const [udpPort, httpPort, host = ''] = process.argv.slice(2);
const random = Math.random;

interface Newcomer {
  readonly infoHash: Buffer;
  readonly peerId: Buffer;
  readonly port: number;
  readonly seeding: boolean;
}

function newcomer(): Newcomer {
  const infoHash = Buffer.alloc(20, Math.floor(performance.now() / torrentsLastMs));
  infoHash.writeUInt32BE(Math.floor(random() ** 3 * torrents), 8);
  const peerId = Buffer.from(`-SH0001-${random().toString(36).padEnd(14, '0').slice(2, 14)}`);
  return { infoHash, peerId, port: 1024 + Math.floor(random() * 64_000), seeding: random() < seedShare };
}

await Promise.all(Array.from({ length: addresses }, (_, index) => speakUdp(index)));
for (let client = 0; client < 32; client++) speakHttp(client);
setInterval(speakWebSocket, 1000 / webSocketsPerSecond);
console.log(JSON.stringify({ event: 'crowd' }));

/** Announces from one address, with a connection id that is taken anew before it is too old. */
async function speakUdp(index: number): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, peerAddress(index), resolve));
  const connectionId = Buffer.alloc(8);
  socket.on('error', () => {});
  socket.on('message', (answer) => {
    if (answer.length === 16 && answer.readUInt32BE(0) === 0) answer.copy(connectionId, 0, 8);
  });
  const toTracker = (bytes: Buffer): void => socket.send(bytes, Number(udpPort), host);
  const ask = (): void => toTracker(Buffer.from('0000041727101980000000000000c0de', 'hex'));
  ask();
  setInterval(ask, 60_000);
  let due = 0;
  setInterval(() => {
    for (due += (udpPerSecond / addresses) * (portionMs / 1000); due >= 1; due--) announceUdp(toTracker, connectionId);
  }, portionMs);
}

let lastUdp: Buffer | undefined;

function announceUdp(send: (bytes: Buffer) => void, connectionId: Buffer): void {
  const { infoHash, peerId, port, seeding } = newcomer();
  const bytes = Buffer.alloc(98);
  connectionId.copy(bytes, 0);
  bytes.writeUInt32BE(1, 8);
  bytes.writeUInt32BE(port, 12);
  infoHash.copy(bytes, 16);
  peerId.copy(bytes, 36);
  bytes.writeUInt32BE(seeding ? 0 : 1, 68);
  bytes.writeUInt32BE(2, 80);
  bytes.writeInt32BE(-1, 92);
  bytes.writeUInt16BE(port, 96);
  send(bytes);
  if (lastUdp !== undefined && random() < goodbyeShare) {
    connectionId.copy(lastUdp, 0);
    lastUdp.writeUInt32BE(3, 80);
    send(lastUdp);
  }
  lastUdp = bytes;
}

/** One announce after the other, over a connection that is opened anew when the tracker has closed it. */
function speakHttp(client: number): void {
  let socket: Socket | undefined;
  setInterval(() => {
    const { infoHash, peerId, port, seeding } = newcomer();
    const hash = infoHash.toString('hex').replaceAll(/../g, '%$&');
    const query = `info_hash=${hash}&peer_id=${peerId.toString('latin1')}&port=${port}&left=${seeding ? 0 : 1}`;
    const compact = random() < 0.9 ? '&compact=1' : '';
    if (socket === undefined || socket.destroyed) {
      socket = connect({ port: Number(httpPort), host, localAddress: peerAddress(client) });
      socket.on('error', () => {});
      socket.resume();
    }
    socket.write(`GET /announce?${query}${compact} HTTP/1.1\r\nHost: tracker\r\n\r\n`);
    if (random() < 0.02) socket.end();
  }, 32_000 / httpPerSecond);
}

/** Comes, offers five connections, answers what it is offered, announces once more, goes. */
function speakWebSocket(): void {
  const { infoHash, peerId, seeding } = newcomer();
  const [hash, id] = [infoHash.toString('latin1'), peerId.toString('latin1')];
  const socket = new WebSocket(`ws://${host}:${httpPort}/`, {
    localAddress: peerAddress(Math.floor(random() * addresses)),
  });
  const announce = (): void => {
    const offers = Array.from({ length: 5 }, () => ({
      offer_id: random().toString(36).padEnd(22, '0').slice(2, 22),
      offer: { type: 'offer', sdp: 'v=0\r\n'.repeat(200) },
    }));
    const left = seeding ? 0 : 1;
    // Few torrents, or nobody would ever meet.
    const head = { action: 'announce', info_hash: hash, peer_id: id, left, numwant: 5 };
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify({ ...head, offers }));
  };
  socket.on('error', () => {});
  socket.on('open', () => {
    announce();
    setTimeout(announce, stayMs / 2);
    setTimeout(() => (random() < 0.5 ? socket.close() : socket.terminate()), stayMs);
  });
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as Record<string, unknown>;
    if (message['offer'] === undefined) return;
    const { peer_id: to, offer_id: offerId } = message;
    const answer = { type: 'answer', sdp: 'v=0\r\n'.repeat(200) };
    const head = { action: 'announce', info_hash: hash, peer_id: id, to_peer_id: to, offer_id: offerId };
    socket.send(JSON.stringify({ ...head, answer }));
  });
}
