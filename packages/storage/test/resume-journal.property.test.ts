import fc from 'fast-check';
import { expect, test } from 'vitest';
import { headerLength } from '../src/resume/records.ts';
import { JournalScene, piecesOf } from './resume-fixtures.ts';

// A life of a torrent: reports, then an end by a crash, by bytes lost or flipped, or in order; and again.
const piece = fc.nat(7);
const step = fc.oneof(
  fc.record({ kind: fc.constant('verified'), piece }),
  fc.record({ kind: fc.constant('verified'), piece }),
  fc.record({ kind: fc.constant('lost'), piece }),
  fc.record({ kind: fc.constant('checkpoint'), piece }),
);
const ending = fc.oneof(
  fc.record({ kind: fc.constantFrom('crash', 'clean', 'unclean'), at: fc.nat(), bit: fc.nat(7) }),
  fc.record({ kind: fc.constantFrom('cut', 'flip'), at: fc.nat(), bit: fc.nat(7) }),
);
const life = fc.record({ steps: fc.array(step, { maxLength: 20 }), ending });

test('no piece is ever trusted that was not reported verified, and no more is lost than was not written down', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 4 }), async (lives) => {
      const scene = new JournalScene();
      /** Pieces that were ever right on disk, and those that have to be known. */
      const reported = new Set<number>();
      let known = new Set<number>();
      for (const { steps, ending: end } of lives) {
        const journal = await scene.open();
        for (const have of journal.have.indices()) expect(reported).toContain(have);
        for (const one of known) expect(journal.have.has(one)).toBe(true);
        expect(piecesOf(journal.doubt).filter((one) => journal.have.has(one))).toEqual([]);
        let live = new Set(journal.have.indices());
        known = new Set(live);
        for (const one of steps) {
          if (one.kind === 'verified') {
            reported.add(one.piece);
            live.add(one.piece);
            journal.verified(one.piece);
          } else if (one.kind === 'lost') {
            live.delete(one.piece);
            known.delete(one.piece);
            journal.lost(one.piece);
          } else {
            await journal.checkpoint();
            known = new Set(live);
            for (const had of (await scene.open()).have.indices()) expect(live).toContain(had);
          }
        }
        if (end.kind === 'clean' || end.kind === 'unclean') {
          await journal.close({ clean: end.kind === 'clean' });
          known = new Set(live);
          const next = await scene.open();
          expect(piecesOf(next.have)).toEqual([...live].toSorted((a, b) => a - b));
        } else {
          await journal.close({ clean: false });
          const { bytes } = scene;
          if (bytes === undefined) continue;
          // What is cut or flipped can take back all that was told since the file was begun.
          known = new Set();
          if (end.kind === 'cut') scene.bytes = bytes.slice(0, end.at % bytes.length);
          if (end.kind === 'flip') bytes[end.at % bytes.length]! ^= 1 << end.bit;
          live = new Set();
        }
      }
      const last = await scene.open();
      for (const have of last.have.indices()) expect(reported).toContain(have);
    }),
    { numRuns: 200 },
  );
});

test('an append cut anywhere costs that append only, and what was in doubt before it stays in doubt', async () => {
  const scene = new JournalScene();
  const journal = await scene.open();
  for (const one of [0, 1, 2, 3]) journal.verified(one);
  journal.lost(4);
  await journal.checkpoint();
  const before = scene.bytes!.length;
  journal.verified(5);
  await journal.checkpoint();
  const bytes = scene.bytes!;
  for (let length = before; length < bytes.length; length += 1) {
    scene.bytes = bytes.slice(0, length);
    const again = await scene.open();
    expect([again.found, piecesOf(again.have), piecesOf(again.doubt)]).toEqual(['crashed', [0, 1, 2, 3], [5, 6, 7]]);
  }
  for (let length = headerLength; length < before; length += 1) {
    scene.bytes = bytes.slice(0, length);
    const again = await scene.open();
    expect(piecesOf(again.have).every((one) => one < 4)).toBe(true);
  }
});
