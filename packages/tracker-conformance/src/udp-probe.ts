// Asks a UDP tracker over a socket of its own with datagrams that are the caller's to the last byte. BEP 15.
// Speaks to the target's address alone; sends a request again once, half-way to the deadline, as networks lose some.
import { randomBytes } from 'node:crypto';
import { type Socket, createSocket } from 'node:dgram';
import type { Deadline } from './deadline.ts';
import { ConformanceError } from './errors.ts';
import type { Target } from './target.ts';

/** BEP 15's actions. */
export const action = { connect: 0, announce: 1, scrape: 2, error: 3 } as const;

/** What an announce over UDP says; every field as it goes on the wire. */
export interface UdpAnnounceFields {
  readonly infoHash: Uint8Array;
  readonly peerId: Uint8Array;
  readonly port: number;
  readonly uploaded?: bigint | undefined;
  readonly downloaded?: bigint | undefined;
  readonly left?: bigint | undefined;
  /** 0 none, 1 completed, 2 started, 3 stopped. */
  readonly event?: number | undefined;
  /** Default 0: the sender's. */
  readonly ip?: number | undefined;
  readonly key?: number | undefined;
  /** Default −1. */
  readonly numWant?: number | undefined;
  /** Bytes behind the announce (BEP 41). */
  readonly options?: Uint8Array | undefined;
}

/** Datagrams that are kept; a tracker that sends more is answered by forgetting them. */
const maxKept = 1024;

/** How long after the answer to a later request nothing may follow before a request counts as dropped. */
const silenceMs = 60;

/** UDP as a case speaks it. */
export class UdpProbe {
  readonly #target: Target;
  readonly #deadline: Deadline;
  readonly #socket: Socket;
  readonly #arrived = new Map<number, Buffer[]>();
  readonly #waiting = new Map<number, (reply: Buffer) => void>();
  #kept = 0;
  #strangers = 0;

  /** `localAddress`: the address to send from; default the system's choice. */
  constructor(target: Target, deadline: Deadline, localAddress?: string) {
    this.#target = target;
    this.#deadline = deadline;
    this.#socket = createSocket(target.family === 6 ? 'udp6' : 'udp4');
    this.#socket.on('message', (bytes, from) => this.#receive(bytes, from.address, from.port));
    // What cannot be sent or received is a request without an answer.
    this.#socket.on('error', () => {});
    this.#socket.bind(0, localAddress);
  }

  /** Datagrams that came from another address or port than was asked. */
  get strangers(): number {
    return this.#strangers;
  }

  /** Replies so far to a transaction. */
  replies(transaction: number): readonly Buffer[] {
    return this.#arrived.get(transaction) ?? [];
  }

  /** Replies whose transaction id nothing asked with. */
  get unasked(): number {
    return [...this.#arrived.keys()].filter((transaction) => !this.#waiting.has(transaction)).length;
  }

  send(bytes: Uint8Array): void {
    this.#socket.send(bytes, this.#target.port, this.#target.ip, () => {});
  }

  /** The first reply with the request's transaction id. @throws ConformanceError no-answer */
  async ask(bytes: Uint8Array, what = 'a request'): Promise<Buffer> {
    const transaction = transactionOf(bytes);
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    this.#waiting.set(transaction, resolve);
    this.send(bytes);
    const first = await this.#deadline.within(promise, this.#deadline.remainingMs / 2);
    if (first !== undefined) return first;
    this.send(bytes);
    return this.#deadline.answer(promise, what);
  }

  /**
   * What a request is answered with, or undefined when it was dropped: a connect sent behind it was answered, and
   * nothing came for a moment after that.
   */
  async askOrSilence(bytes: Uint8Array): Promise<Buffer | undefined> {
    const transaction = transactionOf(bytes);
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    this.#waiting.set(transaction, resolve);
    this.send(bytes);
    const later = this.ask(connectPacket(), 'a connect behind a request that may be dropped').then(() => {});
    const first = await Promise.race([promise, later]);
    return first ?? this.#deadline.within(promise, silenceMs);
  }

  /** A connection id. @throws ConformanceError no-answer */
  async connect(): Promise<Uint8Array> {
    const reply = await this.ask(connectPacket(), 'a connect');
    if (reply.length < 16 || reply.readUInt32BE(0) !== action.connect) {
      throw new ConformanceError('no-answer', `a connect was answered with ${describe(reply)}`);
    }
    return new Uint8Array(reply.subarray(8, 16));
  }

  close(): void {
    this.#socket.close();
  }

  #receive(bytes: Buffer, address: string, port: number): void {
    const { port: asked, ip } = this.#target;
    if (port !== asked || address.split('%')[0] !== ip.split('%')[0]) {
      this.#strangers++;
      return;
    }
    if (bytes.length < 8 || ++this.#kept > maxKept) return;
    const transaction = bytes.readUInt32BE(4);
    const earlier = this.#arrived.get(transaction);
    if (earlier === undefined) this.#arrived.set(transaction, [bytes]);
    else earlier.push(bytes);
    this.#waiting.get(transaction)?.(bytes);
  }
}

/** A connect request. */
export function connectPacket(): Buffer {
  const packet = Buffer.alloc(16);
  packet.writeBigUInt64BE(0x417_2710_1980n);
  packet.set(randomBytes(4), 12);
  return packet;
}

/** Any request's first 16 bytes with a random transaction id, and room for `size` bytes. */
export function requestPacket(connectionId: Uint8Array, number: number, size = 16): Buffer {
  const packet = Buffer.alloc(size);
  packet.set(connectionId);
  packet.writeUInt32BE(number, 8);
  packet.set(randomBytes(4), 12);
  return packet;
}

/** An announce request: 98 bytes and the options. */
export function announcePacket(connectionId: Uint8Array, fields: UdpAnnounceFields): Buffer {
  const packet = requestPacket(connectionId, action.announce, 98 + (fields.options?.length ?? 0));
  packet.set(fields.infoHash, 16);
  packet.set(fields.peerId, 36);
  packet.writeBigUInt64BE(BigInt.asUintN(64, fields.downloaded ?? 0n), 56);
  packet.writeBigUInt64BE(BigInt.asUintN(64, fields.left ?? 1000n), 64);
  packet.writeBigUInt64BE(BigInt.asUintN(64, fields.uploaded ?? 0n), 72);
  packet.writeUInt32BE(fields.event ?? 0, 80);
  packet.writeUInt32BE(fields.ip ?? 0, 84);
  packet.writeUInt32BE(fields.key ?? 0, 88);
  packet.writeInt32BE(fields.numWant ?? -1, 92);
  packet.writeUInt16BE(fields.port, 96);
  if (fields.options !== undefined) packet.set(fields.options, 98);
  return packet;
}

/** A scrape request. */
export function scrapePacket(connectionId: Uint8Array, infoHashes: readonly Uint8Array[]): Buffer {
  return Buffer.concat([requestPacket(connectionId, action.scrape), ...infoHashes]);
}

export function transactionOf(request: Uint8Array): number {
  return Buffer.from(request).readUInt32BE(12);
}

/** A reply in words. */
export function describe(reply: Buffer | undefined): string {
  if (reply === undefined) return 'silence';
  const number = reply.readUInt32BE(0);
  const name = Object.entries(action).find(([, value]) => value === number)?.[0] ?? `action ${number}`;
  const text = number === action.error ? ` "${reply.subarray(8, 108).toString('utf8').replace(/\0+$/, '')}"` : '';
  return `${name}${text} (${reply.length} bytes)`;
}
