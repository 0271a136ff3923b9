// How a case of the contract speaks to a store: it yields questions and is resumed with answers, so that a store in
// this process and one that answers over a network run the same cases. Knows no store.
import type { ScrapeCounts } from '@shoal/tracker-protocol';
import { type PeerRecords, PeerSample } from '../peer-sample.ts';
import type { AnnounceOutcome, StoreAnnounce, StoreTotals } from '../peer-store.ts';

/** What a case asks of its store, named as in `PeerStore`. `announce` fills `sample`, which nobody else has. */
export type StoreQuestion =
  | { readonly ask: 'announce'; readonly peer: StoreAnnounce; readonly sample: PeerSample; readonly now: number }
  | { readonly ask: 'counts'; readonly infoHash: Uint8Array }
  | { readonly ask: 'expire'; readonly before: number; readonly limit: number }
  | { readonly ask: 'oldest' }
  | { readonly ask: 'totals' };

/** What the member of that name gave. */
export type StoreAnswer = AnnounceOutcome | ScrapeCounts | StoreTotals | number | undefined;

/** Questions that end with a `Value`. Throws when an answer is wrong. */
export type StoreDialogue<Value = void> = Generator<StoreQuestion, Value, StoreAnswer>;

/**
 * What a store may be without. `clock`: it goes by the `now` of its caller, and expires when told. `totals`: it knows
 * what it holds over all torrents at any moment. `ids`: it keeps peer ids. `marks`: it gives marks.
 */
export type StoreAbility = 'clock' | 'totals' | 'ids' | 'marks';

/** One thing a store must do. */
export interface PeerStoreCase {
  readonly name: string;
  /** Abilities without which the case says nothing. */
  readonly needs: readonly StoreAbility[];
  /** The questions, to be answered by a store that is empty at the first one. Throws when an answer is wrong. */
  dialogue(): StoreDialogue;
}

/** An address as cases write it: the last byte, the family, the port (6881). */
export interface Place {
  readonly host?: number;
  readonly ipv6?: boolean;
  readonly port?: number;
}

/** What a case tells a store; the rest has defaults. */
export interface Told extends Place {
  readonly torrent?: number;
  /** Every byte of the peer id. */
  readonly id?: number;
  readonly key?: number;
  /** Where it proves to have been. */
  readonly from?: Place;
  readonly seeding?: boolean;
  readonly partial?: boolean;
  readonly leaving?: boolean;
  readonly listing?: 'public' | 'private';
  readonly want?: number;
  readonly families?: 'own' | 'both';
  readonly since?: number;
}

/** What became of an announce. */
export interface Heard {
  readonly outcome: AnnounceOutcome;
  readonly sample: PeerSample;
}

export function tell(told: Told, now = 0): StoreDialogue<Heard> {
  return announce(announceOf(told), now);
}

/** A peer at 10.0.0.0 of torrent 1, unless `told` says something else. */
export function announceOf(told: Told): StoreAnnounce {
  const { torrent = 1, host = 0, ipv6 = false, id = 1, from, ...rest } = told;
  return {
    infoHash: hashOf(torrent),
    address: addressOf({ host, ipv6 }),
    port: 6881,
    peerId: new Uint8Array(20).fill(id),
    key: 0,
    formerly: from === undefined ? undefined : { address: addressOf(from), port: from.port ?? 6881 },
    seeding: false,
    partial: false,
    leaving: false,
    listing: 'public',
    want: 50,
    families: 'both',
    withPeerIds: true,
    since: undefined,
    ...rest,
  };
}

export function* announce(peer: StoreAnnounce, now = 0): StoreDialogue<Heard> {
  const sample = new PeerSample(200);
  const outcome = (yield { ask: 'announce', peer, sample, now }) as AnnounceOutcome;
  return { outcome, sample };
}

export function* counts(torrent = 1): StoreDialogue<ScrapeCounts | undefined> {
  return (yield { ask: 'counts', infoHash: hashOf(torrent) }) as ScrapeCounts | undefined;
}

export function* expire(before: number, limit: number): StoreDialogue<number> {
  return (yield { ask: 'expire', before, limit }) as number;
}

export function* oldest(): StoreDialogue<number | undefined> {
  return (yield { ask: 'oldest' }) as number | undefined;
}

export function* totals(): StoreDialogue<StoreTotals> {
  return (yield { ask: 'totals' }) as StoreTotals;
}

export function totalsOf(some: Partial<StoreTotals>): StoreTotals {
  return { torrents: 0, seeders: 0, leechers: 0, ipv4Peers: 0, ipv6Peers: 0, ipv4Seeds: 0, ipv6Seeds: 0, ...some };
}

export function hashOf(torrent: number): Uint8Array {
  return new Uint8Array(20).fill(torrent);
}

/** 10.0.0.`host`, or 2001:db8::`host`. */
export function addressOf({ host = 0, ipv6 = false }: Place): Uint8Array {
  const address = ipv6 ? new Uint8Array(16) : Uint8Array.of(10, 0, 0, 0);
  if (ipv6) address.set([0x20, 0x01, 0x0d, 0xb8]);
  address[address.length - 1] = host;
  return address;
}

/** Peers of an answer as `family:last address byte:port`, sorted. */
export function drawn({ sample }: Heard): string[] {
  return [...listed(4, sample.ipv4), ...listed(6, sample.ipv6)].toSorted();
}

function listed(family: 4 | 6, { count, stride, records }: PeerRecords): string[] {
  return Array.from({ length: count }, (_, index) => {
    const port = (index + 1) * stride - 2;
    return `${family}:${records[port - 1]}:${records[port]! * 256 + records[port + 1]!}`;
  });
}

/** @throws Error unless both say the same */
export function equal(actual: unknown, expected: unknown, what: string): void {
  const [one, other] = [textOf(actual), textOf(expected)];
  check(one === other, `${what}: expected ${other}, got ${one}`);
}

/** @throws Error unless `condition` holds */
export function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

/** JSON with sorted keys. */
function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return JSON.stringify(value) ?? 'undefined';
  return JSON.stringify(Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1))));
}
