// What every store must do for WebTorrent peers of several nodes, as named cases that any test framework can run over a
// store that answers at once or later. Knows no store: whoever runs a case hands over an empty one.
import { idText } from '@shoal/tracker-protocol';
import type { RemoteMember, RemoteMemberAnswer } from '../remote-answer.ts';
import { decodeMemberNames, encodeMemberName } from '../signalling/relayed-signal.ts';
import { check, equal, hashOf } from './store-dialogue.ts';

/** Announces, each answered before the next is asked. Throws when an answer is wrong. */
export type MemberDialogue<Value = void> = Generator<RemoteMember, Value, RemoteMemberAnswer>;

/** One thing a store must do. */
export interface MemberStoreCase {
  readonly name: string;
  /** The announces, to be answered by a store that is empty at the first one. Throws when an answer is wrong. */
  dialogue(): MemberDialogue;
}

interface Told {
  readonly torrent?: number;
  readonly node?: number;
  readonly connection?: number;
  /** Default: the number of the connection. */
  readonly id?: number;
  readonly seeding?: boolean;
  readonly leaving?: boolean;
  readonly want?: number;
}

interface Heard {
  /** Seeders, leechers, downloads. */
  readonly counts: readonly number[];
  /** `node:connection` of those drawn, sorted. */
  readonly drawn: readonly string[];
}

function* tell({ torrent = 1, node = 1, connection = 1, ...rest }: Told): MemberDialogue<Heard> {
  const { id = connection, seeding = false, leaving = false, want = 0 } = rest;
  const peerId = idText(new Uint8Array(20).fill(id));
  const name = encodeMemberName({ node: String.fromCharCode(node).repeat(8), connection, peerId });
  const answer = yield { infoHash: hashOf(torrent), name, seeding, leaving, want, lifetimeMs: 60_000 };
  const names = decodeMemberNames(answer.drawn);
  return {
    counts: [answer.seeders, answer.leechers, answer.completed],
    drawn: names.map((drawn) => `${drawn.node.charCodeAt(0)}:${drawn.connection}`).toSorted(),
  };
}

/** The cases, for `test.each` or a loop. */
export const memberStoreContract: readonly MemberStoreCase[] = [
  {
    name: 'members of all nodes are counted by their role, each torrent by itself',
    *dialogue() {
      equal((yield* tell({ node: 1 })).counts, [0, 1, 0], 'the first');
      equal((yield* tell({ node: 2, seeding: true })).counts, [1, 1, 0], 'a seed at another node');
      equal((yield* tell({ node: 2, torrent: 2 })).counts, [0, 1, 0], 'another torrent');
      equal((yield* tell({ node: 1 })).counts, [1, 1, 0], 'the first again');
    },
  },
  {
    name: 'who leaves is out, and who was not there changes nothing',
    *dialogue() {
      yield* tell({ node: 1 });
      yield* tell({ node: 2 });
      equal((yield* tell({ node: 1, leaving: true, want: 5 })).counts, [0, 1, 0], 'after one left');
      equal((yield* tell({ node: 3, leaving: true })).counts, [0, 1, 0], 'after a stranger left');
      equal((yield* tell({ node: 2, leaving: true })).counts, [0, 0, 0], 'after all left');
    },
  },
  {
    name: 'a download is counted once in a stay, and a seed that joins has none',
    *dialogue() {
      for (const seeding of [false, true, false, true]) yield* tell({ seeding });
      for (const seeding of [true, false, true]) yield* tell({ connection: 2, seeding });
      equal((yield* tell({ connection: 3 })).counts, [2, 1, 1], 'one download');
    },
  },
  {
    name: 'a leecher is given anybody, a seed leechers, nobody itself',
    *dialogue() {
      yield* tell({ node: 1, connection: 2 ** 40 });
      yield* tell({ node: 2, connection: 7, seeding: true });
      yield* tell({ node: 2, connection: 8 });
      const all = [`1:${2 ** 40}`, '2:7', '2:8'];
      equal((yield* tell({ node: 3, want: 10 })).drawn, all, 'drawn for a leecher');
      equal((yield* tell({ node: 2, connection: 8, want: 10 })).drawn, [all[0], all[1], '3:1'], 'for another');
      equal(
        (yield* tell({ node: 2, connection: 7, seeding: true, want: 10 })).drawn,
        [all[0], all[2], '3:1'],
        'for a seed',
      );
      equal((yield* tell({ node: 2, connection: 8, leaving: true, want: 10 })).drawn, [], 'for who leaves');
    },
  },
  {
    name: 'a large swarm gives as many as are wanted, all different',
    *dialogue() {
      for (let connection = 0; connection < 200; connection++) {
        yield* tell({ node: connection % 3, connection, id: connection, seeding: connection % 4 === 0 });
      }
      const { counts, drawn } = yield* tell({ node: 9, want: 10 });
      equal(counts, [50, 151, 0], 'counts');
      equal(new Set(drawn).size, 10, 'drawn');
      const forSeed = (yield* tell({ node: 9, connection: 2, seeding: true, want: 10 })).drawn;
      equal(new Set(forSeed).size, 10, 'drawn for a seed');
      check(
        forSeed.every((name) => Number(name.split(':')[1]) % 4 !== 0),
        'a seed was drawn for a seed',
      );
    },
  },
  ...[12, 60].map((others) => ({
    name: `each of ${others} others is equally likely`,
    *dialogue(): MemberDialogue {
      const [want, rounds] = [5, 3000];
      for (let connection = 1; connection <= others; connection++) {
        yield* tell({ node: connection % 3, connection, seeding: connection % 2 === 1 });
      }
      const tally = new Map<string, number>();
      for (let round = 0; round < rounds; round++) {
        for (const name of (yield* tell({ node: 9, want })).drawn) tally.set(name, (tally.get(name) ?? 0) + 1);
      }
      equal(tally.size, others, 'members ever drawn');
      const expected = (rounds * want) / others;
      const chiSquare = [...tally.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
      // 99.9 % lie below 31.3 with 11 degrees of freedom and below 98.3 with 59, scaled because nobody is drawn twice.
      const bound = (others === 12 ? 31.3 : 98.3) * (1 - want / others);
      check(chiSquare < bound, `chi-square of the draw is ${chiSquare}`);
    },
  })),
];
