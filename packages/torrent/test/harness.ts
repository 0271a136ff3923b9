// Drives torrents by hand: content is a pure function of its place, a hash check compares bytes, links are queues.
import { Bitfield, geometryOf, pieceLengthAt, type Geometry } from '@shoal/pieces';
import type { AnnounceReply, Endpoint } from '@shoal/tracker-protocol';
import { pieceHeaderLength, writePieceHeader } from '@shoal/wire';
import {
  Torrent,
  type TorrentInput,
  type TorrentOptions,
  type TorrentOutput,
  type TorrentReport,
} from '../src/index.ts';

export const infoHash: Uint8Array = new Uint8Array(20).fill(7);

export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export const contentAt = (offset: number): number => (offset * 31 + (offset >> 8) * 17) & 0xff;

export const idOf = (n: number): Uint8Array => new Uint8Array(20).fill(n);

export interface HostOptions extends Partial<TorrentOptions> {
  readonly id: number;
  readonly geometry?: Geometry;
  readonly have?: 'all' | 'none' | readonly number[];
  /** Bytes of this host's uploads are wrong. */
  readonly corrupt?: boolean;
  /** Pieces in doubt: on its disk or not, as `have` says of the others. */
  readonly held?: readonly number[];
}

/** A torrent, its disk in memory, and everything it reported and asked for. */
export class Host {
  readonly torrent: Torrent;
  readonly geometry: Geometry;
  readonly endpoint: Endpoint;
  readonly reports: TorrentReport[] = [];
  readonly announces: Extract<TorrentOutput, { type: 'announce' }>[] = [];
  readonly dials: Endpoint[] = [];
  readonly sent: { peer: number; bytes: Uint8Array }[] = [];
  readonly hungUp: { peer: number; reason: string }[] = [];
  readonly buffers = new Map<number, Uint8Array>();
  readonly disk: Uint8Array;
  readonly later: TorrentInput[] = [];
  checks: 'normal' | 'failing' | 'silent' = 'normal';
  reads: 'normal' | 'failing' | 'silent' = 'normal';
  #corrupt: boolean;

  constructor(options: HostOptions) {
    this.geometry = options.geometry ?? geometryOf(10 * 65_536 - 5000, 65_536);
    this.endpoint = { ip: `10.0.0.${options.id}`, port: 6881 };
    this.disk = new Uint8Array(this.geometry.totalLength);
    this.#corrupt = options.corrupt ?? false;
    const have = new Bitfield(this.geometry.pieceCount);
    if (options.have === 'all') have.addAll();
    else if (Array.isArray(options.have)) for (const piece of options.have as number[]) have.add(piece);
    for (const piece of have.indices()) this.#fill(piece);
    const held = new Bitfield(this.geometry.pieceCount);
    for (const piece of options.held ?? []) {
      held.add(piece);
      have.remove(piece);
    }
    const { id: _id, geometry: _geometry, have: _have, corrupt: _corrupt, held: _held, ...rest } = options;
    const description = { infoHash, geometry: this.geometry, isPrivate: false };
    const torrentOptions = { random: randomOf(options.id), peerId: idOf(options.id), ...rest };
    this.torrent = new Torrent(description, have, torrentOptions, { held });
  }

  get right(): boolean {
    return this.disk.every((byte, i) => byte === contentAt(i));
  }

  handle(input: TorrentInput, now: number): void {
    for (const output of this.torrent.handle(input, now)) this.#perform(output, input);
  }

  reported<T extends TorrentReport['type']>(type: T): Extract<TorrentReport, { type: T }>[] {
    return this.reports.filter((report): report is Extract<TorrentReport, { type: T }> => report.type === type);
  }

  /** A piece whose check was not answered is written after all. */
  checkAgain(piece: number): void {
    this.#check(piece);
  }

  #check(piece: number): void {
    const buffer = this.buffers.get(piece);
    if (buffer === undefined) throw new Error('check without a buffer');
    this.buffers.delete(piece);
    const from = piece * this.geometry.pieceLength;
    const good = buffer.every((byte, i) => byte === contentAt(from + i));
    if (good && this.checks === 'normal') this.disk.set(buffer, from);
    const outcome = this.checks === 'failing' ? 'failed' : good ? 'stored' : 'corrupt';
    this.later.push({ type: 'piece-checked', piece, outcome, reason: 'no space left' });
  }

  #fill(piece: number): void {
    const from = piece * this.geometry.pieceLength;
    for (let i = from; i < from + pieceLengthAt(this.geometry, piece); i++) this.disk[i] = contentAt(i);
  }

  #perform(output: TorrentOutput, input: TorrentInput): void {
    switch (output.type) {
      case 'store': {
        if (input.type !== 'bytes-received') throw new Error('store without a chunk');
        let buffer = this.buffers.get(output.piece);
        if (buffer === undefined) {
          buffer = new Uint8Array(pieceLengthAt(this.geometry, output.piece));
          this.buffers.set(output.piece, buffer);
        }
        buffer.set(input.chunk.subarray(output.start, output.end), output.begin);
        return;
      }
      case 'check-piece': {
        if (!this.buffers.has(output.piece)) throw new Error('check without a buffer');
        if (this.checks !== 'silent') this.#check(output.piece);
        return;
      }
      case 'discard':
        this.buffers.delete(output.piece);
        return;
      case 'upload': {
        let bytes = 0;
        if (this.reads === 'silent') return;
        if (this.reads === 'failing') {
          for (const { length } of output.blocks) bytes += length;
          const { peer, blocks } = output;
          this.later.push({ type: 'read-failed', peer, bytes, blocks, reason: 'input/output error' });
          return;
        }
        for (const block of output.blocks) {
          const message = new Uint8Array(pieceHeaderLength + block.length);
          writePieceHeader(message, 0, block);
          const from = block.piece * this.geometry.pieceLength + block.begin;
          message.set(this.disk.subarray(from, from + block.length), pieceHeaderLength);
          if (this.#corrupt) message[pieceHeaderLength] = (message[pieceHeaderLength] ?? 0) ^ 1;
          this.sent.push({ peer: output.peer, bytes: message });
          bytes += block.length;
        }
        this.later.push({ type: 'uploaded', peer: output.peer, bytes });
        return;
      }
      case 'send':
        this.sent.push({ peer: output.peer, bytes: output.bytes });
        return;
      case 'hang-up':
        this.hungUp.push({ peer: output.peer, reason: output.reason });
        return;
      case 'dial':
        this.dials.push(output.endpoint);
        return;
      case 'announce':
        this.announces.push(output);
        return;
      case 'report':
        this.reports.push(output.report);
        return;
    }
  }
}

/** Hosts joined by links; time moves only when everybody is quiet. */
export class World {
  readonly #hosts: Host[] = [];
  readonly #links = new Map<string, { host: Host; peer: number }>();
  readonly #ears = new Map<string, (bytes: Uint8Array) => void>();
  now = 1000;
  #nextPeer = 1;

  add(host: Host): Host {
    this.#hosts.push(host);
    host.handle({ type: 'started' }, this.now);
    return host;
  }

  connect(from: Host, to: Host): { fromPeer: number; toPeer: number } {
    const fromPeer = this.#nextPeer++;
    const toPeer = this.#nextPeer++;
    this.#links.set(key(from, fromPeer), { host: to, peer: toPeer });
    this.#links.set(key(to, toPeer), { host: from, peer: fromPeer });
    from.handle({ type: 'peer-connected', peer: fromPeer, endpoint: to.endpoint, incoming: false }, this.now);
    to.handle(
      { type: 'peer-connected', peer: toPeer, endpoint: { ...from.endpoint, port: 40_000 }, incoming: true },
      this.now,
    );
    return { fromPeer, toPeer };
  }

  /** What the host sends to a peer that is no host goes here. */
  onSent(host: Host, peer: number, ear: (bytes: Uint8Array) => void): void {
    this.#ears.set(key(host, peer), ear);
  }

  disconnect(host: Host, peer: number): void {
    const other = this.#links.get(key(host, peer));
    this.#links.delete(key(host, peer));
    host.handle({ type: 'peer-disconnected', peer, reason: 'cut' }, this.now);
    if (other !== undefined) {
      this.#links.delete(key(other.host, other.peer));
      other.host.handle({ type: 'peer-disconnected', peer: other.peer, reason: 'cut' }, this.now);
    }
  }

  /** Delivers everything until nobody has anything to say. */
  settle(): void {
    for (let busy = true; busy;) {
      busy = false;
      for (const host of this.#hosts) if (this.#turn(host)) busy = true;
    }
  }

  /** Lets `ms` pass, each torrent waking at its deadlines. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      this.settle();
      const next = Math.min(...this.#hosts.map((host) => host.torrent.deadline));
      if (next > end) break;
      this.now = Math.max(this.now, next);
      for (const host of this.#hosts)
        if (host.torrent.deadline <= this.now) host.handle({ type: 'time-passed' }, this.now);
    }
    this.now = end;
  }

  #turn(host: Host): boolean {
    const inputs = host.later.splice(0);
    for (const input of inputs) host.handle(input, this.now);
    const sent = host.sent.splice(0);
    for (const { peer, bytes } of sent) {
      const link = this.#links.get(key(host, peer));
      this.#ears.get(key(host, peer))?.(bytes);
      if (link === undefined) continue;
      link.host.handle(
        { type: 'bytes-received', peer: link.peer, chunk: bytes, start: 0, end: bytes.length },
        this.now,
      );
    }
    const hungUp = host.hungUp.filter(({ peer }) => this.#links.has(key(host, peer)));
    for (const { peer } of hungUp) this.disconnect(host, peer);
    return inputs.length + sent.length + hungUp.length > 0;
  }
}

const key = (host: Host, peer: number): string => `${host.endpoint.ip}#${peer}`;

export const replyOf = (reply: Partial<AnnounceReply> = {}): AnnounceReply => ({ interval: 1800, peers: [], ...reply });
