// A WebSocket that connects to one address of a host while asking for the host by its name, so that each family is looked
// at and a proxy that goes by names answers: Node's own WebSocket can only do one of the two. Text messages; RFC 6455.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type RequestOptions, request as requestPlainly } from 'node:http';
import { request as requestSecurely } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';

/** Bytes of a message: an answer has a few hundred, an offer some thousand. */
const mostBytes = 262_144;

/** Of section 1.3. */
const acceptance = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Frames of section 5.2. */
const continuation = 0;
const text = 1;
const close = 8;
const ping = 9;

/** Where to connect to, whatever the name in the URL says. */
export interface SocketAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** An open WebSocket. */
export interface TextSocket {
  send(message: string): void;
  close(): void;
}

/** Hears what comes. */
export interface TextSocketEvents {
  message(message: string): void;
  /** Once, whoever closed. */
  closed(): void;
}

/** A server that is no WebSocket's. */
export class NoWebSocketError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NoWebSocketError';
  }
}

/**
 * Opens `url` (ws or wss) at an address, unless `signal` says that it takes too long. A certificate must be one for the name.
 * @throws NoWebSocketError; the system's error; an AbortError
 */
export async function openTextSocket(
  url: string,
  at: SocketAddress,
  events: TextSocketEvents,
  signal: AbortSignal,
): Promise<TextSocket> {
  const key = randomBytes(16).toString('base64');
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': key,
  };
  const options: RequestOptions = { headers, lookup: lookupOf(at), family: at.family, agent: false, signal };
  const target = url.replace(/^ws/, 'http');
  const request = (target.startsWith('https:') ? requestSecurely : requestPlainly)(target, options).end();
  // Whatever comes after the first answer says nothing more.
  request.on('error', () => {});
  const { promise: refused, reject } = Promise.withResolvers<never>();
  request.once('response', (response) => {
    response.destroy();
    reject(new NoWebSocketError(`no WebSocket is served there (status ${response.statusCode})`));
  });
  const opened = once(request, 'upgrade') as Promise<[IncomingMessage, Duplex, Buffer]>;
  const [response, stream, head] = await Promise.race([opened, refused]);
  if (
    response.headers['sec-websocket-accept'] !==
    createHash('sha1')
      .update(key + acceptance)
      .digest('base64')
  ) {
    stream.destroy();
    throw new NoWebSocketError('what is served there is no WebSocket');
  }
  return new Connection(stream, head, events);
}

/** Every name has this address. */
function lookupOf({ address, family }: SocketAddress): LookupFunction {
  return (_name, { all }, found) => (all === true ? found(null, [{ address, family }]) : found(null, address, family));
}

class Connection implements TextSocket {
  readonly #stream: Duplex;
  readonly #events: TextSocketEvents;
  #received: Buffer;
  /** What came of a message in several frames. */
  #begun: Buffer[] = [];

  constructor(stream: Duplex, head: Buffer, events: TextSocketEvents) {
    this.#stream = stream;
    this.#events = events;
    this.#received = head;
    // The close that follows says all there is to do.
    stream.on('error', () => {});
    stream.on('end', () => stream.destroy());
    stream.once('close', () => events.closed());
    stream.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#read();
    });
    // After whoever opened it knows of it.
    if (head.length > 0) queueMicrotask(() => this.#read());
  }

  send(message: string): void {
    this.#write(text, Buffer.from(message));
  }

  close(): void {
    if (this.#stream.destroyed) return;
    this.#write(close, Buffer.of(1000 >> 8, 1000 & 0xff));
    this.#stream.end(() => this.#stream.destroy());
  }

  /** Takes every frame that is complete. */
  #read(): void {
    while (this.#received.length >= 2 && !this.#stream.destroyed) {
      const [first, second] = [this.#received[0]!, this.#received[1]!];
      const short = second & 0x7f;
      const headBytes = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (this.#received.length < headBytes) return;
      const length =
        short === 126
          ? this.#received.readUInt16BE(2)
          : short === 127
            ? Number(this.#received.readBigUInt64BE(2))
            : short;
      const begun = this.#begun.reduce((sum, part) => sum + part.length, 0);
      // A server masks nothing (5.1).
      if (second >= 0x80 || begun + length > mostBytes) {
        this.#stream.destroy();
        return;
      }
      if (this.#received.length < headBytes + length) return;
      const payload = this.#received.subarray(headBytes, headBytes + length);
      this.#received = this.#received.subarray(headBytes + length);
      this.#take(first & 0xf, first >= 0x80, payload);
    }
  }

  #take(kind: number, isLast: boolean, payload: Buffer): void {
    if (kind === close) this.close();
    else if (kind === ping) this.#write(10, payload);
    else if (kind === text || kind === continuation) {
      this.#begun.push(payload);
      if (!isLast) return;
      const message = Buffer.concat(this.#begun).toString();
      this.#begun = [];
      this.#events.message(message);
    }
  }

  /** One frame; a client masks what it sends (5.3). */
  #write(kind: number, payload: Buffer): void {
    const length = payload.length;
    const head = Buffer.alloc(length < 126 ? 2 : length < 0x1_0000 ? 4 : 10);
    head[0] = 0x80 | kind;
    head[1] = 0x80 | (length < 126 ? length : length < 0x1_0000 ? 126 : 127);
    if (head.length === 4) head.writeUInt16BE(length, 2);
    else if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
    const mask = randomBytes(4);
    this.#stream.write(Buffer.concat([head, mask, payload.map((byte, at) => byte ^ mask[at % 4]!)]));
  }
}
