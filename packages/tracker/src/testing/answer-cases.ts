// The contract about what else an answer says: partial seeds, lists kept apart, and only what is new. BEP 21.
import { type PeerStoreCase, check, counts, drawn, equal, expire, tell } from './store-dialogue.ts';

export const answerCases: readonly PeerStoreCase[] = [
  {
    name: 'partial seeds are leechers that do not download',
    needs: [],
    *dialogue() {
      yield* tell({ host: 1 });
      yield* tell({ host: 2, partial: true });
      const { sample } = yield* tell({ host: 3, seeding: true });
      equal([sample.seeders, sample.leechers, sample.partialSeeds], [1, 2, 1], 'counts in the answer');
      equal(yield* counts(), { complete: 1, incomplete: 2, downloaded: 0, downloaders: 1 }, 'counts');
      yield* tell({ host: 2 });
      equal((yield* counts())?.downloaders, 2, 'after it wanted more');
      yield* tell({ host: 2, partial: true });
      equal((yield* tell({ host: 2, seeding: true })).outcome, 'completed', 'when it has everything');
      equal(yield* counts(), { complete: 2, incomplete: 1, downloaded: 1, downloaders: 1 }, 'counts with two seeds');
    },
  },
  {
    name: 'a partial seed is given leechers alone, and is given to everybody',
    needs: [],
    *dialogue() {
      yield* tell({ host: 1, seeding: true });
      yield* tell({ host: 2 });
      equal(drawn(yield* tell({ host: 3, partial: true })), ['4:2:6881'], 'for the partial seed');
      equal(drawn(yield* tell({ host: 1, seeding: true })), ['4:2:6881', '4:3:6881'], 'for the seed');
    },
  },
  {
    name: 'a partial seed that leaves is counted no longer',
    needs: [],
    *dialogue() {
      yield* tell({ host: 1 });
      yield* tell({ host: 2, partial: true });
      yield* tell({ host: 2, partial: true, leaving: true });
      equal(yield* counts(), { complete: 0, incomplete: 1, downloaded: 0, downloaders: 1 }, 'counts');
    },
  },
  {
    name: 'a partial seed that falls silent is counted no longer',
    needs: ['clock'],
    *dialogue() {
      yield* tell({ host: 2, partial: true }, 1000);
      yield* tell({ host: 1 }, 9000);
      yield* expire(5000, 10);
      equal(yield* counts(), { complete: 0, incomplete: 1, downloaded: 0, downloaders: 1 }, 'counts');
    },
  },
  {
    name: 'a partial seed with two addresses is counted once, and stays one with the other address',
    needs: [],
    *dialogue() {
      yield* tell({ host: 1, key: 7 });
      yield* tell({ host: 1, key: 7, ipv6: true, partial: true });
      equal(yield* counts(), { complete: 0, incomplete: 1, downloaded: 0, downloaders: 0 }, 'counts');
      yield* tell({ host: 1, key: 7, leaving: true, partial: true });
      equal(yield* counts(), { complete: 0, incomplete: 1, downloaded: 0, downloaders: 0 }, 'after one goodbye');
      yield* tell({ host: 1, key: 7, ipv6: true });
      equal((yield* counts())?.downloaders, 1, 'when it downloads again');
    },
  },
  {
    name: 'private peers are given to private ones alone, public ones to all, and all are counted',
    needs: [],
    *dialogue() {
      yield* tell({ host: 1, listing: 'private', seeding: true });
      const open = yield* tell({ host: 2 });
      equal([open.sample.seeders, open.sample.leechers], [1, 1], 'counts for a public peer');
      equal(drawn(open), [], 'peers for a public peer');
      const closed = yield* tell({ host: 3, listing: 'private' });
      equal([closed.sample.seeders, closed.sample.leechers], [1, 2], 'counts for a private peer');
      equal(drawn(closed), ['4:1:6881', '4:2:6881'], 'peers for a private peer');
      equal(yield* counts(), { complete: 1, incomplete: 2, downloaded: 0, downloaders: 2 }, 'counts');
      yield* tell({ host: 2, leaving: true });
      equal((yield* counts())?.incomplete, 1, 'leechers without public peers');
      equal(drawn(yield* tell({ host: 2 })), [], 'peers for the public peer when it is back');
      const left = yield* tell({ host: 1, listing: 'private', seeding: true, leaving: true });
      equal([left.outcome, left.sample.seeders, left.sample.leechers], ['left', 0, 2], 'the goodbye of a private peer');
    },
  },
  {
    name: 'the goodbye of a private peer counts the public ones, also where it was the last private one or none',
    needs: [],
    *dialogue() {
      yield* tell({ host: 2, seeding: true });
      const stranger = yield* tell({ host: 1, listing: 'private', leaving: true });
      equal([stranger.outcome, stranger.sample.seeders, stranger.sample.leechers], ['absent', 1, 0], 'counts');
      yield* tell({ host: 1, listing: 'private' });
      const last = yield* tell({ host: 1, listing: 'private', leaving: true });
      equal([last.outcome, last.sample.seeders, last.sample.leechers], ['left', 1, 0], 'counts for the last');
    },
  },
  {
    name: 'a participant may be listed apart over one family',
    needs: [],
    *dialogue() {
      yield* tell({ host: 1, key: 7, listing: 'private' });
      yield* tell({ host: 1, key: 7, ipv6: true });
      equal((yield* counts())?.incomplete, 1, 'leechers');
      equal(drawn(yield* tell({ host: 1, key: 7, listing: 'private' })), [], 'for itself');
      equal(drawn(yield* tell({ host: 2, id: 2 })), ['6:1:6881'], 'for a public peer');
      yield* tell({ host: 2, id: 2, leaving: true });
      yield* tell({ host: 1, key: 7, listing: 'private', leaving: true });
      yield* tell({ host: 1, key: 7, ipv6: true, leaving: true });
      equal(yield* counts(), undefined, 'counts after both goodbyes');
    },
  },
  {
    name: 'whoever brings the mark of a complete list is given who joined since',
    needs: ['marks'],
    *dialogue() {
      yield* tell({ host: 1 });
      yield* tell({ host: 2, ipv6: true });
      const first = yield* tell({ host: 3, since: 0 });
      equal(drawn(first), ['4:1:6881', '6:2:6881'], 'the first list');
      check(first.sample.mark > 0, 'the first list has a mark');
      const second = yield* tell({ host: 3, since: first.sample.mark });
      equal(drawn(second), [], 'the second list');
      yield* tell({ host: 4 });
      yield* tell({ host: 1 });
      const third = yield* tell({ host: 3, since: second.sample.mark });
      equal(drawn(third), ['4:4:6881'], 'the third list');
      equal(drawn(yield* tell({ host: 3, since: second.sample.mark })), ['4:4:6881'], 'the same once more');
      yield* tell({ host: 1, leaving: true });
      yield* tell({ host: 1 });
      equal(drawn(yield* tell({ host: 3, since: third.sample.mark })), ['4:1:6881'], 'who came back');
      equal(drawn(yield* tell({ host: 3 })), ['4:1:6881', '4:4:6881', '6:2:6881'], 'without a mark');
    },
  },
  {
    name: 'a list that is not complete has no mark',
    needs: [],
    *dialogue() {
      for (let host = 1; host <= 20; host++) yield* tell({ host });
      equal((yield* tell({ host: 1, want: 18, since: 0 })).sample.mark, 0, 'of 18 of 19');
      const { mark } = (yield* tell({ host: 1, want: 19, since: 0 })).sample;
      for (let host = 21; host <= 40; host++) yield* tell({ host });
      const { sample } = yield* tell({ host: 1, want: 10, since: mark });
      equal([sample.ipv4.count, sample.mark], [10, 0], 'of 10 of 20 new ones');
      equal((yield* tell({ host: 1 })).sample.mark, 0, 'without asking');
    },
  },
  {
    name: 'a mark that the store does not know is none',
    needs: [],
    *dialogue() {
      yield* tell({ host: 1 });
      const { mark } = (yield* tell({ host: 2, since: 0 })).sample;
      for (const since of [mark + 1, mark + 1e9, 1]) {
        equal(drawn(yield* tell({ host: 2, since })), ['4:1:6881'], `after ${since - mark}`);
      }
    },
  },
  {
    name: 'old peers are not left out however many joined since the mark',
    needs: ['marks'],
    *dialogue() {
      yield* tell({ host: 1, seeding: true });
      const { mark } = (yield* tell({ host: 2, since: 0 })).sample;
      for (let turn = 0; turn < 5000; turn++) {
        yield* tell({ host: 3, seeding: true });
        yield* tell({ host: 3, leaving: true });
      }
      yield* tell({ host: 4 });
      equal(drawn(yield* tell({ host: 2, since: mark })), ['4:1:6881', '4:4:6881'], 'the list');
    },
  },
];
