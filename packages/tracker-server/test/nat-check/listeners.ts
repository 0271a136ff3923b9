import { once } from 'node:events';
import { type Server, type Socket, createServer } from 'node:net';
import { someHash } from '../support.ts';

/** The 68 bytes of a whole handshake. */
export function handshakeOf(infoHash: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from('\u0013BitTorrent protocol\0\0\0\0\0\u0010\0\u0005', 'latin1'),
    infoHash,
    Buffer.alloc(20, 'p'),
  ]);
}

/** Something that listens on a port of the loopback network. */
export class Listener implements AsyncDisposable {
  readonly port: number;
  /** What each connection sent so far. */
  readonly received: Buffer[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** `answer` is called with everything that a connection has sent so far. */
  static async open(answer: (socket: Socket, received: Buffer) => void): Promise<Listener> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const listener = new Listener(server, typeof address === 'object' && address !== null ? address.port : 0);
    server.on('connection', (socket: Socket) => listener.#accept(socket, answer));
    return listener;
  }

  /** A peer of a torrent: answers as soon as it knows the info-hash. */
  static peer(infoHash: Uint8Array = someHash): Promise<Listener> {
    return Listener.open((socket, received) => {
      if (received.length === 48) socket.write(handshakeOf(infoHash));
    });
  }

  get connections(): number {
    return this.received.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(socket: Socket, answer: (socket: Socket, received: Buffer) => void): void {
    const index = this.received.push(Buffer.alloc(0)) - 1;
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      this.received[index] = Buffer.concat([this.received[index]!, chunk]);
      answer(socket, this.received[index]);
    });
  }
}

/** A port on which nothing listens. */
export async function closedPort(): Promise<number> {
  const listener = await Listener.peer();
  await listener[Symbol.asyncDispose]();
  return listener.port;
}
