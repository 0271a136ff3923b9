// The stream after the handshake, cut into messages (BEP 3, "peer protocol"), pulled one at a time with `next`.
// Small messages are read where they lie, or put together in a buffer that grows only with bytes received; the data of
// a block is never kept, only pointed at. Every fault is found at a fixed byte, so cutting the stream changes nothing.
// Must not know what a message means, nor the state of a connection.
import type { WireErrorCode } from './errors.ts';
import { readUint32 } from './integers.ts';
import { isKnown, lengthFault, maxMessageLength, messageId, pieceHeaderLength, prefixLength } from './messages.ts';

/** What `next` found: a whole message, the header of a `piece`, some of its data, or a length that is not allowed. */
export type Frame = 'message' | 'block-start' | 'block-data' | 'fault';

/** Cuts one peer's stream. The fields describe the frame that `next` returned last. */
export class Framer {
  /** Where reading stopped in the chunk handed in last. */
  position = 0;

  /** `message`: its id, and where its payload lies. */
  id = 0;
  body: Uint8Array = nothing;
  bodyStart = 0;
  bodyEnd = 0;

  /** `block-start`, and unchanged until the next one: the range that the `piece` message carries. */
  piece = 0;
  begin = 0;
  length = 0;

  /** `block-data`: where in the chunk it lies, and where in the message's data it belongs. */
  dataStart = 0;
  dataEnd = 0;
  dataOffset = 0;

  /** `fault`. */
  fault: WireErrorCode = 'message-too-long';

  readonly #bitfieldBytes: number;
  readonly #longest: number;
  #assembly: Uint8Array = nothing;
  #held = 0;
  #need = prefixLength;
  #dataLeft = 0;
  #skipLeft = 0;

  constructor(pieceCount: number) {
    this.#bitfieldBytes = Math.ceil(pieceCount / 8);
    this.#longest = Math.max(maxMessageLength, 1 + this.#bitfieldBytes);
  }

  /** Whether all data of the `piece` message being read was reported. */
  get isBlockOver(): boolean {
    return this.#dataLeft === 0;
  }

  /** The next frame in `chunk` from `position` up to `end`; undefined when it takes more bytes to say. */
  next(chunk: Uint8Array, position: number, end: number): Frame | undefined {
    this.position = position;
    for (;;) {
      const available = end - this.position;
      if (available <= 0) return undefined;
      if (this.#dataLeft > 0) return this.#takeData(available);
      if (this.#skipLeft > 0) {
        this.#skip(available);
        continue;
      }
      const inPlace = this.#held === 0 && available >= pieceHeaderLength;
      const found = inPlace ? this.#readInPlace(chunk, end) : this.#assemble(chunk, end);
      if (found === 'more') return undefined;
      if (found !== 'nothing') return found;
    }
  }

  /** Lets go of the chunk and of what was put together from it. */
  release(): void {
    this.body = nothing;
    if (this.#held === 0 && this.#assembly.length > retainedLength) this.#assembly = nothing;
  }

  #takeData(available: number): Frame {
    const taken = Math.min(available, this.#dataLeft);
    this.dataOffset = this.length - this.#dataLeft;
    this.dataStart = this.position;
    this.dataEnd = this.position + taken;
    this.position += taken;
    this.#dataLeft -= taken;
    return 'block-data';
  }

  #skip(available: number): void {
    const taken = Math.min(available, this.#skipLeft);
    this.position += taken;
    this.#skipLeft -= taken;
  }

  /** With at least 13 bytes at hand, which is every header that there is. */
  #readInPlace(chunk: Uint8Array, end: number): Found {
    const at = this.position;
    const length = readUint32(chunk, at);
    if (length === 0) {
      this.position = at + prefixLength;
      return 'nothing';
    }
    const id = chunk[at + prefixLength]!;
    if (!this.#isAllowed(id, length)) return 'fault';
    if (id === messageId.piece) {
      this.position = at + pieceHeaderLength;
      return this.#startBlock(chunk, at, length);
    }
    if (!isKnown(id)) {
      this.position = at + prefixLength + 1;
      this.#skipLeft = length - 1;
      return 'nothing';
    }
    if (end - at < prefixLength + length) return this.#assemble(chunk, end);
    this.position = at + prefixLength + length;
    return this.#message(id, chunk, at + prefixLength + 1, this.position);
  }

  /** Through the same stations at the same bytes as `#readInPlace`: prefix, id, then header or whole message. */
  #assemble(chunk: Uint8Array, end: number): Found {
    if (this.#held === 0) this.#need = prefixLength;
    while (this.#collect(chunk, end)) {
      const length = readUint32(this.#assembly, 0);
      if (this.#need === prefixLength) {
        if (length === 0) return this.#assembled('nothing');
        if (length > this.#longest) return this.#fail('message-too-long');
        this.#need = prefixLength + 1;
        continue;
      }
      const id = this.#assembly[prefixLength]!;
      if (this.#need === prefixLength + 1) {
        if (!this.#isAllowed(id, length)) return 'fault';
        if (!isKnown(id)) {
          this.#skipLeft = length - 1;
          return this.#assembled('nothing');
        }
        this.#need = id === messageId.piece ? pieceHeaderLength : prefixLength + length;
        if (this.#need > this.#held) continue;
      }
      if (id === messageId.piece) return this.#assembled(this.#startBlock(this.#assembly, 0, length));
      return this.#assembled(this.#message(id, this.#assembly, prefixLength + 1, this.#need));
    }
    return 'more';
  }

  /** Moves bytes into the assembly up to `#need`; true when they are all there. */
  #collect(chunk: Uint8Array, end: number): boolean {
    const taken = Math.min(this.#need - this.#held, end - this.position);
    const needed = this.#held + taken;
    if (needed > this.#assembly.length) {
      // Never more than twice what really arrived, whatever the prefix promises.
      const grown = new Uint8Array(Math.max(needed, Math.min(2 * this.#assembly.length, this.#need), smallestLength));
      grown.set(this.#assembly.subarray(0, this.#held));
      this.#assembly = grown;
    }
    this.#assembly.set(chunk.subarray(this.position, this.position + taken), this.#held);
    this.#held = needed;
    this.position += taken;
    return this.#held === this.#need;
  }

  #assembled<F extends Found>(found: F): F {
    this.#held = 0;
    return found;
  }

  #startBlock(header: Uint8Array, at: number, length: number): Frame {
    this.piece = readUint32(header, at + 5);
    this.begin = readUint32(header, at + 9);
    this.length = length + prefixLength - pieceHeaderLength;
    this.#dataLeft = this.length;
    return 'block-start';
  }

  #message(id: number, body: Uint8Array, start: number, end: number): Frame {
    this.id = id;
    this.body = body;
    this.bodyStart = start;
    this.bodyEnd = end;
    return 'message';
  }

  #isAllowed(id: number, length: number): boolean {
    const fault = length > this.#longest ? 'message-too-long' : lengthFault(id, length, this.#bitfieldBytes);
    if (fault === undefined) return true;
    this.#fail(fault);
    return false;
  }

  #fail(fault: WireErrorCode): Frame {
    this.fault = fault;
    return 'fault';
  }
}

type Found = Frame | 'nothing' | 'more';

const nothing: Uint8Array = new Uint8Array(0);
/** Room for every message but bitfields and extended ones. */
const smallestLength = 20;
/** What an idle connection may keep: an extended handshake fits. */
const retainedLength = 1024;
