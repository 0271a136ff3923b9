import { Bitfield } from '@shoal/pieces';
import { describe, expect, test } from 'vitest';
import type { Picker } from '../src/index.ts';
import { answer, join, named, pickerOf } from './pickers.ts';
import { seeded } from './random.ts';

describe('held pieces', () => {
  test('are missing and of interest, and not asked for until their check is over', () => {
    const picker = pickerOf(3, 1, { held: bits(3, [0, 1]) });
    join(picker, 1, [0, 1]);
    expect([picker.held, picker.missing, picker.interesting(1), picker.pick(1, 9)]).toEqual([2, 3, true, []]);
    expect(picker.wants(0, 0)).toBe(false);
    picker.unhold(0);
    expect(named(picker.pick(1, 9))).toEqual(['0.0']);
    picker.verified(1);
    expect([picker.held, picker.missing, picker.have.has(1)]).toEqual([0, 2, true]);
    expect(picker.interesting(1)).toBe(true);
  });

  test('found good complete the download', () => {
    const picker = pickerOf(2, 1, { held: Bitfield.full(2) });
    join(picker, 1, 'all');
    for (const piece of [0, 1]) picker.verified(piece);
    expect([picker.complete, picker.held, picker.interesting(1)]).toEqual([true, 0, false]);
  });

  test('that were had are had no longer', () => {
    const picker = pickerOf(2, 1, { have: bits(2, [0, 1]), held: bits(2, [1]) });
    expect([[...picker.have.indices()], picker.missing]).toEqual([[0], 1]);
  });

  test('do not let the end game begin, for there may be more to ask for', () => {
    const picker = pickerOf(2, 1, { held: bits(2, [1]) });
    for (const peer of [1, 2]) join(picker, peer, 'all');
    picker.pick(1, 1);
    expect([picker.inEndgame, picker.pick(2, 1)]).toEqual([false, []]);
    picker.verified(1);
    expect([picker.inEndgame, named(picker.pick(2, 1))]).toEqual([true, ['0.0']]);
  });

  test('that nobody wants do not hold up the end game', () => {
    const picker = pickerOf(2, 1, { held: bits(2, [1]) });
    for (const peer of [1, 2]) join(picker, peer, 'all');
    picker.setPriority(1, 0);
    picker.pick(1, 1);
    expect([picker.inEndgame, picker.held]).toEqual([true, 1]);
    picker.setPriority(1, 4);
    expect(picker.inEndgame).toBe(false);
    picker.lost(1);
    expect([picker.inEndgame, picker.held]).toEqual([false, 0]);
    expect(named(picker.pick(2, 1))).toEqual(['1.0']);
  });

  test('hold it up until the last that is wanted was checked', () => {
    const picker = pickerOf(4, 1, { held: bits(4, [1, 2, 3]) });
    join(picker, 1, 'all');
    picker.pick(1, 1);
    picker.setPriorities(Uint8Array.of(4, 0, 0, 4));
    picker.unhold(1);
    picker.verified(2);
    expect([picker.inEndgame, picker.held]).toEqual([false, 1]);
    picker.verified(3);
    expect(picker.inEndgame).toBe(true);
  });

  test('are nothing to make room for at the limit of open pieces', () => {
    const picker = pickerOf(2, 2, { maxOpenPieces: 1, held: bits(2, [1]) });
    join(picker, 1, [0]);
    join(picker, 2, []);
    answer(picker, 1, picker.pick(1, 1));
    picker.peerLeft(1);
    picker.peerHas(2, 1);
    picker.hold(bits(2, [1]));
    expect([picker.pick(2, 2), picker.takeAbandoned()]).toEqual([[], []]);
    picker.unhold(1);
    expect(named(picker.pick(2, 1))).toEqual(['1.0']);
  });

  test('that are known to be gone may be asked for', () => {
    const picker = pickerOf(1, 1, { held: bits(1, [0]) });
    join(picker, 1, 'all');
    picker.lost(0);
    expect(named(picker.pick(1, 1))).toEqual(['0.0']);
  });

  test('that are not held any more, or never were, cannot be let go', () => {
    const picker = pickerOf(2, 1);
    join(picker, 1, 'all');
    for (let time = 0; time < 3; time++) picker.unhold(0);
    expect([picker.missing, picker.pick(1, 9).length]).toEqual([2, 2]);
    picker.unhold(0);
    expect(picker.pick(1, 9)).toEqual([]);
  });

  test('are refused with a bitfield of another length', () => {
    expect(() => pickerOf(2, 1, { held: new Bitfield(3) })).toThrow(RangeError);
    expect(() => pickerOf(2, 1).hold(new Bitfield(1))).toThrow(RangeError);
    expect(() => pickerOf(2, 1).unhold(2)).toThrow(RangeError);
  });
});

describe('pieces in doubt again', () => {
  test('are not had, not asked for, and what is open of them is cancelled and given up', () => {
    const picker = pickerOf(3, 2, { have: bits(3, [0]) });
    join(picker, 1, 'all');
    const [first] = picker.pick(1, 1);
    picker.received(1, first?.piece ?? -1, 0);
    picker.pick(1, 1);
    picker.hold(bits(3, [0, first?.piece ?? -1]));
    expect(picker.takeAbandoned()).toEqual([first?.piece]);
    expect(picker.takeCancels()).toEqual([{ peer: 1, block: { piece: first?.piece, begin: 16_384, length: 16_384 } }]);
    expect([picker.have.count, picker.held, picker.missing, picker.openPieces]).toEqual([0, 2, 3, 0]);
    expect(picker.pick(1, 9)).toHaveLength(2);
  });

  test('twice in doubt wait once', () => {
    const picker = pickerOf(2, 1);
    for (let time = 0; time < 2; time++) picker.hold(bits(2, [1]));
    expect([picker.held, picker.missing]).toEqual([1, 2]);
  });

  test('clients 41: that failed before with several senders are still on parole afterwards', () => {
    const picker = pickerOf(1, 2);
    for (const peer of [1, 2]) join(picker, peer, 'all');
    for (const peer of [1, 2]) for (const { piece, begin } of picker.pick(peer, 1)) picker.received(peer, piece, begin);
    picker.failed(0);
    picker.hold(bits(1, [0]));
    picker.unhold(0);
    picker.pick(1, 1);
    expect(picker.pick(2, 1)).toEqual([]);
  });
});

describe('priorities', () => {
  test('come before rarity, and rarity decides within one', () => {
    const picker = pickerOf(5, 1);
    join(picker, 1, [0, 1, 2, 3, 4]);
    join(picker, 2, [1, 2, 3]);
    join(picker, 3, [2]);
    for (const [piece, priority] of [1, 4, 7, 7, 4].entries()) picker.setPriority(piece, priority);
    expect(named(picker.pick(1, 5))).toEqual(['3.0', '2.0', '4.0', '1.0', '0.0']);
  });

  test('come before chance while the first pieces are random, for a seed too', () => {
    const picker = pickerOf(20, 1, { randomFirstPieces: 4 });
    join(picker, 1, 'all');
    join(picker, 2, [3, 8, 9]);
    for (const piece of [8, 9, 15]) picker.setPriority(piece, 5);
    expect(named(picker.pick(2, 2)).toSorted()).toEqual(['8.0', '9.0']);
    expect(named(picker.pick(1, 1))).toEqual(['15.0']);
  });

  test('decide between started pieces, which are finished before any is begun', () => {
    const picker = pickerOf(3, 2);
    for (const peer of [0, 1]) join(picker, peer, [peer]);
    for (const peer of [0, 1]) picker.pick(peer, 1);
    join(picker, 9, [0, 1, 2]);
    picker.peerPieces(9, bits(3, [0, 1]));
    picker.setPriority(1, 5);
    picker.setPriority(2, 7);
    picker.peerHas(0, 2);
    join(picker, 8, [0, 1]);
    expect(named(picker.pick(8, 1))).toEqual(['1.1']);
    expect(named(picker.pick(0, 2))).toEqual(['0.1', '2.0']);
  });

  test('let a seed begin a preferred piece rather than finish one that others began', () => {
    const picker = pickerOf(2, 4);
    join(picker, 1, [0]);
    join(picker, 2, [1]);
    join(picker, 9, 'all');
    picker.pick(1, 1);
    picker.setPriority(1, 5);
    expect(named(picker.pick(9, 1))).toEqual(['1.0']);
    picker.setPriorities(Uint8Array.of(6, 1));
    expect(named(picker.pick(9, 4))).toEqual(['1.1', '1.2', '1.3', '0.1']);
  });

  test('let a seed finish a preferred piece while the first are random', () => {
    const picker = pickerOf(9, 2, { randomFirstPieces: 4 });
    join(picker, 1, [3]);
    join(picker, 9, 'all');
    picker.pick(1, 1);
    picker.setPriority(3, 5);
    expect(named(picker.pick(9, 1))).toEqual(['3.1']);
  });

  test('are 4 at first and what they were set to afterwards, one by one or all at once', () => {
    const picker = pickerOf(3, 1);
    picker.setPriority(1, 6);
    expect(prioritiesOf(picker)).toEqual([4, 6, 4]);
    const given = Uint8Array.of(0, 1, 7);
    picker.setPriorities(given);
    given.fill(3);
    expect([...prioritiesOf(picker), picker.missing]).toEqual([0, 1, 7, 2]);
    picker.setWanted(0, true);
    picker.setWanted(2, false);
    expect(prioritiesOf(picker)).toEqual([4, 1, 0]);
  });

  test('set all at once give up what is not wanted any more', () => {
    const picker = pickerOf(3, 2);
    join(picker, 1, [0]);
    join(picker, 2, [1]);
    answer(picker, 1, picker.pick(1, 1));
    picker.pick(2, 2);
    picker.setPriorities(Uint8Array.of(0, 0, 4));
    expect(new Set(picker.takeAbandoned())).toEqual(new Set([0, 1]));
    expect(picker.takeCancels()).toHaveLength(2);
    expect([picker.missing, picker.openPieces, picker.interesting(1)]).toEqual([1, 0, false]);
    picker.setPriorities(Uint8Array.of(1, 0, 4));
    expect([picker.missing, picker.interesting(1), named(picker.pick(1, 9))]).toEqual([2, true, ['0.0', '0.1']]);
  });

  test('set all at once leave a piece that only waits for its check', () => {
    const picker = pickerOf(2, 1);
    join(picker, 1, [0]);
    picker.pick(1, 1);
    picker.received(1, 0, 0);
    picker.setPriorities(Uint8Array.of(0, 4));
    picker.setPriorities(Uint8Array.of(4, 4));
    expect([picker.openPieces, picker.pick(1, 9)]).toEqual([1, []]);
    picker.failed(0);
    expect(named(picker.pick(1, 9))).toEqual(['0.0']);
  });

  test('given back to a piece that only waits for its check do not ask for it again', () => {
    const picker = pickerOf(2, 1);
    join(picker, 1, [0]);
    picker.pick(1, 1);
    picker.received(1, 0, 0);
    for (const priority of [0, 7]) picker.setPriority(0, priority);
    expect([picker.missing, picker.openPieces, picker.pick(1, 9)]).toEqual([2, 1, []]);
  });

  test('decide between the few of many pieces that a peer has, and nothing else does while picks are random', () => {
    const begun = new Map<string, number>();
    for (let seed = 0; seed < 40; seed++) {
      const picker = pickerOf(4000, 1, { random: seeded(seed), randomFirstPieces: 4 });
      for (const [peer, length] of [3999, 3000].entries())
        join(
          picker,
          peer,
          Array.from({ length }, (_, piece) => piece),
        );
      join(picker, 2, [17, 2000, 3990]);
      picker.setPriorities(new Uint8Array(4000).fill(6));
      picker.setPriority(17, 4);
      for (const name of named(picker.pick(2, 1))) begun.set(name, (begun.get(name) ?? 0) + 1);
    }
    expect(new Set(begun.keys())).toEqual(new Set(['2000.0', '3990.0']));
    expect(Math.min(...begun.values())).toBeGreaterThan(10);
  });

  test('of a piece with copies on their way can change without any being lost', () => {
    const picker = pickerOf(1, 1);
    join(picker, 1, 'all');
    picker.pick(1, 1);
    picker.setPriority(0, 1);
    expect([picker.takeCancels(), picker.received(1, 0, 0)]).toEqual([[], 'completed']);
  });

  test('that are none are refused, and nothing changes', () => {
    const picker = pickerOf(2, 1);
    for (const priority of [-1, 8, 0.5, Number.NaN]) expect(() => picker.setPriority(0, priority)).toThrow(RangeError);
    for (const piece of [-1, 2]) expect(() => picker.setPriority(piece, 1)).toThrow(RangeError);
    expect(() => picker.priorityOf(2)).toThrow(RangeError);
    for (const all of [Uint8Array.of(1), Uint8Array.of(1, 8)])
      expect(() => picker.setPriorities(all)).toThrow(RangeError);
    expect(prioritiesOf(picker)).toEqual([4, 4]);
  });
});

describe('in sequence', () => {
  test('pieces are begun in ascending order, from the first on', () => {
    const picker = pickerOf(30, 1, { randomFirstPieces: 4 });
    picker.sequential = true;
    join(picker, 1, 'all');
    join(picker, 2, [17, 5, 29]);
    expect(named(picker.pick(1, 3))).toEqual(['0.0', '1.0', '2.0']);
    expect(named(picker.pick(2, 2))).toEqual(['5.0', '17.0']);
    expect(named(picker.pick(1, 3))).toEqual(['3.0', '4.0', '6.0']);
    expect(picker.sequential).toBe(true);
  });

  test('a higher priority still comes first', () => {
    const picker = pickerOf(20, 1);
    picker.sequential = true;
    join(picker, 1, 'all');
    for (const piece of [12, 14]) picker.setPriority(piece, 7);
    picker.setPriority(0, 1);
    expect(named(picker.pick(1, 4))).toEqual(['12.0', '14.0', '1.0', '2.0']);
    picker.setPriority(4, 7);
    expect(named(picker.pick(1, 2))).toEqual(['4.0', '3.0']);
  });

  test('what was lost, failed, given up, held or unwanted comes in its place again', () => {
    const picker = pickerOf(20, 1);
    picker.sequential = true;
    join(picker, 1, 'all');
    join(picker, 2, 'all');
    picker.setPriority(4, 0);
    picker.hold(bits(20, [5]));
    answer(picker, 1, picker.pick(1, 2));
    const [third] = picker.pick(2, 1);
    const [fourth] = picker.pick(1, 1);
    expect([third?.piece, fourth?.piece]).toEqual([2, 3]);
    expect(named(picker.pick(1, 1))).toEqual(['6.0']);
    picker.lost(1);
    picker.releaseAll(2);
    picker.received(1, 3, 0);
    picker.failed(3);
    picker.setPriority(4, 4);
    picker.unhold(5);
    expect(named(picker.pick(2, 6))).toEqual(['1.0', '2.0', '3.0', '4.0', '5.0', '7.0']);
  });

  test('the lowest of the started pieces is finished first, whoever began it', () => {
    const picker = pickerOf(4, 4);
    join(picker, 1, [2]);
    join(picker, 2, [1]);
    join(picker, 9, 'all');
    picker.sequential = true;
    for (const peer of [1, 2]) picker.pick(peer, 1);
    expect(named(picker.pick(9, 7))).toEqual(['1.1', '1.2', '1.3', '2.1', '2.2', '2.3', '0.0']);
  });

  test('the order can be changed at any time', () => {
    const picker = pickerOf(9, 1);
    join(picker, 1, [0, 1, 2, 3, 4, 5, 6, 7]);
    join(picker, 2, [0, 1, 2, 3, 4, 5, 6]);
    picker.sequential = true;
    picker.pick(1, 2);
    picker.sequential = false;
    expect(named(picker.pick(1, 1))).toEqual(['7.0']);
    picker.sequential = true;
    expect(named(picker.pick(1, 2))).toEqual(['2.0', '3.0']);
  });
});

function bits(length: number, pieces: readonly number[]): Bitfield {
  const result = new Bitfield(length);
  for (const piece of pieces) result.add(piece);
  return result;
}

function prioritiesOf(picker: Picker): number[] {
  return Array.from({ length: picker.have.length }, (_, piece) => picker.priorityOf(piece));
}
