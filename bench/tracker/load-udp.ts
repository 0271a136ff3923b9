// Announces over UDP: a fixed number always outstanding, over several sockets with an address of their own each, every
// one with a connection id that the tracker gave it. BEP 15.
import { type Socket, createSocket } from 'node:dgram';
import { type Newcomer, infoHashes, newcomers, wantedPeers } from './population.ts';
import type { Tally } from './tally.ts';

/** Sockets and so source addresses, 127.0.0.2 and up: a tracker meets many addresses, not one with thousands of ports. */
const socketCount = 64;

/** opentracker's default receive buffer holds some 190 small datagrams: more outstanding ones would measure that. */
const outstanding = 128;

/** Nothing on loopback takes this long: it was dropped. */
const lostAfterMs = 1000;

interface Place {
  readonly socket: Socket;
  readonly request: Buffer;
  sentAt: number;
}

/** Starts announcing to `127.0.0.1:port` and goes on until the process ends. */
export async function loadUdp(port: number, tally: Tally): Promise<void> {
  const places: Place[] = [];
  const send = sender(places, tally);
  const sockets = await Promise.all(Array.from({ length: socketCount }, (_, index) => open(index, port)));
  const connectionIds = await Promise.all(sockets.map((socket) => connect(socket)));
  for (let index = 0; index < outstanding; index++) {
    const request = Buffer.alloc(98);
    connectionIds[index % socketCount]!.copy(request, 0);
    places.push({ socket: sockets[index % socketCount]!, request, sentAt: 0 });
  }
  for (const socket of sockets) socket.on('message', (answer) => receive(answer, places, tally, send));
  for (const index of places.keys()) send(index);
}

function receive(answer: Buffer, places: readonly Place[], tally: Tally, send: (index: number) => void): void {
  const index = (answer[7] ?? 0) & 0x7f;
  const place = places[index]!;
  // An answer that comes after it was counted as lost.
  if (answer.length < 8 || answer.readUInt32BE(4) !== place.request.readUInt32BE(12)) return;
  if (answer.readUInt32BE(0) === 1) tally.answer((answer.length - 20) / 6, performance.now() - place.sentAt);
  else tally.refusal(answer.toString('latin1', 8));
  send(index);
}

/** Sends the next announce of a place; the low seven bits of its transaction id say which place it is. */
function sender(places: readonly Place[], tally: Tally): (index: number) => void {
  const next = newcomers();
  const hashes = infoHashes();
  let sequence = 0;
  const send = (index: number): void => {
    const place = places[index]!;
    sequence = (sequence + 1) & 0xff_ffff;
    place.request.writeUInt32BE(1, 8);
    place.request.writeUInt32BE(sequence * 128 + index, 12);
    write(place.request, next(), hashes);
    place.sentAt = performance.now();
    place.socket.send(place.request);
  };
  setInterval(() => {
    const before = performance.now() - lostAfterMs;
    for (const [index, place] of places.entries()) {
      if (place.sentAt > before) continue;
      tally.loss();
      send(index);
    }
  }, lostAfterMs / 10);
  return send;
}

function write(request: Buffer, { torrent, peerId, port, left }: Newcomer, hashes: readonly Uint8Array[]): void {
  request.set(hashes[torrent]!, 16);
  request.set(peerId, 36);
  request.writeUInt32BE(left, 68);
  // A newcomer has started.
  request.writeUInt32BE(2, 80);
  request.writeUInt32BE(wantedPeers, 92);
  request.writeUInt16BE(port, 96);
}

async function open(index: number, port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, `127.0.0.${2 + index}`, resolve));
  await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve));
  // A port nobody listens on: what was sent is counted as lost.
  socket.on('error', () => {});
  return socket;
}

/** The eight bytes that the tracker gave this address. */
async function connect(socket: Socket): Promise<Buffer> {
  const request = Buffer.from('0000041727101980000000000000c0de', 'hex');
  const timer = setInterval(() => socket.send(request), lostAfterMs / 10);
  socket.send(request);
  try {
    return await new Promise<Buffer>((resolve) => {
      socket.on('message', (answer) => {
        if (answer.length >= 16 && answer.readUInt32BE(0) === 0) resolve(answer.subarray(8, 16));
      });
    });
  } finally {
    clearInterval(timer);
    socket.removeAllListeners('message');
  }
}
