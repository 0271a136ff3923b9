// What the nodes of one tracker write to each other: who a member is at which node, and an offer or an answer on its way
// there with the message that the peer will get. Decides no more than the layout; what is malformed is left out.
import type { IdText } from '@shoal/tracker-protocol';

/** A text of 8 characters up to U+00FF, one a byte, drawn when a node starts. */
export type NodeId = string;

/** A member of a torrent as other nodes know it. */
export interface MemberName {
  readonly node: NodeId;
  /** The number of its connection there, below 2^48. */
  readonly connection: number;
  readonly peerId: IdText;
}

/** An offer or an answer between peers of two nodes. */
export interface RelayedSignal {
  readonly action: 'offer' | 'answer';
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  readonly from: MemberName;
  readonly to: MemberName;
  readonly offerId: IdText;
  /** What `to` is sent. */
  readonly text: string;
}

/** Node, connection and peer id. */
export const memberNameBytes = 34;

/** Where the parts of a signal are, after the four bytes that say how long it is. */
const layout = { action: 4, infoHash: 5, from: 25, to: 59, offerId: 93, text: 113 } as const;

/** Of batches, so that nodes of other versions can tell. */
const version = 1;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The name as 34 bytes. */
export function encodeMemberName(name: MemberName): Uint8Array {
  const bytes = new Uint8Array(memberNameBytes);
  writeName(name, bytes, 0);
  return bytes;
}

/** The names in packed bytes; what is left at their end is ignored. */
export function decodeMemberNames(bytes: Uint8Array): MemberName[] {
  const names: MemberName[] = [];
  for (let at = 0; at + memberNameBytes <= bytes.length; at += memberNameBytes) names.push(readName(bytes, at));
  return names;
}

/** One signal, to be put into a batch. */
export function encodeRelayedSignal({ action, infoHash, from, to, offerId, text }: RelayedSignal): Uint8Array {
  const encoded = encoder.encode(text);
  const bytes = new Uint8Array(layout.text + encoded.length);
  new DataView(bytes.buffer).setUint32(0, bytes.length);
  bytes[layout.action] = action === 'offer' ? 0 : 1;
  bytes.set(infoHash, layout.infoHash);
  writeName(from, bytes, layout.from);
  writeName(to, bytes, layout.to);
  writeText(offerId, bytes, layout.offerId);
  bytes.set(encoded, layout.text);
  return bytes;
}

/** What one node is handed at once: encoded signals, one after the other. */
export function encodeSignalBatch(signals: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(signals.reduce((sum, { length }) => sum + length, 1));
  bytes[0] = version;
  let at = 1;
  for (const signal of signals) {
    bytes.set(signal, at);
    at += signal.length;
  }
  return bytes;
}

/** The signals of a batch, up to where it is not one. Nothing for a batch of another version. */
export function decodeSignalBatch(batch: Uint8Array): RelayedSignal[] {
  const signals: RelayedSignal[] = [];
  if (batch[0] !== version) return signals;
  const view = new DataView(batch.buffer, batch.byteOffset, batch.length);
  for (let at = 1; at + layout.text <= batch.length;) {
    const end = at + view.getUint32(at);
    if (end < at + layout.text || end > batch.length) break;
    signals.push({
      action: batch[at + layout.action] === 0 ? 'offer' : 'answer',
      infoHash: batch.slice(at + layout.infoHash, at + layout.from),
      from: readName(batch, at + layout.from),
      to: readName(batch, at + layout.to),
      offerId: readText(batch, at + layout.offerId, 20),
      text: decoder.decode(batch.subarray(at + layout.text, end)),
    });
    at = end;
  }
  return signals;
}

function writeName({ node, connection, peerId }: MemberName, into: Uint8Array, at: number): void {
  writeText(node, into, at);
  const view = new DataView(into.buffer, into.byteOffset);
  view.setUint16(at + 8, Math.floor(connection / 2 ** 32));
  view.setUint32(at + 10, connection % 2 ** 32);
  writeText(peerId, into, at + 14);
}

function readName(bytes: Uint8Array, at: number): MemberName {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return {
    node: readText(bytes, at, 8),
    connection: view.getUint16(at + 8) * 2 ** 32 + view.getUint32(at + 10),
    peerId: readText(bytes, at + 14, 20),
  };
}

function writeText(text: string, into: Uint8Array, at: number): void {
  for (let index = 0; index < text.length; index++) into[at + index] = text.charCodeAt(index);
}

function readText(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}
