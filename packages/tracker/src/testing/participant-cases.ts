// The contract about participants: one client with an address in each family is counted once, and only proof moves or
// joins what a stranger could not have announced. BEP 7.
import {
  type Heard,
  type PeerStoreCase,
  type StoreDialogue,
  type Told,
  check,
  counts,
  drawn,
  equal,
  expire,
  tell,
  totals,
  totalsOf,
} from './store-dialogue.ts';

/** Announces over both families with one key; the second answer. */
function* tellBoth(told: Told): StoreDialogue<Heard> {
  yield* tell({ key: 7, ...told });
  return yield* tell({ key: 7, ...told, ipv6: true });
}

export const participantCases: readonly PeerStoreCase[] = [
  {
    name: 'two families with one key and peer id are one participant with two addresses',
    needs: [],
    *dialogue() {
      const { sample } = yield* tellBoth({ host: 1 });
      equal([sample.leechers, sample.seeders], [1, 0], 'counts in the answer');
      equal(yield* counts(), { complete: 0, incomplete: 1, downloaded: 0, downloaders: 1 }, 'counts');
      equal(drawn(yield* tell({ host: 2, id: 2 })), ['4:1:6881', '6:1:6881'], 'for another');
      equal(drawn(yield* tell({ host: 2, id: 2, families: 'own' })), ['4:1:6881'], 'of one family');
      yield* tell({ host: 1, key: 7 });
      equal((yield* counts())?.incomplete, 2, 'after it announced again');
    },
  },
  {
    name: 'what a store holds is counted in participants, and in addresses by family',
    needs: ['totals'],
    *dialogue() {
      yield* tellBoth({ host: 1, seeding: true });
      yield* tell({ host: 2, id: 2 });
      const addresses = { ipv4Peers: 2, ipv6Peers: 1, ipv4Seeds: 1, ipv6Seeds: 1 };
      equal(yield* totals(), totalsOf({ torrents: 1, seeders: 1, leechers: 1, ...addresses }), 'totals');
    },
  },
  {
    name: 'without a key, or with another key, peer id or torrent, an address is a participant of its own',
    needs: [],
    *dialogue() {
      yield* tellBoth({ host: 1, key: 0 });
      equal((yield* counts())?.incomplete, 2, 'without a key');
      yield* tell({ host: 1, key: 7, torrent: 2 });
      yield* tell({ host: 1, key: 8, torrent: 2, ipv6: true });
      equal((yield* counts(2))?.incomplete, 2, 'with another key');
      yield* tell({ host: 1, key: 7, torrent: 3, id: 1 });
      yield* tell({ host: 1, key: 7, torrent: 3, id: 2, ipv6: true });
      equal((yield* counts(3))?.incomplete, 2, 'with another peer id');
      yield* tell({ host: 1, key: 7, torrent: 4 });
      yield* tell({ host: 1, key: 7, torrent: 5, ipv6: true });
      equal([(yield* counts(4))?.incomplete, (yield* counts(5))?.incomplete], [1, 1], 'in another torrent');
    },
  },
  {
    name: 'an address of the same family is a participant of its own, whatever its key',
    needs: [],
    *dialogue() {
      yield* tell({ host: 1, key: 7 });
      yield* tell({ host: 2, key: 7 });
      equal((yield* counts())?.incomplete, 2, 'two of one family');
      yield* tell({ host: 3, key: 7, ipv6: true });
      equal((yield* counts())?.incomplete, 2, 'and one of the other');
      yield* tell({ host: 4, key: 7, ipv6: true });
      const all = (yield* counts())?.incomplete ?? 0;
      check(all === 2 || all === 3, `and two of the other: ${all} leechers`);
      equal(
        drawn(yield* tell({ host: 9, id: 9 })),
        ['4:1:6881', '4:2:6881', '6:3:6881', '6:4:6881'],
        'every address is listed',
      );
    },
  },
  {
    name: 'a participant is given neither of its own addresses',
    needs: [],
    *dialogue() {
      equal(drawn(yield* tellBoth({ host: 1 })), [], 'over IPv6');
      equal(drawn(yield* tell({ host: 1, key: 7 })), [], 'over IPv4');
      yield* tellBoth({ host: 2, id: 2, key: 8 });
      equal(drawn(yield* tell({ host: 1, key: 7 })), ['4:2:6881', '6:2:6881'], 'with another');
    },
  },
  {
    name: 'a goodbye over one family removes that address, and the participant stays with the other',
    needs: [],
    *dialogue() {
      yield* tellBoth({ host: 1 });
      const goodbye = yield* tell({ host: 1, key: 7, leaving: true });
      equal([goodbye.outcome, goodbye.sample.leechers], ['left', 1], 'the first goodbye');
      equal(drawn(yield* tell({ host: 2, id: 2 })), ['6:1:6881'], 'who is drawn');
      yield* tell({ host: 2, id: 2, leaving: true });
      yield* tell({ host: 1, key: 7, ipv6: true, leaving: true });
      equal(yield* counts(), undefined, 'after the second goodbye');
    },
  },
  {
    name: 'a participant that left over one family is one again when that comes back',
    needs: [],
    *dialogue() {
      yield* tellBoth({ host: 1 });
      yield* tell({ host: 1, key: 7, leaving: true });
      yield* tell({ host: 5, key: 7 });
      yield* tell({ host: 1, key: 7, ipv6: true });
      equal((yield* counts())?.incomplete, 1, 'leechers');
    },
  },
  {
    name: 'an address that falls silent goes alone',
    needs: ['clock'],
    *dialogue() {
      yield* tell({ host: 1, key: 7 }, 1000);
      yield* tell({ host: 1, key: 7, ipv6: true }, 5000);
      equal(yield* expire(3000, 10), 1, 'addresses removed');
      equal((yield* counts())?.incomplete, 1, 'who stays');
      equal(yield* expire(5000, 10), 1, 'addresses removed later');
      equal(yield* counts(), undefined, 'in the end');
    },
  },
  {
    name: 'a participant is what it said last, over either family, and completes once',
    needs: [],
    *dialogue() {
      yield* tellBoth({ host: 1 });
      equal((yield* tell({ host: 1, key: 7, ipv6: true, seeding: true })).outcome, 'completed', 'the second address');
      equal((yield* tell({ host: 1, key: 7, seeding: true })).outcome, 'refreshed', 'the first address');
      equal(yield* counts(), { complete: 1, incomplete: 0, downloaded: 1, downloaders: 0 }, 'counts');
      equal(drawn(yield* tell({ host: 2, id: 2, seeding: true })), [], 'for another seed');
      yield* tell({ host: 1, key: 7 });
      equal(drawn(yield* tell({ host: 2, id: 2, seeding: true })), ['4:1:6881', '6:1:6881'], 'a leecher again');
      yield* tell({ host: 1, key: 7, seeding: true });
      equal((yield* counts())?.downloaded, 1, 'downloads');
      yield* tell({ host: 1, key: 7, leaving: true });
      equal(yield* counts(), { complete: 2, incomplete: 0, downloaded: 1, downloaders: 0 }, 'after one goodbye');
    },
  },
  {
    name: 'a second address that has finished finishes the first',
    needs: [],
    *dialogue() {
      yield* tell({ host: 1, key: 7 });
      equal((yield* tell({ host: 1, key: 7, ipv6: true, seeding: true })).outcome, 'completed', 'outcome');
      equal(yield* counts(), { complete: 1, incomplete: 0, downloaded: 1, downloaders: 0 }, 'counts');
    },
  },
  {
    name: 'whoever knows the key and peer id of another takes no address from it and stays a stranger when it is whole',
    needs: [],
    *dialogue() {
      yield* tellBoth({ host: 1 });
      yield* tell({ host: 66, key: 7 });
      yield* tell({ host: 66, key: 7, ipv6: true });
      const listed = ['4:1:6881', '4:66:6881', '6:1:6881', '6:66:6881'];
      equal(drawn(yield* tell({ host: 2, id: 2 })), listed, 'everybody is listed');
      yield* tell({ host: 66, key: 7, leaving: true });
      yield* tell({ host: 66, key: 7, ipv6: true, leaving: true });
      equal(drawn(yield* tell({ host: 2, id: 2 })), ['4:1:6881', '6:1:6881'], 'after the stranger left');
      equal((yield* counts())?.incomplete, 2, 'leechers');
    },
  },
  {
    name: 'somebody else at an address of a participant is not that participant',
    needs: ['ids'],
    *dialogue() {
      yield* tellBoth({ host: 1 });
      yield* tell({ host: 1, id: 2, key: 8, seeding: true });
      equal(yield* counts(), { complete: 1, incomplete: 1, downloaded: 1, downloaders: 1 }, 'counts');
    },
  },
  {
    name: 'who takes over an address is met there by its other one at once',
    needs: ['ids'],
    *dialogue() {
      yield* tell({ host: 1, id: 9 });
      yield* tell({ host: 1, key: 7 });
      equal((yield* tell({ host: 1, key: 7, ipv6: true })).sample.leechers, 1, 'leechers');
    },
  },
  {
    name: 'two addresses that become one participant as it finishes are one download',
    needs: [],
    *dialogue() {
      yield* tell({ host: 1, key: 7 });
      yield* tell({ host: 1, ipv6: true });
      equal((yield* counts())?.incomplete, 2, 'before they meet');
      equal((yield* tell({ host: 1, key: 7, ipv6: true, seeding: true })).outcome, 'completed', 'outcome');
      equal(yield* counts(), { complete: 1, incomplete: 0, downloaded: 1, downloaders: 0 }, 'counts');
    },
  },
  {
    name: 'a participant of two families is given peers of both',
    needs: [],
    *dialogue() {
      for (let host = 10; host < 30; host++) yield* tell({ host, id: host });
      for (let host = 10; host < 30; host++) yield* tell({ host, id: host + 100, ipv6: true });
      yield* tellBoth({ host: 1 });
      const { ipv4, ipv6 } = (yield* tell({ host: 1, key: 7, want: 8 })).sample;
      equal([ipv4.count, ipv6.count], [6, 2], 'of each family');
    },
  },
  {
    name: 'a peer that proves its former address moves from there, as what it was',
    needs: [],
    *dialogue() {
      yield* tell({ host: 1 });
      yield* tell({ host: 1, seeding: true });
      equal((yield* tell({ host: 2, from: { host: 1 } })).outcome, 'refreshed', 'outcome');
      equal(drawn(yield* tell({ host: 3, id: 3 })), ['4:2:6881'], 'who is drawn');
      equal((yield* tell({ host: 2, seeding: true })).outcome, 'refreshed', 'a download that was counted before');
      equal(yield* counts(), { complete: 1, incomplete: 1, downloaded: 1, downloaders: 1 }, 'counts');
    },
  },
  {
    name: 'a peer that moves keeps its other address',
    needs: [],
    *dialogue() {
      yield* tellBoth({ host: 1 });
      yield* tell({ host: 2, from: { host: 1 } });
      equal((yield* counts())?.incomplete, 1, 'leechers');
      equal(drawn(yield* tell({ host: 3, id: 3 })), ['4:2:6881', '6:1:6881'], 'who is drawn');
    },
  },
  {
    name: 'an address of the other family that is proven is the same participant, without any key',
    needs: [],
    *dialogue() {
      yield* tell({ host: 1 });
      yield* tell({ host: 1, ipv6: true, from: { host: 1 } });
      equal((yield* counts())?.incomplete, 1, 'leechers');
      equal(drawn(yield* tell({ host: 3, id: 3 })), ['4:1:6881', '6:1:6881'], 'who is drawn');
    },
  },
  {
    name: 'a proof of an address where somebody else is, or nobody, moves nobody',
    needs: ['ids'],
    *dialogue() {
      yield* tell({ host: 1, id: 5 });
      equal((yield* tell({ host: 2, from: { host: 1 } })).outcome, 'joined', 'from somebody else');
      equal((yield* tell({ host: 3, id: 3, from: { host: 99 } })).outcome, 'joined', 'from nobody');
      equal((yield* counts())?.incomplete, 3, 'leechers');
    },
  },
  {
    name: 'an address that is listed already does not take the place of another',
    needs: [],
    *dialogue() {
      yield* tell({ host: 1 });
      yield* tell({ host: 2 });
      yield* tell({ host: 2, from: { host: 1 } });
      equal((yield* counts())?.incomplete, 2, 'leechers');
    },
  },
];
