// Answers as records between threads: counts and packed peers as numbers and bytes, everything rare as JSON.
import { type PackedReply, type PeerRecords, PeerSample } from '@shoal/tracker';
import type { AnnounceFailure, ScrapeCounts } from '@shoal/tracker-protocol';

/** What came back for a question; `sample` in a listing is filled again by the next one. */
export type AnswerRecord =
  | { readonly kind: 'listing'; readonly id: number; readonly reply: PackedReply }
  | { readonly kind: 'refusal'; readonly id: number; readonly failure: AnnounceFailure }
  | { readonly kind: 'counts'; readonly id: number; readonly counts: readonly (ScrapeCounts | undefined)[] };

const kinds = { listing: 1, refusal: 2, counts: 3 } as const;

/** Kind, whether ids follow, length of the rest, id, then numbers of four bytes, then lists. */
const restLengthAt = 2;
const intervalAt = 8;
const seedersAt = 12;
const leechersAt = 16;
const partialSeedsAt = 20;
const completedAt = 24;
const markAt = 32;
const countsAt = 40;
const listsAt = 44;

const idBytes = 20;
const mostRest = 4096;

/** Bytes of a listing, at most. */
export function listingLength({ sample: { ipv4, ipv6 } }: PackedReply): number {
  return listsAt + ipv4.count * (ipv4.stride + idBytes) + ipv6.count * (ipv6.stride + idBytes) + mostRest;
}

/** Writes the answer to an announce and says how long its record is. */
export function writeListing(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  id: number,
  { sample, interval, ...rare }: PackedReply,
  withPeerIds: boolean,
): number {
  bytes[at] = kinds.listing;
  bytes[at + 1] = withPeerIds ? 1 : 0;
  view.setUint32(at + 4, id, true);
  view.setUint32(at + intervalAt, interval, true);
  view.setUint32(at + seedersAt, sample.seeders, true);
  view.setUint32(at + leechersAt, sample.leechers, true);
  view.setUint32(at + partialSeedsAt, sample.partialSeeds, true);
  view.setUint32(at + completedAt, sample.completed, true);
  view.setFloat64(at + markAt, sample.mark, true);
  view.setUint16(at + countsAt, sample.ipv4.count, true);
  view.setUint16(at + countsAt + 2, sample.ipv6.count, true);
  let end = at + listsAt;
  for (const list of [sample.ipv4, sample.ipv6]) end = writeList(bytes, end, list, withPeerIds);
  const { minInterval, warning, trackerId, last, numPeers } = rare;
  const isPlain = (minInterval ?? warning ?? trackerId ?? last ?? numPeers) === undefined;
  const rest = isPlain ? none : encoder.encode(JSON.stringify(rare));
  // The texts are our own and short.
  const written = rest.length > mostRest ? none : rest;
  bytes.set(written, end);
  view.setUint16(at + restLengthAt, written.length, true);
  return end - at + written.length;
}

function writeList(
  bytes: Uint8Array,
  at: number,
  { count, stride, records, peerIds }: PeerRecords,
  withIds: boolean,
): number {
  bytes.set(records.subarray(0, count * stride), at);
  const end = at + count * stride;
  if (!withIds) return end;
  bytes.set(peerIds.subarray(0, count * idBytes), end);
  return end + count * idBytes;
}

/** A refusal, or the counts of a scrape, as text to be written. */
export function rareAnswer(answer: AnnounceFailure | readonly (ScrapeCounts | undefined)[]): Uint8Array {
  return encoder.encode(JSON.stringify(answer));
}

/** Writes what `rareAnswer` made and says how long its record is: eight bytes more. */
export function writeRare(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  id: number,
  kind: 'refusal' | 'counts',
  text: Uint8Array,
): number {
  bytes[at] = kinds[kind];
  view.setUint32(at + 4, id, true);
  bytes.set(text, at + 8);
  return 8 + text.length;
}

/** The id of the question that a record answers. */
export function answerId(view: DataView, at: number): number {
  return view.getUint32(at + 4, true);
}

/** Reads answers, each sample into the one before. */
export class AnswerReader {
  readonly #sample = new PeerSample(1000);

  read(bytes: Uint8Array, view: DataView, at: number, length: number): AnswerRecord {
    const id = answerId(view, at);
    if (bytes[at] === kinds.listing) return { kind: 'listing', id, reply: this.#listing(bytes, view, at) };
    // What our own other thread wrote.
    const value: unknown = JSON.parse(decoder.decode(bytes.slice(at + 8, at + length)));
    if (bytes[at] === kinds.refusal) return { kind: 'refusal', id, failure: value as AnnounceFailure };
    const counts = (value as (ScrapeCounts | null)[]).map((entry) => entry ?? undefined);
    return { kind: 'counts', id, counts };
  }

  #listing(bytes: Uint8Array, view: DataView, at: number): PackedReply {
    const sample = this.#sample;
    sample.seeders = view.getUint32(at + seedersAt, true);
    sample.leechers = view.getUint32(at + leechersAt, true);
    sample.partialSeeds = view.getUint32(at + partialSeedsAt, true);
    sample.completed = view.getUint32(at + completedAt, true);
    sample.mark = view.getFloat64(at + markAt, true);
    sample.ipv4.count = view.getUint16(at + countsAt, true);
    sample.ipv6.count = view.getUint16(at + countsAt + 2, true);
    const withIds = bytes[at + 1] === 1;
    let end = at + listsAt;
    for (const list of [sample.ipv4, sample.ipv6]) end = readList(bytes, end, list, withIds);
    const length = view.getUint16(at + restLengthAt, true);
    const rest =
      length === 0 ? nothing : (JSON.parse(decoder.decode(bytes.slice(end, end + length))) as typeof nothing);
    return { ...nothing, ...rest, interval: view.getUint32(at + intervalAt, true), sample };
  }
}

function readList(
  bytes: Uint8Array,
  at: number,
  { count, stride, records, peerIds }: PeerRecords,
  withIds: boolean,
): number {
  const end = at + count * stride;
  records.set(bytes.subarray(at, end));
  if (!withIds) return end;
  peerIds.set(bytes.subarray(end, end + count * idBytes));
  return end + count * idBytes;
}

const nothing: Omit<PackedReply, 'interval' | 'sample'> = {
  minInterval: undefined,
  warning: undefined,
  trackerId: undefined,
  last: undefined,
  numPeers: undefined,
};

const none = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder();
