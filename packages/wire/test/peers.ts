// Connections to test with, and the peer at the other end of them as plain bytes.
import { type Block, Bitfield, blockAt, type Geometry, geometryOf } from '@shoal/pieces';
import {
  decodeMessage,
  encodeHandshake,
  encodeMessage,
  type Features,
  type PeerMessage,
  PeerConnection,
  type PeerConnectionOptions,
  type WireEvent,
} from '../src/index.ts';

/** Six pieces: five of two blocks, the last of 20,000 bytes. */
export const geometry: Geometry = geometryOf(5 * 32_768 + 20_000, 32_768);
export const infoHash: Uint8Array = new Uint8Array(20).fill(0xaa);
export const ownId: Uint8Array = new TextEncoder().encode('-SH0000-own own own ');
export const peerId: Uint8Array = new TextEncoder().encode('-XX0000-peer peer pe');

export function connect(options: Partial<PeerConnectionOptions> = {}): PeerConnection {
  return new PeerConnection({ infoHash, peerId: ownId, geometry, initiator: false, now: 0, ...options });
}

export const allFeatures: Features = { fast: true, extended: false, dht: false };
export const noFeatures: Features = { fast: false, extended: false, dht: false };

/** A connection whose peer sent its handshake with `features` and which said that it has nothing; nothing to be sent. */
export function shaken(
  features: Partial<Features> = noFeatures,
  options: Partial<PeerConnectionOptions> = {},
): PeerConnection {
  const connection = connect(options);
  feed(connection, [encodeHandshake({ infoHash, peerId, ...features })]);
  connection.sendPieces(new Bitfield((options.geometry ?? geometry).pieceCount));
  connection.takeBytes();
  return connection;
}

/** One that the peer unchoked and that unchoked the peer. */
export function open(
  features: Partial<Features> = noFeatures,
  options: Partial<PeerConnectionOptions> = {},
): PeerConnection {
  const connection = shaken(features, options);
  feed(connection, [{ type: 'unchoke' }, { type: 'interested' }]);
  connection.unchoke();
  connection.takeBytes();
  return connection;
}

/** Hands everything over as one chunk. */
export function feed(
  connection: PeerConnection,
  parts: readonly (PeerMessage | Uint8Array)[],
  now: number = 0,
): readonly WireEvent[] {
  const bytes = join(parts.map((part) => (part instanceof Uint8Array ? part : encodeMessage(part))));
  return connection.receive(bytes, 0, bytes.length, now);
}

/** The messages to be sent; the handshake has to be out. */
export function sent(connection: PeerConnection): PeerMessage[] {
  return messagesIn(connection.takeBytes() ?? new Uint8Array(0));
}

export function messagesIn(bytes: Uint8Array): PeerMessage[] {
  const messages: PeerMessage[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0);
    messages.push(decodeMessage(bytes.subarray(at, at + 4 + length)));
    at += 4 + length;
  }
  return messages;
}

export function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function block(piece: number, index: number = 0): Block {
  return blockAt(geometry, piece, index);
}

export function request(of: Block): PeerMessage {
  return { type: 'request', ...of };
}

/** The block's `piece` message; every byte tells where it belongs. */
export function pieceMessage(of: Block): PeerMessage & { type: 'piece' } {
  const data = Uint8Array.from({ length: of.length }, (_, at) => (of.piece * 31 + (of.begin + at) * 7) & 0xff);
  return { type: 'piece', piece: of.piece, begin: of.begin, data };
}

/** A message as raw bytes: what no encoder of ours would write. */
export function raw(id: number, payload: readonly number[] | Uint8Array): Uint8Array {
  const bytes = new Uint8Array(5 + payload.length);
  new DataView(bytes.buffer).setUint32(0, 1 + payload.length);
  bytes[4] = id;
  bytes.set(payload, 5);
  return bytes;
}

export function typesOf(events: readonly WireEvent[]): string[] {
  return events.map((event) => event.type);
}

/** The code of the `end` event, which has to be the last one. */
export function endOf(events: readonly WireEvent[]): string | undefined {
  const last = events.at(-1);
  return last?.type === 'end' ? last.code : undefined;
}

/** Repeatable numbers in [0, 1): a linear congruence (Numerical Recipes). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
