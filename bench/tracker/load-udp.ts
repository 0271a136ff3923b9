// Connects, announces and scrapes over UDP: a window of requests always outstanding or a fixed number in a second, over
// sockets with an address of their own each, with connection ids that the tracker gave them. BEP 15.
import { type Socket, createSocket } from 'node:dgram';
import { type Population, addressCount, wantedPeers } from './population.ts';
import type { Tally } from './tally.ts';

/** Weights of connects, announces and scrapes. */
export type Mix = readonly [connects: number, announces: number, scrapes: number];

/** opentracker's default receive buffer holds some 190 small datagrams: more outstanding ones would measure that. */
const windowSize = 128;

/** Of requests that are sent at their time and not after an answer; what finds all of these waiting counts as lost. */
const openWindowSize = 4096;

/** Nothing on loopback takes this long: it was dropped. */
const lostAfterMs = 1000;

/** Torrents of a scrape, as in aquatic's load test. */
const scrapedTorrents = 10;

const announceBytes = 98;
const action = { connect: 0, announce: 1, scrape: 2 } as const;

interface Place {
  readonly buffer: Buffer;
  /** Requests by kind: views of `buffer` of the right length. */
  readonly requests: readonly [Buffer, Buffer, Buffer];
  /** The socket that the outstanding request went out of. */
  address: number;
  transaction: number;
  sentAt: number;
  waiting: boolean;
}

/** Starts asking `127.0.0.1:port` and goes on until the process ends; `perSecond` 0 keeps the window full instead. */
export async function loadUdp(
  port: number,
  mix: Mix,
  perSecond: number,
  population: Population,
  tally: Tally,
): Promise<void> {
  const sockets = await Promise.all(Array.from({ length: addressCount }, (_, index) => open(index, port)));
  const connectionIds = await Promise.all(sockets.map((socket) => connect(socket)));
  new Load({ sockets, connectionIds, mix, perSecond, population, tally }).start();
}

interface LoadParts {
  readonly sockets: readonly Socket[];
  /** As the tracker gave them last, by socket. */
  readonly connectionIds: Buffer[];
  readonly mix: Mix;
  readonly perSecond: number;
  readonly population: Population;
  readonly tally: Tally;
}

class Load {
  readonly #parts: LoadParts;
  readonly #places: Place[];
  readonly #free: number[] = [];
  readonly #connectShare: number;
  readonly #announceShare: number;
  #sequence = 0;

  constructor(parts: LoadParts) {
    this.#parts = parts;
    const { mix, perSecond } = parts;
    const [connects, announces, scrapes] = mix;
    this.#connectShare = connects / (connects + announces + scrapes);
    this.#announceShare = (connects + announces) / (connects + announces + scrapes);
    this.#places = Array.from({ length: perSecond === 0 ? windowSize : openWindowSize }, newPlace);
  }

  start(): void {
    const { sockets, perSecond } = this.#parts;
    for (const [address, socket] of sockets.entries()) {
      socket.removeAllListeners('message');
      socket.on('message', (answer) => this.#receive(answer, address));
    }
    setInterval(() => this.#giveUp(), lostAfterMs / 10);
    if (perSecond === 0) for (const index of this.#places.keys()) this.#send(index);
    else this.#keepTime(perSecond);
  }

  /** Sends what is due at every millisecond, whether or not answers come. */
  #keepTime(perSecond: number): void {
    for (const index of this.#places.keys()) this.#free.push(index);
    let sent = 0;
    const startedAt = performance.now();
    setInterval(() => {
      const due = ((performance.now() - startedAt) / 1000) * perSecond;
      for (; sent < due; sent++) {
        const index = this.#free.pop();
        if (index === undefined) this.#parts.tally.loss();
        else this.#send(index);
      }
    }, 1);
  }

  #receive(answer: Buffer, address: number): void {
    if (answer.length < 8) return;
    const transaction = answer.readUInt32BE(4);
    const place = this.#places[transaction & (openWindowSize - 1)];
    // An answer that comes after it was counted as lost.
    if (place === undefined || !place.waiting || place.transaction !== transaction || place.address !== address) return;
    const { tally, connectionIds } = this.#parts;
    const kind = answer.readUInt32BE(0);
    const latencyMs = performance.now() - place.sentAt;
    if (kind === action.announce) tally.answer(latencyMs, (answer.length - 20) / 6);
    else if (kind === action.connect || kind === action.scrape) tally.answer(latencyMs);
    else tally.refusal(answer.toString('latin1', 8));
    if (kind === action.connect) answer.copy(connectionIds[address]!, 0, 8, 16);
    this.#again(transaction & (openWindowSize - 1));
  }

  #again(index: number): void {
    this.#places[index]!.waiting = false;
    if (this.#parts.perSecond === 0) this.#send(index);
    else this.#free.push(index);
  }

  /** Sends the next request of a place; the low twelve bits of its transaction id say which place it is. */
  #send(index: number): void {
    const place = this.#places[index]!;
    const { population, sockets } = this.#parts;
    this.#sequence = (this.#sequence + 1) & 0xf_ffff;
    place.transaction = this.#sequence * openWindowSize + index;
    const drawn = population.random();
    const peer = population.peer();
    place.address = population.address(peer);
    const kind =
      drawn < this.#connectShare ? action.connect : drawn < this.#announceShare ? action.announce : action.scrape;
    this.#write(place, kind, peer);
    place.waiting = true;
    place.sentAt = performance.now();
    sockets[place.address]!.send(place.requests[kind]);
  }

  #write(place: Place, kind: 0 | 1 | 2, peer: number): void {
    const { buffer } = place;
    const { population, connectionIds } = this.#parts;
    if (kind === action.connect) buffer.write('0000041727101980', 'hex');
    else buffer.set(connectionIds[place.address]!, 0);
    buffer.writeUInt32BE(kind, 8);
    buffer.writeUInt32BE(place.transaction, 12);
    if (kind === action.announce) writeAnnounce(buffer, population, peer);
    if (kind !== action.scrape) return;
    for (let at = 0; at < scrapedTorrents; at++) writeHash(buffer, 16 + 20 * at, population, population.busyTorrent());
  }

  #giveUp(): void {
    const before = performance.now() - lostAfterMs;
    for (const [index, place] of this.#places.entries()) {
      if (!place.waiting || place.sentAt > before) continue;
      this.#parts.tally.loss();
      this.#again(index);
    }
  }
}

function newPlace(): Place {
  const buffer = Buffer.alloc(16 + 20 * scrapedTorrents);
  const requests = [buffer.subarray(0, 16), buffer.subarray(0, announceBytes), buffer] as const;
  return { buffer, requests, address: 0, transaction: 0, sentAt: 0, waiting: false };
}

function writeHash(target: Buffer, offset: number, { hashes }: Population, torrent: number): void {
  for (let at = 0; at < 20; at++) target[offset + at] = hashes[torrent * 20 + at]!;
}

function writeAnnounce(request: Buffer, population: Population, peer: number): void {
  request.fill(0, 56);
  writeHash(request, 16, population, population.torrent(peer));
  request.write('-SB0001-', 36, 'latin1');
  population.writePeerId(request, 44, peer);
  request.writeUInt32BE(population.left(peer), 68);
  request.writeUInt32BE(wantedPeers, 92);
  request.writeUInt16BE(population.port(peer), 96);
}

async function open(index: number, port: number): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1024 * 1024 });
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
        if (answer.length >= 16 && answer.readUInt32BE(0) === 0) resolve(Buffer.from(answer.subarray(8, 16)));
      });
    });
  } finally {
    clearInterval(timer);
    socket.removeAllListeners('message');
  }
}
