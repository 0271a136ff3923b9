// Sockets, disk and clock meet one torrent here. The driver's law: one `handle`, then every output in order, then one
// timer re-armed from `deadline`; nothing called here calls back into the torrent before the outputs are done.
import { pieceLengthAt, type Geometry } from '@shoal/pieces';
import { copyBytes, SlabPool, type HashPool, type Storage } from '@shoal/storage';
import type { Torrent, TorrentInput, TorrentOutput, TorrentReport } from '@shoal/torrent';
import type { Endpoint } from '@shoal/tracker-protocol';
import type { Announcer } from './announcer.ts';
import type { RunBuffers } from './run-buffers.ts';
import type { Dialer, PeerSocket } from './tcp.ts';

export interface DriverParts {
  readonly torrent: Torrent;
  readonly geometry: Geometry;
  /** 20 bytes a piece. */
  readonly pieceHashes: Uint8Array;
  readonly storage: Storage;
  readonly hashPool: HashPool;
  readonly dialer: Dialer;
  readonly announcer: Announcer;
  readonly runBuffers: RunBuffers;
  readonly pieceBufferBytes: number;
  readonly onReport: (report: TorrentReport) => void;
}

export class TorrentDriver {
  readonly #parts: DriverParts;
  readonly #sockets = new Map<number, PeerSocket>();
  readonly #pieces = new Map<number, Uint8Array<SharedArrayBuffer>>();
  readonly #slabs: SlabPool;
  /** Disk work whose answer the torrent waits for. */
  readonly #work = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #timerFor = Infinity;
  #nextPeer = 1;

  constructor(parts: DriverParts) {
    this.#parts = parts;
    // The torrent bounds its open pieces by bytes; slabs are powers of two, hence at most twice as large.
    const atLeast = 2 * parts.geometry.pieceLength;
    this.#slabs = new SlabPool({ limitBytes: 2 * Math.max(parts.pieceBufferBytes, atLeast) });
  }

  /** Tells the torrent something and does what it wants done. */
  input(input: TorrentInput): void {
    const outputs = this.#parts.torrent.handle(input, performance.now());
    for (const output of outputs) this.#perform(output, input);
    this.#arm();
  }

  /** A connection that asked for this torrent, with what it has sent so far. */
  adopt(socket: PeerSocket, endpoint: Endpoint, bytes: Uint8Array): void {
    const peer = this.#attach(socket);
    this.input({ type: 'peer-connected', peer, endpoint, incoming: true });
    this.input({ type: 'bytes-received', peer, chunk: bytes, start: 0, end: bytes.length });
  }

  /** Ends when the goodbye is said, no socket is open and no disk operation is under way. */
  async stop(): Promise<void> {
    this.input({ type: 'stopped' });
    await this.#parts.announcer.close();
    while (this.#work.size > 0) await Promise.all(this.#work);
    clearTimeout(this.#timer);
    for (const socket of this.#sockets.values()) socket.destroy();
    this.#sockets.clear();
    this.#pieces.clear();
  }

  #perform(output: TorrentOutput, input: TorrentInput): void {
    switch (output.type) {
      case 'store':
        if (input.type === 'bytes-received') this.#store(output, input.chunk);
        return;
      case 'discard':
        return this.#discard(output.piece);
      case 'send':
        return this.#sockets.get(output.peer)?.send(output.bytes);
      case 'check-piece':
        return this.#track(this.#checkPiece(output.piece));
      case 'upload':
        return this.#track(this.#upload(output));
      case 'hang-up':
        this.#sockets.get(output.peer)?.close();
        this.#sockets.delete(output.peer);
        return;
      case 'dial':
        return this.#dial(output.endpoint);
      case 'announce':
        return this.#parts.announcer.announce(output.facts, (answer) => this.input(answer));
      case 'report':
        return this.#parts.onReport(output.report);
    }
  }

  #store(output: Extract<TorrentOutput, { type: 'store' }>, chunk: Uint8Array): void {
    let slab = this.#pieces.get(output.piece);
    if (slab === undefined) {
      slab = this.#slabs.take(pieceLengthAt(this.#parts.geometry, output.piece));
      if (slab === undefined) throw new Error(`no buffer for piece ${output.piece}: more pieces open than agreed`);
      this.#pieces.set(output.piece, slab);
    }
    copyBytes(chunk.subarray(output.start, output.end), slab, output.begin);
  }

  async #checkPiece(piece: number): Promise<void> {
    const { storage, hashPool, pieceHashes, geometry } = this.#parts;
    const slab = this.#pieces.get(piece);
    if (slab === undefined) throw new Error(`piece ${piece} is to be checked but was never stored`);
    let answer: TorrentInput;
    try {
      const digest = await hashPool.sha1(slab);
      if (equalBytes(digest, pieceHashes.subarray(piece * 20, piece * 20 + 20))) {
        await storage.write(piece * geometry.pieceLength, slab);
        answer = { type: 'piece-checked', piece, outcome: 'stored' };
      } else answer = { type: 'piece-checked', piece, outcome: 'corrupt' };
    } catch (error) {
      answer = { type: 'piece-checked', piece, outcome: 'failed', reason: messageOf(error) };
    }
    this.#discard(piece);
    this.input(answer);
    if (this.#parts.torrent.complete) this.#slabs.trim();
  }

  #discard(piece: number): void {
    const slab = this.#pieces.get(piece);
    if (slab === undefined) return;
    this.#pieces.delete(piece);
    this.#slabs.give(slab);
  }

  async #upload({ peer, blocks }: Extract<TorrentOutput, { type: 'upload' }>): Promise<void> {
    const [first] = blocks;
    if (first === undefined) return;
    const { storage, runBuffers, geometry } = this.#parts;
    const { message, targets } = runBuffers.frame(blocks);
    let bytes = 0;
    for (const block of blocks) bytes += block.length;
    try {
      await storage.read(first.piece * geometry.pieceLength + first.begin, targets);
    } catch (error) {
      runBuffers.give(message);
      return this.input({ type: 'read-failed', peer, bytes, reason: messageOf(error) });
    }
    const socket = this.#sockets.get(peer);
    if (socket === undefined) return runBuffers.give(message);
    socket.send(message, (ok) => {
      runBuffers.give(message);
      // Of a broken socket its end is the news.
      if (ok) this.input({ type: 'uploaded', peer, bytes });
    });
  }

  #dial(endpoint: Endpoint): void {
    this.#parts.dialer.dial(endpoint, (socket, reason) => {
      if (socket === undefined) return this.input({ type: 'dial-failed', endpoint, reason });
      const peer = this.#attach(socket);
      this.input({ type: 'peer-connected', peer, endpoint, incoming: false });
    });
  }

  #attach(socket: PeerSocket): number {
    const peer = this.#nextPeer++;
    this.#sockets.set(peer, socket);
    socket.attach({
      bytes: (chunk, start, end) => this.input({ type: 'bytes-received', peer, chunk, start, end }),
      ended: (reason) => {
        this.#sockets.delete(peer);
        this.input({ type: 'peer-disconnected', peer, reason });
      },
    });
    return peer;
  }

  #track(work: Promise<void>): void {
    this.#work.add(work);
    void work.finally(() => this.#work.delete(work));
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

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
