import fc from 'fast-check';
import { expect, test } from 'vitest';
import { announced, answered, countsOf, swarmsOf } from './members.ts';

interface Known {
  readonly peer: number;
  readonly seeding: boolean;
}

const [connections, torrents] = [6, 3];
const step = fc.record({
  what: fc.constantFrom('announce', 'announce', 'announce', 'leave', 'close', 'answer'),
  connection: fc.nat(connections - 1),
  torrent: fc.nat(torrents - 1),
  peer: fc.nat(3),
  seeding: fc.boolean(),
  offers: fc.uniqueArray(fc.nat(5), { maxLength: 4 }),
});

test('a machine holds what a list of members would hold, and passes nothing to who is none', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.nat(), (steps, seed) => {
      const swarms = swarmsOf({}, seed);
      const model = Array.from({ length: torrents }, () => new Map<number, Known>());
      const passed = new Map<string, number>();
      for (const { what, connection, torrent, peer, seeding, offers } of steps) {
        const members = model[torrent]!;
        const known = members.get(connection);
        if (what === 'close') {
          swarms.close(connection);
          for (const each of model) each.delete(connection);
        } else if (what === 'answer') {
          const found = answered(swarms, connection, {
            to: peer,
            offer: offers[0] ?? 0,
            torrent,
            peer: known?.peer ?? 0,
          });
          if (found === undefined) continue;
          const key = `${torrent} ${connection} ${offers[0] ?? 0}`;
          expect(passed.get(key)).toBe(found.connection);
          passed.delete(key);
          expect(members.get(found.connection)?.peer).toBe(peer);
        } else {
          const leaving = what === 'leave';
          const found = announced(swarms, connection, { torrent, peer, seeding, leaving, offers });
          const stranger = known !== undefined && known.peer !== peer;
          expect('failureReason' in found).toBe(stranger);
          if ('failureReason' in found) continue;
          if (leaving) members.delete(connection);
          else members.set(connection, { peer, seeding });
          expect(new Set(found.map((delivery) => delivery.connection)).size).toBe(found.length);
          for (const delivery of found) {
            const to = members.get(delivery.connection)!;
            expect(delivery.connection).not.toBe(connection);
            expect(to.peer).not.toBe(peer);
            expect(seeding && to.seeding).toBe(false);
            passed.set(`${torrent} ${delivery.connection} ${delivery.signal.offerId.charCodeAt(19)}`, connection);
          }
        }
        for (const [index, each] of model.entries()) {
          const seeds = [...each.values()].filter((member) => member.seeding).length;
          expect(countsOf(swarms, index)?.slice(0, 2)).toEqual(
            each.size === 0 ? undefined : [seeds, each.size - seeds],
          );
        }
      }
    }),
    { numRuns: 300 },
  );
});
