// The one port of a session: accepts connections and holds each until it has said which torrent it wants (48 bytes).
// Bounded in number, bytes and time, because nobody there has proved anything yet.
import net from 'node:net';
import type { Endpoint } from '@shoal/tracker-protocol';
import { canonicalIp } from '@shoal/tracker-protocol';
import { peekInfoHash } from '@shoal/wire';
import { SessionError } from './errors.ts';
import { accepted, ReceiveBuffer, type PeerSocket } from './tcp.ts';

/** Length of a handshake up to and with the info-hash (BEP 3). */
const infoHashEnd = 48;

export interface ListenerOptions {
  readonly port: number | readonly [first: number, last: number];
  readonly bind: string | undefined;
  readonly maxPending: number;
  readonly timeoutMs: number;
  /** Called with each connection before its first byte, to set its rate limits. */
  readonly limit?: (socket: PeerSocket) => void;
}

/** A connection that named its torrent, with every byte it sent so far. */
export interface Introduced {
  readonly socket: PeerSocket;
  readonly endpoint: Endpoint;
  readonly infoHash: string;
  readonly bytes: Uint8Array;
}

export class Listener {
  readonly #server: net.Server;
  readonly #options: ListenerOptions;
  readonly #introduced: (peer: Introduced) => void;
  readonly #buffer = new ReceiveBuffer();
  /** Oldest first, each with the timer that ends it. */
  readonly #pending = new Map<PeerSocket, NodeJS.Timeout>();

  private constructor(server: net.Server, options: ListenerOptions, introduced: (peer: Introduced) => void) {
    this.#server = server;
    this.#options = options;
    this.#introduced = introduced;
    server.on('connection', (socket) => this.#accept(socket));
  }

  /** @throws SessionError `address-in-use`, `cannot-listen`. */
  static async open(options: ListenerOptions, introduced: (peer: Introduced) => void): Promise<Listener> {
    const [first, last] = typeof options.port === 'number' ? [options.port, options.port] : options.port;
    for (let port = first; ; port++) {
      const server = net.createServer({ pauseOnConnect: true });
      const error = await listen(server, port, options.bind);
      if (error === undefined) return new Listener(server, options, introduced);
      if (error.code !== 'EADDRINUSE') {
        const where = `${options.bind ?? 'all addresses'}, port ${port}`;
        throw new SessionError('cannot-listen', `cannot listen on ${where}: ${error.message}`, { cause: error });
      }
      if (port >= last) {
        const what = first === last ? `port ${first} is` : `ports ${first} to ${last} are`;
        throw new SessionError('address-in-use', `${what} in use; choose another with --port, or 0 for any free one`, {
          cause: error,
        });
      }
    }
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async close(): Promise<void> {
    for (const socket of this.#pending.keys()) this.#drop(socket);
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(raw: net.Socket): void {
    const ip = canonicalIp(raw.remoteAddress ?? '');
    if (ip === undefined) return void raw.destroy();
    // An honest peer speaks at once: whoever has been silent longest makes room, so silence cannot shut others out.
    for (const oldest of this.#pending.keys()) {
      if (this.#pending.size < this.#options.maxPending) break;
      this.#drop(oldest);
    }
    const endpoint = { ip, port: raw.remotePort ?? 0 };
    const socket = accepted(raw, this.#buffer);
    this.#options.limit?.(socket);
    this.#pending.set(
      socket,
      setTimeout(() => this.#drop(socket), this.#options.timeoutMs),
    );
    let bytes = new Uint8Array(0);
    socket.attach({
      ended: () => this.#drop(socket),
      bytes: (chunk, start, end) => {
        bytes = concat(bytes, chunk.subarray(start, end));
        const infoHash = infoHashOf(bytes);
        if (infoHash === 'unknown') return;
        if (infoHash === 'invalid') return this.#drop(socket);
        this.#forget(socket);
        this.#introduced({ socket, endpoint, infoHash, bytes });
      },
    });
  }

  #drop(socket: PeerSocket): void {
    this.#forget(socket);
    socket.destroy();
  }

  #forget(socket: PeerSocket): void {
    clearTimeout(this.#pending.get(socket));
    this.#pending.delete(socket);
  }
}

function infoHashOf(bytes: Uint8Array): string {
  try {
    const infoHash = peekInfoHash(bytes.subarray(0, infoHashEnd));
    return infoHash === undefined ? 'unknown' : Buffer.from(infoHash).toString('hex');
  } catch {
    // Not BitTorrent, or encrypted, which this listener does not speak: the only answer is to hang up.
    return 'invalid';
  }
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function listen(
  server: net.Server,
  port: number,
  host: string | undefined,
): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    server.once('error', resolve);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.removeListener('error', resolve);
      resolve(undefined);
    });
  });
}
