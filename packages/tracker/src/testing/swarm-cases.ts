// The contract about swarms: who is counted, who is drawn, who is forgotten, and when. BEP 3, 23.
import {
  type PeerStoreCase,
  announce,
  announceOf,
  check,
  counts,
  drawn,
  equal,
  expire,
  oldest,
  tell,
  totals,
  totalsOf,
} from './store-dialogue.ts';

export const swarmCases: readonly PeerStoreCase[] = [
  {
    name: 'an unknown torrent has no counts and takes no memory',
    needs: ['clock', 'totals'],
    *dialogue() {
      equal(yield* counts(), undefined, 'counts');
      equal(yield* totals(), totalsOf({}), 'totals');
      equal(yield* oldest(), undefined, 'oldest');
    },
  },
  {
    name: 'leechers and seeds are counted apart, over both families',
    needs: ['totals'],
    *dialogue() {
      yield* tell({ host: 1 });
      yield* tell({ host: 2, seeding: true });
      const { sample } = yield* tell({ host: 3, ipv6: true });
      equal([sample.leechers, sample.seeders, sample.completed], [2, 1, 0], 'counts in the answer');
      equal(yield* counts(), { complete: 1, incomplete: 2, downloaded: 0, downloaders: 2 }, 'counts');
      equal(
        yield* totals(),
        totalsOf({ torrents: 1, seeders: 1, leechers: 2, ipv4Peers: 2, ipv6Peers: 1, ipv4Seeds: 1 }),
        'totals',
      );
    },
  },
  {
    name: 'the announcer is not among its own peers',
    needs: [],
    *dialogue() {
      equal(drawn(yield* tell({ host: 1 })), [], 'alone');
      equal(drawn(yield* tell({ host: 1 })), [], 'alone, a second time');
      yield* tell({ host: 2 });
      equal(drawn(yield* tell({ host: 1 })), ['4:2:6881'], 'with one other');
    },
  },
  {
    name: 'a peer is its address and port: another peer id replaces, another port adds',
    needs: [],
    *dialogue() {
      equal((yield* tell({ host: 1, id: 1 })).outcome, 'joined', 'first');
      equal((yield* tell({ host: 1, id: 2 })).outcome, 'refreshed', 'new id');
      equal((yield* tell({ host: 1, port: 7000 })).outcome, 'joined', 'new port');
      equal((yield* counts())?.incomplete, 2, 'leechers');
    },
  },
  {
    name: 'the same address in two torrents is two peers',
    needs: [],
    *dialogue() {
      yield* tell({ host: 1, torrent: 1 });
      yield* tell({ host: 1, torrent: 2 });
      yield* tell({ host: 1, torrent: 1, leaving: true });
      equal(yield* counts(), undefined, 'the torrent it left');
      equal(yield* counts(2), { complete: 0, incomplete: 1, downloaded: 0, downloaders: 1 }, 'the other');
    },
  },
  {
    name: 'a goodbye removes the peer, draws nothing and frees an empty torrent',
    needs: ['totals'],
    *dialogue() {
      yield* tell({ host: 1 });
      yield* tell({ host: 2, seeding: true });
      const goodbye = yield* tell({ host: 1, leaving: true });
      equal([goodbye.outcome, drawn(goodbye)], ['left', []], 'goodbye');
      equal([goodbye.sample.leechers, goodbye.sample.seeders], [0, 1], 'counts after it');
      yield* tell({ host: 2, leaving: true });
      equal(yield* totals(), totalsOf({}), 'totals');
      equal((yield* tell({ host: 2, leaving: true })).outcome, 'absent', 'a goodbye from a stranger');
      equal(yield* totals(), totalsOf({}), 'totals after the stranger');
    },
  },
  {
    name: 'a download is counted when a leecher becomes a seed, once in its stay',
    needs: [],
    *dialogue() {
      yield* tell({ host: 1 });
      equal((yield* tell({ host: 1, seeding: true })).outcome, 'completed', 'first');
      equal((yield* tell({ host: 1, seeding: true })).outcome, 'refreshed', 'again');
      yield* tell({ host: 1 });
      equal((yield* tell({ host: 1, seeding: true })).outcome, 'refreshed', 'after being a leecher again');
      equal((yield* tell({ host: 2, seeding: true })).outcome, 'joined', 'a seed that joins');
      equal(yield* counts(), { complete: 2, incomplete: 0, downloaded: 1, downloaders: 0 }, 'counts');
    },
  },
  {
    name: 'seeds are not drawn for seeds',
    needs: [],
    *dialogue() {
      yield* tell({ host: 1, seeding: true });
      yield* tell({ host: 2, seeding: true });
      yield* tell({ host: 3 });
      equal(drawn(yield* tell({ host: 1, seeding: true })), ['4:3:6881'], 'for a seed');
      equal(drawn(yield* tell({ host: 3 })), ['4:1:6881', '4:2:6881'], 'for a leecher');
    },
  },
  {
    name: 'whoever changes between leecher and seed changes alone',
    needs: [],
    *dialogue() {
      for (let host = 1; host <= 5; host++) yield* tell({ host, seeding: host > 3 });
      yield* tell({ host: 1, seeding: true });
      equal(drawn(yield* tell({ host: 1, seeding: true })), ['4:2:6881', '4:3:6881'], 'leechers after 1 finished');
      yield* tell({ host: 5 });
      equal(
        drawn(yield* tell({ host: 1, seeding: true })),
        ['4:2:6881', '4:3:6881', '4:5:6881'],
        'leechers after 5 began anew',
      );
      yield* tell({ host: 2, leaving: true });
      equal(drawn(yield* tell({ host: 1, seeding: true })), ['4:3:6881', '4:5:6881'], 'leechers after 2 left');
    },
  },
  {
    name: 'no more peers are drawn than wanted, and none twice',
    needs: [],
    *dialogue() {
      for (let host = 1; host <= 100; host++) yield* tell({ host, seeding: host % 3 === 0 });
      for (const want of [0, 1, 7, 50, 99, 150]) {
        const peers = drawn(yield* tell({ host: 1, want }));
        equal(peers.length, Math.min(want, 99), `peers for ${want}`);
        equal(new Set(peers).size, peers.length, `distinct peers for ${want}`);
      }
    },
  },
  {
    name: 'the own family comes first, the other fills the rest, or is left out',
    needs: [],
    *dialogue() {
      for (let host = 1; host <= 5; host++) yield* tell({ host });
      for (let host = 1; host <= 5; host++) yield* tell({ host, ipv6: true });
      const six = (yield* tell({ host: 9, ipv6: true, want: 8 })).sample;
      equal([six.ipv6.count, six.ipv4.count], [5, 3], 'for IPv6');
      const four = (yield* tell({ host: 9, want: 3 })).sample;
      equal([four.ipv4.count, four.ipv6.count], [3, 0], 'for IPv4');
      const own = (yield* tell({ host: 9, families: 'own' })).sample;
      equal([own.ipv4.count, own.ipv6.count], [5, 0], 'own only');
    },
  },
  {
    name: 'every other peer is equally likely',
    needs: [],
    *dialogue() {
      const [hosts, want, rounds] = [40, 8, 6000];
      for (let host = 0; host <= hosts; host++) yield* tell({ host, seeding: host % 2 === 1 });
      const tally = new Map<string, number>();
      for (let round = 0; round < rounds; round++) {
        for (const peer of drawn(yield* tell({ host: 0, want }))) tally.set(peer, (tally.get(peer) ?? 0) + 1);
      }
      equal(tally.size, hosts, 'peers ever drawn');
      const expected = (rounds * want) / hosts;
      const chiSquare = [...tally.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
      // 39 degrees of freedom; drawing without repetition scales it by (1 - 8/40). 99.9 % lie below 72.1 × 0.8.
      check(chiSquare < 57.7, `chi-square of the draw is ${chiSquare}`);
    },
  },
  {
    name: 'peers carry their newest peer id, or zeros',
    needs: [],
    *dialogue() {
      yield* tell({ host: 1, id: 5 });
      yield* tell({ host: 1, id: 6 });
      const { ipv4 } = (yield* tell({ host: 2 })).sample;
      const byte = ipv4.peerIds[0]!;
      check(byte === 6 || byte === 0, `first byte of the peer id is ${byte}`);
      check(
        ipv4.peerIds.subarray(0, 20).every((other) => other === byte),
        'the peer id is whole',
      );
    },
  },
  {
    name: 'silent peers expire, heard ones stay, in slices no larger than asked',
    needs: ['clock', 'totals'],
    *dialogue() {
      for (let host = 1; host <= 10; host++) yield* tell({ host, ipv6: host % 2 === 0 }, host * 1000);
      yield* tell({ host: 1 }, 20_000);
      equal(yield* oldest(), 2000, 'oldest');
      equal(yield* expire(5000, 3), 3, 'first slice');
      equal(yield* expire(5000, 3), 1, 'second slice');
      equal(yield* expire(5000, 3), 0, 'nothing left');
      equal((yield* counts())?.incomplete, 6, 'who stays');
      equal(yield* expire(20_000, 100), 6, 'all');
      equal(yield* totals(), totalsOf({}), 'totals when empty');
      equal(yield* oldest(), undefined, 'oldest when empty');
    },
  },
  {
    name: 'the buffers it was given may be used again by their owner',
    needs: [],
    *dialogue() {
      const peer = announceOf({ host: 1 });
      yield* announce(peer);
      for (const bytes of [peer.infoHash, peer.address, peer.peerId]) bytes.fill(0xff);
      equal((yield* counts())?.incomplete, 1, 'leechers');
      equal(drawn(yield* tell({ host: 2 })), ['4:1:6881'], 'drawn');
    },
  },
];
