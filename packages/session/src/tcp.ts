// TCP sockets as the driver uses them: bytes in as offsets into a chunk, bytes out in order, both within rate limits,
// one end with a reason. It knows no message and no torrent.
import net from 'node:net';
import type { Endpoint } from '@shoal/tracker-protocol';
import { Inbox } from './rate-limit/inbox.ts';
import type { RateLimit } from './rate-limit/limiter.ts';
import { Outbox } from './rate-limit/outbox.ts';
import type { Pacer } from './rate-limit/pacer.ts';

/** Bytes of one read. Measured: 0.18 CPU s/GiB, 'data' events (64 KiB, a buffer each) 0.48, and larger reads no less. */
const receiveBufferLength = 256 * 1024;
/** Bytes of one read under a rate limit, and hence what one socket may hold back: two blocks, 16 MiB for 500 sockets. */
const pacedReadLength = 32 * 1024;
/** Bytes that the peer does not read, past which it is dropped. */
const maxUnreadBytes = 4 * 1024 * 1024;
/**
 * Bytes that our rate limit holds back, past which the peer is dropped. A torrent keeps its uploads far below, at its
 * watermark; what passes this are the answers to a peer that asks faster than it may be answered.
 */
const maxWaitingBytes = 8 * 1024 * 1024;
/** What was queued before a hang-up may take this long to leave. */
const closeTimeoutMs = 2000;

export interface SocketEvents {
  /** Valid only until it returns. */
  bytes(chunk: Uint8Array, start: number, end: number): void;
  /** Said once; nothing follows. */
  ended(reason: string): void;
}

export class PeerSocket {
  readonly #socket: net.Socket;
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  #events: SocketEvents | undefined;
  #reason: string | undefined;
  #receivedBytes = 0;
  #isClosing = false;

  constructor(socket: net.Socket) {
    this.#socket = socket;
    this.#inbox = new Inbox({
      bytes: (chunk, start, end) => this.#deliver(chunk, start, end),
      emptied: () => (socket.destroyed ? this.#end() : socket.resume()),
    });
    this.#outbox = new Outbox(socket, () => {
      if (this.#isClosing) socket.destroySoon();
    });
    socket.on('error', (error) => (this.#reason ??= error.message));
    socket.on('close', () => {
      this.#outbox.fail();
      // A connection that broke does not take back what was received.
      if (!this.#inbox.isHolding) this.#end();
    });
  }

  /** Stream bytes handed on so far: payload and protocol, without TCP and IP headers. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Stream bytes given to the system so far. */
  get sentBytes(): number {
    return this.#outbox.sentBytes;
  }

  /** Whether it holds back what its rate limit does not let in yet, and reads nothing more. */
  get isPaused(): boolean {
    return this.#inbox.isHolding;
  }

  /** Bytes of the next read. */
  get readLength(): number {
    return this.#inbox.isLimited ? pacedReadLength : receiveBufferLength;
  }

  /** From now on `events` hears of the socket. */
  attach(events: SocketEvents): void {
    this.#events = events;
    if (this.#socket.destroyed && !this.#inbox.isHolding) queueMicrotask(() => this.#end());
  }

  /**
   * From now on received bytes obey `down` and sent ones `up`, what is held back included; may be called again. Every
   * byte of the stream counts. What is received beyond the limit is held, at most one read, and the socket paused.
   * @throws TypeError unless `down` and `up` are those of `pacer`, or below them.
   */
  limit(pacer: Pacer, down: RateLimit, up: RateLimit): void {
    this.#inbox.limit(pacer, down);
    this.#outbox.limit(pacer, up);
  }

  /** The socket read bytes; they are the caller's again when it returns. */
  received(chunk: Uint8Array, start: number, end: number): void {
    if (!this.#inbox.isLimited) this.#deliver(chunk, start, end);
    else if (!this.#inbox.receive(chunk, start, end) && !this.#socket.destroyed) this.#socket.pause();
  }

  /** `bytes` may be reused once `sent` is called, with whether they left. */
  send(bytes: Uint8Array, sent?: (ok: boolean) => void): void {
    if (this.#socket.destroyed) {
      if (sent !== undefined) queueMicrotask(() => sent(false));
      return;
    }
    this.#outbox.send(bytes, sent);
    if (this.#socket.writableLength > maxUnreadBytes) this.#break('it does not read what we send');
    else if (this.#outbox.waitingBytes > maxWaitingBytes)
      this.#break('it asks for more than our upload limit lets out');
  }

  /** No event follows. What is sent before may still leave, for two seconds. */
  close(): void {
    this.#letGo();
    this.#isClosing = true;
    // Bytes left unread would make the system reset the connection, and with it what is still to leave.
    this.#socket.resume();
    if (this.#outbox.waitingBytes === 0) this.#socket.destroySoon();
    // A peer that never reads, or a byte now and then, would keep the socket, and who waits for its end, for ever.
    const timer = setTimeout(() => this.#socket.destroy(), closeTimeoutMs);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  /** At once, unsent bytes and all. */
  destroy(): void {
    this.#letGo();
    this.#socket.destroy();
  }

  #deliver(chunk: Uint8Array, start: number, end: number): void {
    this.#receivedBytes += end - start;
    this.#events?.bytes(chunk, start, end);
  }

  #break(reason: string): void {
    this.#reason = reason;
    this.#socket.destroy();
  }

  #letGo(): void {
    this.#events = undefined;
    this.#inbox.clear();
  }

  #end(): void {
    const events = this.#events;
    this.#letGo();
    events?.ended(this.#reason ?? 'the peer closed the connection');
  }
}

/**
 * The memory that sockets read into. One serves all: libuv reads and calls back in one go, so it is free again when the
 * callback returns. Windows may complete a read before the callback of another socket ran: one for each socket there.
 */
export class ReceiveBuffer {
  readonly #whole = new Uint8Array(receiveBufferLength);
  readonly #paced: Uint8Array = this.#whole.subarray(0, pacedReadLength);

  forSocket(): ReceiveBuffer {
    return process.platform === 'win32' ? new ReceiveBuffer() : this;
  }

  /** What Node reads into and calls back with, for the socket that `peer` returns once it is there. */
  onread(peer: () => PeerSocket | undefined): net.OnReadOpts {
    return {
      // Asked before each read; measured, asking costs nothing. The first is a handshake.
      buffer: () => (peer()?.readLength === receiveBufferLength ? this.#whole : this.#paced),
      callback: (length, buffer) => {
        peer()?.received(buffer, 0, length);
        return true;
      },
    };
  }
}

export interface DialOptions {
  readonly localAddress: string | undefined;
  readonly timeoutMs: number;
}

export class Dialer {
  readonly #buffer = new ReceiveBuffer();
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
      onread: this.#buffer.forSocket().onread(() => peer),
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

/** An accepted socket, paused since (`pauseOnConnect`), as a peer socket that reads from now on. */
export function accepted(raw: net.Socket, buffer: ReceiveBuffer): PeerSocket {
  let peer: PeerSocket | undefined;
  const socket = rewrapped(
    raw,
    buffer.forSocket().onread(() => peer),
  );
  (socket ?? raw).setNoDelay(true);
  peer = new PeerSocket(socket ?? raw);
  if (socket === undefined) {
    raw.on('data', (chunk: Uint8Array) => peer?.received(chunk, 0, chunk.length));
    raw.resume();
  }
  return peer;
}

/**
 * The same connection as a socket with `onread`, which Node offers to dialled sockets only and which saves 0.3 CPU s/GiB.
 * `handle` is what Node makes accepted sockets with (22.18 and 26 tried). Where it is unknown: undefined, nothing changed.
 */
function rewrapped(raw: net.Socket, onread: net.OnReadOpts): net.Socket | undefined {
  const before = raw as { _handle?: { useUserBuffer?: unknown } | null };
  const handle = before._handle;
  if (typeof handle?.useUserBuffer !== 'function') return undefined;
  const options: net.SocketConstructorOpts = { ...({ handle } as object), onread };
  const socket = new net.Socket(options);
  if ((socket as { _handle?: unknown })._handle !== handle) return undefined;
  before._handle = null;
  // The server counts the old one: it goes when the connection does, so that the server's end waits for both.
  socket.once('close', () => raw.destroy());
  return socket;
}
