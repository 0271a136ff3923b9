import { once } from 'node:events';
import { type SignalReply, decodeSignalReply, encodeSignalRequest, idText } from '@shoal/tracker-protocol';
import type { IdText, SignalAnnounce, SignalRequest } from '@shoal/tracker-protocol';
import { SignalledSwarms, type Tracker, type TrackerOptions } from '@shoal/tracker';
import { type ClientOptions, WebSocket } from 'ws';
import type { HttpOptions, HttpServer } from '../../src/index.ts';
import { httpOn, mulberry32, trackerOf } from '../support.ts';

/** An id of one byte, twenty times, above ASCII, so that its UTF-8 has 40 bytes. */
export function idOf(byte: number): IdText {
  return idText(new Uint8Array(20).fill(byte + 0xa0));
}

/** A tracker that serves WebTorrent peers. */
export function signallingTracker(options: Partial<TrackerOptions> = {}): Tracker {
  return trackerOf({ signalling: new SignalledSwarms({ random: mulberry32(2) }), ...options });
}

export function webSocketsOn(tracker: Tracker, options: HttpOptions = {}): Promise<HttpServer> {
  return httpOn(tracker, { webSocket: {}, ...options });
}

/** A WebTorrent peer as far as its tracker sees it. */
export class Peer implements Disposable {
  readonly socket: WebSocket;
  readonly #replies: SignalReply[] = [];
  readonly #waiting: ((reply: SignalReply | undefined) => void)[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;

  constructor(url: string, options: ClientOptions = {}) {
    this.socket = new WebSocket(url, options);
    this.socket.on('error', () => {});
    this.socket.on('message', (data: Buffer) => {
      const reply = decodeSignalReply(data.toString());
      const next = this.#waiting.shift();
      if (next === undefined) this.#replies.push(reply);
      else next(reply);
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => {
        for (const next of this.#waiting.splice(0)) next(undefined);
        resolve({ code, reason: reason.toString() });
      });
    });
  }

  static async connect(server: HttpServer, options: ClientOptions & { path?: string } = {}): Promise<Peer> {
    const peer = new Peer(`${server.url.replace('http', 'ws')}${options.path ?? '/'}`, options);
    await once(peer.socket, 'open');
    return peer;
  }

  send(request: SignalRequest): void {
    this.socket.send(encodeSignalRequest(request));
  }

  /** The next message; undefined once the connection is closed. */
  next(): Promise<SignalReply | undefined> {
    const reply = this.#replies.shift();
    if (reply !== undefined) return Promise.resolve(reply);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Announces as peer number `byte` and gives the next message. */
  announce(byte: number, more: Partial<SignalAnnounce> = {}): Promise<SignalReply | undefined> {
    this.send(announceOf(byte, more));
    return this.next();
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}

export function announceOf(byte: number, more: Partial<SignalAnnounce> = {}): SignalAnnounce {
  const amounts = { uploaded: 0, downloaded: 0, left: 1000 } as const;
  return {
    action: 'announce',
    infoHash: idOf(0),
    peerId: idOf(byte),
    ...amounts,
    event: 'started',
    offers: [],
    ...more,
  };
}

/** The status that an upgrade is refused with. */
export async function refusalOf(server: HttpServer, options: ClientOptions & { path?: string } = {}): Promise<number> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}${options.path ?? '/'}`, options);
  socket.on('error', () => {});
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number; resume(): void }];
  response.resume();
  return response.statusCode;
}
