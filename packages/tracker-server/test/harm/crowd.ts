// Many connections at once, of clients that mean no good, and one that does.
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import type { HttpServer } from '../../src/index.ts';
import { announceTarget, responsesIn } from '../support.ts';

/** A connection that reads nothing until it is told to. What becomes of it is the server's business, so errors are no surprise. */
export async function connection(server: HttpServer): Promise<Socket> {
  const socket = connect(server.address.port, server.address.ip);
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.pause();
  return socket;
}

/** Connected a portion after the other, as the kernel keeps 511 waiting for us at most. */
export async function connections(server: HttpServer, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const portion = Math.min(200, count - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: portion }, () => connection(server)))));
  }
  return sockets;
}

/** Everything that the server still sends until it closes the connection. */
export async function restOf(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.resume();
  // A reset is an end like another; `once` would throw.
  if (!socket.destroyed) await new Promise<void>((resolve) => socket.on('close', () => resolve()));
  return Buffer.concat(chunks);
}

/** An announce as it goes over the wire, over a connection that stays open. */
export function announceText(parameters: Record<string, string | number> = {}): string {
  return `GET ${announceTarget(parameters)} HTTP/1.1\r\nHost: tracker\r\n\r\n`;
}

/** A client as there should be: asks over one connection, one announce after the other. */
export class GoodClient implements Disposable {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async of(server: HttpServer): Promise<GoodClient> {
    const socket = connect(server.address.port, server.address.ip);
    await once(socket, 'connect');
    return new GoodClient(socket);
  }

  /** The status of one announce. */
  async announce(): Promise<number> {
    this.#socket.write(announceText({ port: 6999 }));
    const [chunk] = (await once(this.#socket, 'data')) as [Buffer];
    return responsesIn(chunk)[0]?.status ?? 0;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
