// TCP sockets as the driver uses them: bytes in as offsets into a chunk, bytes out in order, one end with a reason.
// It knows no message and no torrent.
import net from 'node:net';
import type { Endpoint } from '@shoal/tracker-protocol';

/**
 * One receive buffer for all dialled sockets. Measured: `onread` into 256 KiB costs a third of what 'data' events do.
 * libuv reads and calls back in one go, so the buffer is free again when the callback returns.
 */
const receiveBufferLength = 256 * 1024;
/** Unsent bytes, payload under way included, past which a peer does not read: it is dropped. */
const maxUnsentBytes = 4 * 1024 * 1024;

export interface SocketEvents {
  /** Valid only until it returns. */
  bytes(chunk: Uint8Array, start: number, end: number): void;
  /** Said once; nothing follows. */
  ended(reason: string): void;
}

export class PeerSocket {
  readonly #socket: net.Socket;
  #events: SocketEvents | undefined;
  #reason: string | undefined;

  constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on('error', (error) => (this.#reason ??= error.message));
    socket.on('close', () => this.#end());
  }

  /** From now on `events` hears of the socket. */
  attach(events: SocketEvents): void {
    this.#events = events;
    if (this.#socket.destroyed) queueMicrotask(() => this.#end());
  }

  received(chunk: Uint8Array, start: number, end: number): void {
    this.#events?.bytes(chunk, start, end);
  }

  /** `bytes` may be reused once `sent` is called, with whether they left. */
  send(bytes: Uint8Array, sent?: (ok: boolean) => void): void {
    if (this.#socket.destroyed) {
      if (sent !== undefined) queueMicrotask(() => sent(false));
      return;
    }
    this.#socket.write(bytes, (error) => sent?.(error === null || error === undefined));
    if (this.#socket.writableLength > maxUnsentBytes) {
      this.#reason = 'it does not read what we send';
      this.#socket.destroy();
    }
  }

  /** No event follows. */
  close(): void {
    this.#events = undefined;
    this.#socket.destroySoon();
    // A peer that never reads, or a byte now and then, would keep the socket, and who waits for its end, for ever.
    const timer = setTimeout(() => this.#socket.destroy(), closeTimeoutMs);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  /** At once, unsent bytes and all. */
  destroy(): void {
    this.#events = undefined;
    this.#socket.destroy();
  }

  #end(): void {
    const events = this.#events;
    this.#events = undefined;
    events?.ended(this.#reason ?? 'the peer closed the connection');
  }
}

/** What was queued before a hang-up may take this long to leave. */
const closeTimeoutMs = 2000;

export interface DialOptions {
  readonly localAddress: string | undefined;
  readonly timeoutMs: number;
}

export class Dialer {
  readonly #buffer = new Uint8Array(receiveBufferLength);
  readonly #options: DialOptions;
  readonly #underWay = new Set<net.Socket>();

  constructor(options: DialOptions) {
    this.#options = options;
  }

  /** Calls back once: with an open socket, or with the reason why there is none. */
  dial(endpoint: Endpoint, done: (socket: PeerSocket | undefined, reason: string) => void): void {
    let peer: PeerSocket | undefined;
    const socket = net.connect({
      host: endpoint.ip,
      port: endpoint.port,
      ...(this.#options.localAddress === undefined ? {} : { localAddress: this.#options.localAddress }),
      noDelay: true,
      onread: {
        // Windows may complete a read before the callback of another socket ran: a buffer each there.
        buffer: process.platform === 'win32' ? new Uint8Array(receiveBufferLength) : this.#buffer,
        callback: (length, buffer) => {
          peer?.received(buffer, 0, length);
          return true;
        },
      },
    });
    this.#underWay.add(socket);
    let failure = 'connection refused';
    socket.setTimeout(this.#options.timeoutMs, () => {
      failure = `no answer within ${this.#options.timeoutMs / 1000} s`;
      socket.destroy();
    });
    socket.once('error', (error) => (failure = error.message));
    const failed = (): void => {
      this.#underWay.delete(socket);
      done(undefined, failure);
    };
    socket.once('close', failed);
    socket.once('connect', () => {
      this.#underWay.delete(socket);
      socket.setTimeout(0);
      socket.removeListener('close', failed);
      peer = new PeerSocket(socket);
      done(peer, '');
    });
  }

  /** Ends every dial under way. */
  close(): void {
    for (const socket of this.#underWay) socket.destroy();
  }
}

/** An accepted socket as a peer socket. Node offers no `onread` there, so each read is a chunk of its own. */
export function accepted(socket: net.Socket): PeerSocket {
  socket.setNoDelay(true);
  const peer = new PeerSocket(socket);
  socket.on('data', (chunk: Uint8Array) => peer.received(chunk, 0, chunk.length));
  return peer;
}
