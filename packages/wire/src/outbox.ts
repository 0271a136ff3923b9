// Bytes waiting to be sent, in one buffer that doubles: a whole turn's messages leave in one write.
// Decides nothing about the protocol. Invariant: only whole messages are in it.
import { messageId, prefixLength } from './messages.ts';
import { writeUint32 } from './integers.ts';

/** A growing run of encoded messages. */
export class Outbox {
  #bytes: Uint8Array = new Uint8Array(0);
  #length = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  keepAlive(): void {
    writeUint32(this.#bytes, this.#reserve(prefixLength), 0);
  }

  plain(id: number): void {
    this.#message(id, 0);
  }

  index(id: number, piece: number): void {
    const at = this.#message(id, 4);
    writeUint32(this.#bytes, at, piece);
  }

  block(id: number, piece: number, begin: number, length: number): void {
    const at = this.#message(id, 12);
    writeUint32(this.#bytes, at, piece);
    writeUint32(this.#bytes, at + 4, begin);
    writeUint32(this.#bytes, at + 8, length);
  }

  port(port: number): void {
    const at = this.#message(messageId.port, 2);
    this.#bytes[at] = port >>> 8;
    this.#bytes[at + 1] = port;
  }

  bitfield(bits: Uint8Array): void {
    const at = this.#message(messageId.bitfield, bits.length);
    this.#bytes.set(bits, at);
  }

  piece(piece: number, begin: number, data: Uint8Array): void {
    const at = this.#message(messageId.piece, 8 + data.length);
    writeUint32(this.#bytes, at, piece);
    writeUint32(this.#bytes, at + 4, begin);
    this.#bytes.set(data, at + 8);
  }

  extended(id: number, payload: Uint8Array): void {
    const at = this.#message(messageId.extended, 1 + payload.length);
    this.#bytes[at] = id;
    this.#bytes.set(payload, at + 1);
  }

  /** Everything, as a fresh array that is the caller's; undefined when there is nothing. */
  take(): Uint8Array | undefined {
    if (this.#length === 0) return undefined;
    const taken = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    // An idle connection holds next to nothing: one big turn (a bitfield) must not pin its buffer.
    if (this.#bytes.length > retainedLength) this.#bytes = new Uint8Array(0);
    return taken;
  }

  clear(): void {
    this.#length = 0;
    this.#bytes = new Uint8Array(0);
  }

  /** Room for a message, its header written; where its payload goes. */
  #message(id: number, payloadLength: number): number {
    const at = this.#reserve(prefixLength + 1 + payloadLength);
    writeUint32(this.#bytes, at, 1 + payloadLength);
    this.#bytes[at + prefixLength] = id;
    return at + prefixLength + 1;
  }

  #reserve(length: number): number {
    const at = this.#length;
    const needed = at + length;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length, smallestLength));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    this.#length = needed;
    return at;
  }
}

/** Room for a handful of requests: 17 bytes each. */
const smallestLength = 128;
/** Room for 480 requests, a full refill of a fast peer. */
const retainedLength = 8192;
