// Announces and scrapes as records between threads: what every announce has as numbers and bytes, what few have as JSON.
import type { AnnounceEvent, AnnounceRequest } from '@shoal/tracker-protocol';
import type { PeersWanted } from '../swarm-service.ts';

/** An announce or scrape as it comes out of a record; its bytes are the record's and valid as long as it is. */
export type Question =
  | {
      readonly kind: 'announce';
      readonly id: number;
      readonly request: AnnounceRequest;
      readonly address: Uint8Array;
      readonly wanted: PeersWanted;
    }
  | { readonly kind: 'scrape'; readonly id: number; readonly infoHashes: readonly Uint8Array[] };

const kinds = { announce: 1, scrape: 2 } as const;
const events: readonly AnnounceEvent[] = ['none', 'started', 'completed', 'stopped', 'paused'];

/** Kind, event, flags, length of the address, id, then numbers of eight bytes, then the bytes of every announce. */
const uploadedAt = 8;
const downloadedAt = 16;
const leftAt = 24;
const numWantAt = 32;
const keyAt = 36;
const portAt = 40;
const restLengthAt = 42;
const infoHashAt = 44;
const peerIdAt = 64;
const addressAt = 84;
const restAt = 100;

const flag = {
  both: 1,
  withPeerIds: 2,
  left: 4,
  numWant: 8,
  key: 16,
  compact: 32,
  spelledOut: 64,
  noPeerId: 128,
} as const;

/** A query has at most 16 KB, and no text of it more than a few hundred bytes. */
const mostRest = 8192;

/** Most bytes of an announce's record. */
export const longestAnnounce: number = restAt + mostRest;

/** Writes an announce and says how long its record is. */
export function writeAnnounce(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  id: number,
  request: AnnounceRequest,
  address: Uint8Array,
  wanted: PeersWanted,
): number {
  bytes[at] = kinds.announce;
  bytes[at + 1] = events.indexOf(request.event);
  bytes[at + 2] = flagsOf(request, wanted);
  bytes[at + 3] = address.length;
  view.setUint32(at + 4, id, true);
  view.setFloat64(at + uploadedAt, request.uploaded, true);
  view.setFloat64(at + downloadedAt, request.downloaded, true);
  view.setFloat64(at + leftAt, request.left ?? 0, true);
  // Nobody is given so many; more bits would be cut off and make few of them.
  view.setInt32(at + numWantAt, Math.min(request.numWant ?? 0, 0x7fff_ffff), true);
  view.setUint32(at + keyAt, typeof request.key === 'number' ? request.key : 0, true);
  view.setUint16(at + portAt, request.port, true);
  bytes.set(request.infoHash, at + infoHashAt);
  bytes.set(request.peerId, at + peerIdAt);
  bytes.set(address, at + addressAt);
  const rest = restOf(request);
  bytes.set(rest, at + restAt);
  view.setUint16(at + restLengthAt, rest.length, true);
  return restAt + rest.length;
}

/** Writes a scrape and says how long its record is: twenty bytes a hash and eight more. */
export function writeScrape(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  id: number,
  infoHashes: readonly Uint8Array[],
): number {
  bytes[at] = kinds.scrape;
  view.setUint32(at + 4, id, true);
  for (const [index, infoHash] of infoHashes.entries()) bytes.set(infoHash, at + 8 + 20 * index);
  return 8 + 20 * infoHashes.length;
}

/** Reads either. */
export function readQuestion(bytes: Uint8Array, view: DataView, at: number, length: number): Question {
  const id = view.getUint32(at + 4, true);
  if (bytes[at] === kinds.scrape) {
    const infoHashes: Uint8Array[] = [];
    for (let from = 8; from < length; from += 20) infoHashes.push(bytes.subarray(at + from, at + from + 20));
    return { kind: 'scrape', id, infoHashes };
  }
  const flags = bytes[at + 2]!;
  const has = (bit: number): boolean => (flags & bit) !== 0;
  const request: AnnounceRequest = {
    infoHash: bytes.subarray(at + infoHashAt, at + infoHashAt + 20),
    peerId: bytes.subarray(at + peerIdAt, at + peerIdAt + 20),
    port: view.getUint16(at + portAt, true),
    uploaded: view.getFloat64(at + uploadedAt, true),
    downloaded: view.getFloat64(at + downloadedAt, true),
    left: has(flag.left) ? view.getFloat64(at + leftAt, true) : undefined,
    event: events[bytes[at + 1]!] ?? 'none',
    numWant: has(flag.numWant) ? view.getInt32(at + numWantAt, true) : undefined,
    key: has(flag.key) ? view.getUint32(at + keyAt, true) : undefined,
    compact: has(flag.compact) ? true : has(flag.spelledOut) ? false : undefined,
    noPeerId: has(flag.noPeerId) ? true : undefined,
  };
  const rest = view.getUint16(at + restLengthAt, true);
  return {
    kind: 'announce',
    id,
    request: rest === 0 ? request : { ...request, ...parseRest(bytes.slice(at + restAt, at + restAt + rest)) },
    address: bytes.subarray(at + addressAt, at + addressAt + bytes[at + 3]!),
    wanted: { families: has(flag.both) ? 'both' : 'own', withPeerIds: has(flag.withPeerIds) },
  };
}

function flagsOf(request: AnnounceRequest, wanted: PeersWanted): number {
  return (
    (wanted.families === 'both' ? flag.both : 0) |
    (wanted.withPeerIds ? flag.withPeerIds : 0) |
    (request.left === undefined ? 0 : flag.left) |
    (request.numWant === undefined ? 0 : flag.numWant) |
    (typeof request.key === 'number' ? flag.key : 0) |
    (request.compact === true ? flag.compact : 0) |
    (request.compact === false ? flag.spelledOut : 0) |
    (request.noPeerId === true ? flag.noPeerId : 0)
  );
}

/** What most announces lack. */
type Rest = Pick<AnnounceRequest, 'trackerId' | 'last' | 'ip' | 'ipv4' | 'ipv6'> & {
  readonly key?: string | undefined;
};

function restOf({ key, trackerId, last, ip, ipv4, ipv6 }: AnnounceRequest): Uint8Array {
  const text = typeof key === 'string' ? key : undefined;
  if ((text ?? trackerId ?? last ?? ip ?? ipv4 ?? ipv6) === undefined) return none;
  const rest = encoder.encode(JSON.stringify({ key: text, trackerId, last, ip, ipv4, ipv6 } satisfies Rest));
  // Parsers cut all of these to a hundred characters; an announce is whole without them.
  return rest.length > mostRest ? none : rest;
}

const none = new Uint8Array(0);

/** What our own other thread wrote. */
function parseRest(bytes: Uint8Array): Rest {
  return JSON.parse(decoder.decode(bytes)) as Rest;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
