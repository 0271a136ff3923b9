import type { AnnounceOutcome, PeerSample, StoreAnnounce } from '@shoal/tracker';
import type { PeerStoreCase, StoreAnswer, StoreQuestion } from '@shoal/tracker/testing';
import { seededRandom } from '@shoal/tracker/testing';
import { Redis } from 'ioredis';
import { RedisStore, type RedisStoreOptions } from '../src/index.ts';
import type { RedisServer } from '../src/testing/redis-servers.ts';

/** A connected store. */
export async function storeOn(url: string, options: Partial<RedisStoreOptions> = {}): Promise<RedisStore> {
  const store = new RedisStore(url, { random: seededRandom(1), ...options });
  await store.ready();
  return store;
}

/** A client of one server, for looking behind the store's back. */
export function clientOf({ port }: RedisServer): Redis & AsyncDisposable {
  const client = new Redis({ port, host: '127.0.0.1' });
  // A server that a test ends takes this connection with it.
  client.on('error', () => {});
  return Object.assign(client, { [Symbol.asyncDispose]: async () => client.disconnect() });
}

/** Takes all keys out of servers; functions stay. */
export async function emptied(servers: readonly RedisServer[]): Promise<void> {
  for (const server of servers) {
    await using client = clientOf(server);
    await client.flushall();
  }
}

/** Runs a case of the contract. */
export async function runCase(entry: PeerStoreCase, store: RedisStore): Promise<void> {
  const questions = entry.dialogue();
  for (let next = questions.next(); next.done !== true;) next = questions.next(await answerOf(store, next.value));
}

async function answerOf(store: RedisStore, question: StoreQuestion): Promise<StoreAnswer> {
  switch (question.ask) {
    case 'announce':
      return announceTo(store, question.peer, question.sample);
    case 'counts':
      return (await store.counts([question.infoHash]))[0];
    case 'totals': {
      // The contract is that of stores without WebTorrent peers.
      const { signalled: _, ...totals } = await store.totals();
      return totals;
    }
    case 'expire':
    case 'oldest':
      throw new Error('the store has a clock of its own');
  }
}

/** Announces; the outcome, and the answer in a sample. */
export async function announceTo(store: RedisStore, peer: StoreAnnounce, sample: PeerSample): Promise<AnnounceOutcome> {
  const answer = await store.announce(peer);
  sample.seeders = answer.seeders;
  sample.leechers = answer.leechers;
  sample.partialSeeds = answer.partialSeeds;
  sample.completed = answer.completed;
  sample.mark = answer.mark;
  for (const [records, packed, ids] of [
    [sample.ipv4, answer.ipv4, answer.ipv4Ids],
    [sample.ipv6, answer.ipv6, answer.ipv6Ids],
  ] as const) {
    records.records.set(packed);
    records.peerIds.set(ids);
    records.count = packed.length / records.stride;
  }
  return answer.outcome;
}

/** An announce: peer `host` of torrent 1, unless told otherwise. */
export function peerOf(
  told: Partial<StoreAnnounce> & { readonly host?: number; readonly torrent?: number } = {},
): StoreAnnounce {
  const { host = 1, torrent = 1, ...rest } = told;
  return {
    infoHash: new Uint8Array(20).fill(torrent),
    address: Uint8Array.of(10, 0, host >> 8, host & 0xff),
    port: 6881,
    peerId: new Uint8Array(20).fill(host),
    key: 0,
    formerly: undefined,
    seeding: false,
    partial: false,
    leaving: false,
    listing: 'public',
    want: 50,
    families: 'both',
    withPeerIds: false,
    since: undefined,
    ...rest,
  };
}
