import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { type CaseResult, type ConformanceOptions, runConformance } from '../src/index.ts';

/** A tracker that is wrong on purpose. */
export interface WrongTracker extends AsyncDisposable {
  readonly url: string;
}

/** Answers every request with latin1 text; undefined is silence. The connection ends after the first lot unless `stay`. */
export async function httpTracker(
  answer: (head: string) => string | undefined,
  stay = false,
  hears: (bytes: Buffer) => void = () => {},
): Promise<WrongTracker> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (chunk: Buffer) => {
      hears(chunk);
      const heads = chunk.toString('latin1').split('\r\n\r\n').slice(0, -1);
      const answers = heads.map(answer).filter((each) => each !== undefined);
      if (answers.length === 0) return;
      const text = answers.join('');
      if (stay) socket.write(text, 'latin1');
      else socket.end(text, 'latin1');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('not listening on a port');
  return {
    url: `http://127.0.0.1:${address.port}/announce`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

/** Answers every datagram; undefined is silence. With `elsewhere` answers come from another port. */
export async function udpTracker(
  answer: (packet: Buffer) => Buffer | undefined,
  elsewhere = false,
): Promise<WrongTracker> {
  const sockets = [createSocket('udp4'), createSocket('udp4')] as const;
  for (const socket of sockets) {
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
  }
  const [socket, other] = sockets;
  socket.on('message', (packet, from) => {
    const reply = answer(packet);
    if (reply !== undefined) (elsewhere ? other : socket).send(reply, from.port, from.address);
  });
  return {
    url: `udp://127.0.0.1:${socket.address().port}`,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(sockets.map((each) => new Promise<void>((resolve) => each.close(() => resolve()))));
    },
  };
}

/** Has every message answered by `answer`, which is given all connections, the oldest first. */
export async function webSocketTracker(
  answer: (text: string, from: WebSocket, all: readonly WebSocket[]) => void,
): Promise<WrongTracker> {
  const all: WebSocket[] = [];
  const acceptor = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  acceptor.on('connection', (socket) => {
    all.push(socket);
    socket.on('error', () => {});
    socket.on('message', (data: Buffer) => answer(data.toString(), socket, all));
  });
  await once(acceptor, 'listening');
  const address = acceptor.address();
  if (address === null || typeof address === 'string') throw new TypeError('not listening on a port');
  return {
    url: `ws://127.0.0.1:${address.port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of all) socket.terminate();
      acceptor.close();
      await once(acceptor, 'close');
    },
  };
}

/** A response with a body and a Content-Length. */
export function ok(body: string, headers = 'Content-Type: text/plain\r\n'): string {
  return `HTTP/1.1 200 OK\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
}

export async function resultsOf(url: string, options: ConformanceOptions = {}): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for await (const result of runConformance(url, options)) results.push(result);
  return results;
}
