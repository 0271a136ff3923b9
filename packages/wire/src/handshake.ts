// The 68 bytes that open a connection: name of the protocol, reserved bits, info-hash, peer id (BEP 3, "peer protocol").
// Decides whether they are BitTorrent at all, in any fragmentation; must not know which torrents we have.
import { WireError } from './errors.ts';

/** Bytes of a whole handshake. */
export const handshakeLength = 68;
/** Bytes after which the info-hash is known and the responder has to answer; some peers send the rest only then. */
export const infoHashEnd = 48;

/** What the reserved bits offer. A feature is on when both sides offer it. */
export interface Features {
  /** Fast extension (BEP 6). */
  readonly fast: boolean;
  /** Extension protocol (BEP 10). */
  readonly extended: boolean;
  /** DHT, that is the `port` message (BEP 5). */
  readonly dht: boolean;
}

/** A whole handshake; `infoHash` and `peerId` are 20 bytes, `reserved` 8. */
export interface Handshake extends Features {
  readonly reserved: Uint8Array;
  readonly infoHash: Uint8Array;
  readonly peerId: Uint8Array;
}

/** What a handshake is made of; features left out are not offered. */
export interface HandshakeFields extends Partial<Features> {
  readonly infoHash: Uint8Array;
  readonly peerId: Uint8Array;
}

/**
 * The 68 bytes of a handshake.
 * @throws RangeError when the info-hash or the peer id is not 20 bytes.
 */
export function encodeHandshake(fields: HandshakeFields): Uint8Array {
  requireTwenty(fields.infoHash, 'info-hash');
  requireTwenty(fields.peerId, 'peer id');
  const bytes = new Uint8Array(handshakeLength);
  bytes.set(protocolHeader);
  if (fields.extended === true) bytes[reservedStart + 5]! |= extendedBit;
  if (fields.fast === true) bytes[reservedStart + 7]! |= fastBit;
  if (fields.dht === true) bytes[reservedStart + 7]! |= dhtBit;
  bytes.set(fields.infoHash, infoHashStart);
  bytes.set(fields.peerId, infoHashEnd);
  return bytes;
}

/**
 * A whole handshake from exactly 68 bytes. The fields are copies.
 * @throws WireError `not-bittorrent`, `truncated`, `trailing-bytes`
 */
export function decodeHandshake(bytes: Uint8Array): Handshake {
  requireProtocol(bytes, 0, bytes.length);
  if (bytes.length < handshakeLength) {
    throw new WireError('truncated', `handshake of ${bytes.length} bytes, ${handshakeLength} are needed`);
  }
  if (bytes.length > handshakeLength) {
    throw new WireError('trailing-bytes', `${bytes.length - handshakeLength} bytes after the handshake`);
  }
  const reserved = bytes.slice(reservedStart, infoHashStart);
  const infoHash = bytes.slice(infoHashStart, infoHashEnd);
  return { reserved, infoHash, peerId: bytes.slice(infoHashEnd), ...featuresOf(reserved) };
}

/**
 * The info-hash of a handshake of which at least 48 bytes are there, or undefined while more are needed: what a
 * listener with many torrents needs before it can make a connection. A copy.
 * @throws WireError `not-bittorrent` at the first byte that cannot be BitTorrent
 */
export function peekInfoHash(bytes: Uint8Array): Uint8Array | undefined {
  requireProtocol(bytes, 0, bytes.length);
  return bytes.length < infoHashEnd ? undefined : bytes.slice(infoHashStart, infoHashEnd);
}

/** What the 8 reserved bytes offer (BEP 6, BEP 10, BEP 5); all other bits are ignored. */
export function featuresOf(reserved: Uint8Array): Features {
  const last = reserved[7] ?? 0;
  return {
    fast: (last & fastBit) !== 0,
    extended: ((reserved[5] ?? 0) & extendedBit) !== 0,
    dht: (last & dhtBit) !== 0,
  };
}

/** Collects a handshake from chunks of any size. Pull with `next` until it gives undefined. */
export class HandshakeReader {
  /** Where reading stopped in the chunk handed in last. */
  position = 0;
  readonly #bytes: Uint8Array = new Uint8Array(handshakeLength);
  #held = 0;

  /** `handshake` at byte 48, `peer-id` at byte 68, `fault` at the first byte that cannot be BitTorrent. */
  next(chunk: Uint8Array, position: number, end: number): 'handshake' | 'peer-id' | 'fault' | undefined {
    const before = this.#held;
    const goal = before < infoHashEnd ? infoHashEnd : handshakeLength;
    const taken = Math.min(goal - before, end - position);
    this.#bytes.set(chunk.subarray(position, position + taken), before);
    this.#held = before + taken;
    this.position = position + taken;
    if (!isProtocol(this.#bytes, before, this.#held)) return 'fault';
    if (taken === 0 || this.#held < goal) return undefined;
    return goal === infoHashEnd ? 'handshake' : 'peer-id';
  }

  get reserved(): Uint8Array {
    return this.#bytes.slice(reservedStart, infoHashStart);
  }

  get infoHash(): Uint8Array {
    return this.#bytes.slice(infoHashStart, infoHashEnd);
  }

  get peerId(): Uint8Array {
    return this.#bytes.slice(infoHashEnd);
  }
}

function requireTwenty(bytes: Uint8Array, what: string): void {
  if (bytes.length !== 20) throw new RangeError(`${what} of ${bytes.length} bytes, it has to be 20`);
}

function requireProtocol(bytes: Uint8Array, from: number, to: number): void {
  if (!isProtocol(bytes, from, to)) throw new WireError('not-bittorrent', 'not the BitTorrent protocol');
}

function isProtocol(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to && at < reservedStart; at += 1) if (bytes[at] !== protocolHeader[at]) return false;
  return true;
}

/** Byte 19, then the name of the protocol (BEP 3). */
const protocolHeader: Uint8Array = new TextEncoder().encode('\x13BitTorrent protocol');
const reservedStart = 20;
const infoHashStart = 28;
/** reserved[5], BEP 10. */
const extendedBit = 0x10;
/** reserved[7], BEP 6. */
const fastBit = 0x04;
/** reserved[7], BEP 5. */
const dhtBit = 0x01;
