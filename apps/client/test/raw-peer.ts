// Peers and trackers made of bare sockets, for what no honest program sends. Written from BEP 3 alone, so that nothing of
// ours is tested against itself.
import net from 'node:net';
import { onTestFinished } from 'vitest';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A server on a free port; it and its sockets end with the test. */
export async function listenOn(host: string, serve: (socket: net.Socket) => void): Promise<Address> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { host, port: portOf(server) };
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function portOf(server: net.Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** 68 bytes: no extension is offered. */
export function handshake(infoHash: Uint8Array, peerId = '-XX0001-000000000000'): Buffer {
  return Buffer.concat([
    Buffer.from('\u0013BitTorrent protocol\0\0\0\0\0\0\0\0', 'latin1'),
    infoHash,
    Buffer.from(peerId),
  ]);
}

export const ids = { unchoke: 1, interested: 2, have: 4, bitfield: 5, request: 6, piece: 7 } as const;

export function message(id: number, ...payload: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat([Buffer.from([id]), ...payload]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** Every piece, with the spare bits zero. */
export function fullBitfield(pieceCount: number): Buffer {
  const bits = Buffer.alloc(Math.ceil(pieceCount / 8), 0xff);
  const spare = bits.length * 8 - pieceCount;
  bits[bits.length - 1] = (0xff << spare) & 0xff;
  return message(ids.bitfield, bits);
}

/** Takes the stream apart: first the handshake, then each message as id and payload. */
export function onMessages(socket: net.Socket, heard: (id: number, payload: Buffer) => void): void {
  let bytes = Buffer.alloc(0);
  let greeted = false;
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    if (!greeted && bytes.length >= 68) {
      greeted = true;
      bytes = bytes.subarray(68);
    }
    while (greeted && bytes.length >= 4) {
      const length = bytes.readUInt32BE();
      if (bytes.length < 4 + length) return;
      if (length > 0) heard(bytes[4] ?? -1, bytes.subarray(5, 4 + length));
      bytes = bytes.subarray(4 + length);
    }
  });
}

/** Connects to a client and watches which pieces it says it has. It wants nothing and gives nothing. */
export class PieceWatcher {
  readonly pieces = new Set<number>();

  private constructor() {}

  static connect(port: number, infoHash: Uint8Array, changed: () => void): PieceWatcher {
    const watcher = new PieceWatcher();
    const socket = net.connect(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    const name = `-XX0001-${String(port).padStart(12, '0')}`;
    socket.write(handshake(infoHash, name));
    onMessages(socket, (id, payload) => {
      if (id === ids.have) watcher.pieces.add(payload.readUInt32BE());
      else if (id === ids.bitfield) {
        for (const [index, byte] of payload.entries())
          for (let bit = 0; bit < 8; bit++) if ((byte & (0x80 >> bit)) !== 0) watcher.pieces.add(index * 8 + bit);
      } else return;
      changed();
    });
    return watcher;
  }
}
