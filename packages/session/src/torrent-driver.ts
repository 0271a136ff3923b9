// Sockets, disk and clock meet one torrent here. The driver's law: one `handle`, then every output in order, then one
// timer re-armed from `deadline`; nothing called here calls back into the torrent before the outputs are done.
import type { Torrent, TorrentInput, TorrentOutput, TorrentReport } from '@shoal/torrent';
import type { Endpoint } from '@shoal/tracker-protocol';
import type { Announcer } from './announcer.ts';
import type { PieceWork } from './piece-work.ts';
import type { TorrentRates } from './rates.ts';
import type { Dialer, PeerSocket } from './tcp.ts';

export interface DriverParts {
  readonly torrent: Torrent;
  readonly pieceWork: PieceWork;
  readonly dialer: Dialer;
  readonly announcer: Announcer;
  readonly rates: TorrentRates;
  /** Whether the session has room for another connection. */
  readonly hasRoom: () => boolean;
  readonly onReport: (report: TorrentReport) => void;
}

export class TorrentDriver {
  readonly #parts: DriverParts;
  readonly #sockets = new Map<number, PeerSocket>();
  /** What takes a socket out of the rate limits. */
  readonly #detach = new Map<number, () => void>();
  #timer: NodeJS.Timeout | undefined;
  #timerFor = Infinity;
  #nextPeer = 1;
  #isPerforming = false;
  readonly #waiting: TorrentInput[] = [];

  constructor(parts: DriverParts) {
    this.#parts = parts;
  }

  /** Open connections. */
  get connections(): number {
    return this.#sockets.size;
  }

  /**
   * Tells the torrent something and does what it wants done. Who hears of it by a report may answer with another input:
   * that waits until all outputs of this one are performed, or bytes to a peer would leave in the wrong order.
   */
  input(input: TorrentInput): void {
    if (this.#isPerforming) return void this.#waiting.push(input);
    this.#isPerforming = true;
    try {
      for (let next: TorrentInput | undefined = input; next !== undefined; next = this.#waiting.shift()) {
        const outputs = this.#parts.torrent.handle(next, performance.now());
        for (const output of outputs) this.#perform(output, next);
      }
    } finally {
      this.#isPerforming = false;
    }
    this.#arm();
  }

  /** A connection that asked for this torrent, with what it has sent so far. */
  adopt(socket: PeerSocket, endpoint: Endpoint, bytes: Uint8Array): void {
    if (!this.#parts.hasRoom()) return socket.destroy();
    const peer = this.#attach(socket);
    this.input({ type: 'peer-connected', peer, endpoint, incoming: true });
    this.input({ type: 'bytes-received', peer, chunk: bytes, start: 0, end: bytes.length });
  }

  /** Ends when the goodbye is said, no socket is open and no disk operation is under way. */
  async stop(): Promise<void> {
    this.input({ type: 'stopped' });
    await this.#parts.announcer.close();
    await this.#parts.pieceWork.close();
    clearTimeout(this.#timer);
    for (const socket of this.#sockets.values()) socket.destroy();
    this.#sockets.clear();
  }

  #perform(output: TorrentOutput, input: TorrentInput): void {
    const { pieceWork } = this.#parts;
    switch (output.type) {
      case 'store':
        if (input.type === 'bytes-received')
          pieceWork.store(output.piece, output.begin, input.chunk, output.start, output.end);
        return;
      case 'discard':
        return pieceWork.discard(output.piece);
      case 'send':
        return this.#sockets.get(output.peer)?.send(output.bytes);
      case 'check-piece':
        return pieceWork.check(output.piece);
      case 'upload':
        return this.#upload(output);
      case 'hang-up':
        this.#sockets.get(output.peer)?.close();
        return this.#forget(output.peer);
      case 'dial':
        return this.#dial(output.endpoint);
      case 'announce':
        return this.#parts.announcer.announce(output.facts, (answer) => this.input(answer));
      case 'report':
        return this.#parts.onReport(output.report);
    }
  }

  #upload({ peer, blocks }: Extract<TorrentOutput, { type: 'upload' }>): void {
    this.#parts.pieceWork.read(peer, blocks, (message, done) => {
      const socket = this.#sockets.get(peer);
      if (socket === undefined) return done();
      let bytes = 0;
      for (const block of blocks) bytes += block.length;
      socket.send(message, (ok) => {
        done();
        // Of a broken socket its end is the news.
        if (ok) this.input({ type: 'uploaded', peer, bytes });
      });
    });
  }

  #dial(endpoint: Endpoint): void {
    if (!this.#parts.hasRoom()) {
      const reason = 'all connections of the session are in use';
      queueMicrotask(() => this.input({ type: 'dial-failed', endpoint, reason }));
      return;
    }
    this.#parts.dialer.dial(endpoint, (socket, reason) => {
      if (socket === undefined) return this.input({ type: 'dial-failed', endpoint, reason });
      const peer = this.#attach(socket);
      this.input({ type: 'peer-connected', peer, endpoint, incoming: false });
    });
  }

  #attach(socket: PeerSocket): number {
    const peer = this.#nextPeer++;
    this.#sockets.set(peer, socket);
    this.#detach.set(peer, this.#parts.rates.attach(socket));
    socket.attach({
      bytes: (chunk, start, end) => this.input({ type: 'bytes-received', peer, chunk, start, end }),
      ended: (reason) => {
        this.#forget(peer);
        this.input({ type: 'peer-disconnected', peer, reason });
      },
    });
    return peer;
  }

  #forget(peer: number): void {
    this.#sockets.delete(peer);
    this.#detach.get(peer)?.();
    this.#detach.delete(peer);
  }

  #arm(): void {
    const { deadline } = this.#parts.torrent;
    if (deadline === this.#timerFor) return;
    clearTimeout(this.#timer);
    this.#timerFor = deadline;
    if (deadline === Infinity) return;
    // Node's timers may fire up to a millisecond early and hold 2^31 ms at most.
    const delay = Math.min(Math.max(0, Math.ceil(deadline - performance.now())), 0x7fffffff);
    this.#timer = setTimeout(() => {
      this.#timerFor = Infinity;
      this.input({ type: 'time-passed' });
    }, delay);
  }
}
