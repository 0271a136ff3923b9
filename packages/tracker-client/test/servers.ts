// Trackers for tests: real sockets on port 0, closed when the test's scope ends.
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Clock } from '../src/index.ts';

export function fixture(name: string): string {
  return readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8');
}

/** Containers without IPv6 are common; tests that need it say so. */
export const hasIpv6: boolean = Object.values(networkInterfaces()).some((found) =>
  found?.some(({ address }) => address === '::1'),
);

export interface HttpTracker extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Targets asked, in order. */
  readonly targets: string[];
  /** Header names and values, in order, of each request. */
  readonly headers: string[][];
}

type Handler = (response: ServerResponse, request: IncomingMessage) => void;

/** An HTTP tracker; the default answer has one peer. */
export async function httpTracker(handle: Handler = answer(onePeer), host = '127.0.0.1'): Promise<HttpTracker> {
  return listen(createServer(), handle, 'http', host);
}

export async function httpsTracker(handle: Handler = answer(onePeer)): Promise<HttpTracker> {
  const server = createTlsServer({ key: fixture('localhost.key.pem'), cert: fixture('localhost.cert.pem') });
  return listen(server, handle, 'https', '127.0.0.1');
}

export function answer(body: string | Uint8Array, headers: Record<string, string> = {}, status = 200): Handler {
  return (response) => {
    response.writeHead(status, headers);
    response.end(typeof body === 'string' ? Buffer.from(body, 'latin1') : body);
  };
}

export const onePeer = 'd8:completei1e10:incompletei2e8:intervali1800e5:peers6:\x01\x02\x03\x04\x1a\xe1e';

async function listen(server: Server, handle: Handler, scheme: string, host: string): Promise<HttpTracker> {
  const targets: string[] = [];
  const headers: string[][] = [];
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    targets.push(request.url ?? '');
    headers.push(request.rawHeaders);
    handle(response, request);
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    port,
    url: `${scheme}://${shown}:${port}/announce`,
    targets,
    headers,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Sends exactly `bytes` to whoever asks, then closes. */
export async function rawTracker(bytes: string): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(Buffer.from(bytes, 'latin1')));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/announce`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

/** A port on which nobody listens. */
export async function closedPort(): Promise<number> {
  await using server = await httpTracker();
  return server.port;
}

export interface Datagram {
  readonly bytes: Buffer;
  readonly from: RemoteInfo;
}

/** A UDP socket that hands over what it receives one by one. */
export class UdpTracker implements AsyncDisposable {
  readonly socket: Socket;
  readonly port: number;
  readonly url: string;
  readonly #received: Datagram[] = [];
  readonly #wanted: ((datagram: Datagram) => void)[] = [];

  private constructor(socket: Socket, host: string) {
    this.socket = socket;
    this.port = socket.address().port;
    this.url = `udp://${host.includes(':') ? `[${host}]` : host}:${this.port}/announce`;
    socket.on('message', (bytes, from) => {
      const wanted = this.#wanted.shift();
      if (wanted) wanted({ bytes, from });
      else this.#received.push({ bytes, from });
    });
  }

  static async open(host = '127.0.0.1', port = 0): Promise<UdpTracker> {
    const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', ipv6Only: host.includes(':') });
    socket.bind(port, host);
    await once(socket, 'listening');
    return new UdpTracker(socket, host);
  }

  /** The next datagram, already here or to come. */
  next(): Promise<Datagram> {
    const received = this.#received.shift();
    return received ? Promise.resolve(received) : new Promise((resolve) => this.#wanted.push(resolve));
  }

  /** Datagrams that arrived and were not asked for. */
  get unread(): number {
    return this.#received.length;
  }

  send(to: RemoteInfo, bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.send(bytes, to.port, to.address, (error) => (error ? reject(error) : resolve()));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close();
    await once(this.socket, 'close');
  }
}

/** Time that passes only when told to. */
export class ManualClock implements Clock {
  #now = 1_000;
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>();

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const timer of [...this.#timers].toSorted((a, b) => a.at - b.at)) {
      if (timer.at <= this.#now && this.#timers.delete(timer)) timer.callback();
    }
  }

  get waiting(): number {
    return this.#timers.size;
  }
}
