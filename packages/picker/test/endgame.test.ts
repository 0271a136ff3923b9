import type { Block } from '@shoal/pieces';
import { describe, expect, test } from 'vitest';
import { seeded } from './random.ts';
import { answer, join, named, pickerOf } from './pickers.ts';

describe('clients 43: end game', () => {
  test('clients 43: begins only when nothing unrequested is left', () => {
    const picker = pickerOf(2, 2);
    join(picker, 1, 'all');
    join(picker, 2, [0]);
    picker.pick(1, 3);
    expect(picker.inEndgame).toBe(false);
    picker.pick(1, 1);
    expect(picker.inEndgame).toBe(true);
    picker.releaseAll(1);
    expect(picker.inEndgame).toBe(false);
  });

  test('clients 43: a peer that owes us a block gets no copies', () => {
    const picker = pickerOf(1, 3);
    join(picker, 1, 'all');
    join(picker, 2, 'all');
    picker.pick(1, 2);
    picker.pick(2, 1);
    expect(picker.pick(2, 5)).toEqual([]);
    answer(picker, 2, [{ piece: 0, begin: 2 * 16_384, length: 16_384 }]);
    expect(named(picker.pick(2, 5)).toSorted()).toEqual(['0.0', '0.1']);
  });

  test('clients 43: the fewest copies come first, then the oldest request', () => {
    const picker = pickerOf(1, 3);
    for (const peer of [1, 2, 3, 4]) join(picker, peer, 'all');
    picker.pick(1, 1, 300);
    picker.pick(1, 1, 100);
    picker.pick(1, 1, 200);
    expect(named(picker.pick(2, 2, 1000))).toEqual(['0.1', '0.2']);
    expect(named(picker.pick(3, 1, 1001))).toEqual(['0.0']);
    expect(new Set(named(picker.pick(4, 2, 1002)))).toEqual(new Set(['0.1', '0.2']));
  });

  test('clients 43: a block with fewer copies comes before one requested earlier', () => {
    const picker = pickerOf(1, 2);
    for (const peer of [1, 2, 3]) join(picker, peer, 'all');
    picker.pick(1, 2, 100);
    const [twice] = picker.pick(2, 1, 200);
    picker.released(1, 0, twice?.begin === 0 ? 16_384 : 0);
    picker.pick(1, 1, 300);
    expect(picker.pick(3, 1, 400)[0]?.begin).not.toBe(twice?.begin);
  });

  test('clients 43: ties are random', () => {
    const first = new Set<string | undefined>();
    for (let seed = 0; seed < 40; seed++) {
      const picker = pickerOf(1, 3, { random: seeded(seed) });
      join(picker, 1, 'all');
      join(picker, 2, 'all');
      picker.pick(1, 3);
      first.add(named(picker.pick(2, 1))[0]);
    }
    expect(first).toEqual(new Set(['0.0', '0.1', '0.2']));
  });

  test.each([
    [1, 0],
    [2, 1],
    [3, 2],
  ])('clients 43: a limit of %d copies gives a block to %d more peers', (endgameCopies, more) => {
    const picker = pickerOf(1, 1, { endgameCopies });
    for (const peer of [1, 2, 3, 4, 5]) join(picker, peer, 'all');
    picker.pick(1, 1);
    const asked = [2, 3, 4, 5].filter((peer) => picker.pick(peer, 1).length > 0);
    expect(asked).toHaveLength(more);
  });

  test('clients 43: the first arrival cancels the other copies', () => {
    const picker = pickerOf(1, 2);
    for (const peer of [1, 2, 3]) join(picker, peer, 'all');
    for (const peer of [1, 2, 3]) picker.pick(peer, 2);
    expect(picker.takeCancels()).toEqual([]);
    expect(picker.received(2, 0, 0)).toBe('accepted');
    const block = { piece: 0, begin: 0, length: 16_384 };
    expect(picker.takeCancels()).toEqual([
      { peer: 1, block },
      { peer: 3, block },
    ]);
    expect(picker.takeCancels()).toEqual([]);
    expect([1, 2, 3].map((peer) => picker.requested(peer))).toEqual([1, 1, 1]);
  });

  test('clients 40: the copy that comes in spite of the cancel is a duplicate, not an offence', () => {
    const picker = pickerOf(1, 2);
    join(picker, 1, 'all');
    join(picker, 2, 'all');
    picker.pick(1, 2);
    picker.pick(2, 2);
    picker.received(2, 0, 0);
    expect(picker.received(1, 0, 0)).toBe('duplicate');
    expect(picker.wants(0, 0)).toBe(false);
    expect(picker.wants(0, 16_384)).toBe(true);
  });

  test('nothing is cancelled with a peer that has left', () => {
    const picker = pickerOf(1, 1);
    join(picker, 1, 'all');
    join(picker, 2, 'all');
    picker.pick(1, 1);
    picker.pick(2, 1);
    picker.received(2, 0, 0);
    picker.peerLeft(1);
    expect(picker.takeCancels()).toEqual([]);
  });

  test('a block of which one copy is given up stays requested from the others', () => {
    const picker = pickerOf(1, 1);
    join(picker, 1, 'all');
    join(picker, 2, 'all');
    picker.pick(1, 1);
    picker.pick(2, 1);
    picker.releaseAll(1);
    expect(picker.inEndgame).toBe(true);
    expect(picker.openPieces).toBe(1);
    picker.releaseAll(2);
    expect(picker.openPieces).toBe(0);
  });

  test('an idle peer without the busy pieces gets nothing', () => {
    const picker = pickerOf(2, 1);
    join(picker, 1, [0]);
    join(picker, 2, [1]);
    picker.pick(1, 1);
    picker.pick(2, 1);
    answer(picker, 2, [{ piece: 1, begin: 0, length: 16_384 }]);
    expect(picker.pick(2, 1)).toEqual([]);
  });

  test('clients 43: a peer that answers faster than others gets what they owe before it stands idle', () => {
    const picker = pickerOf(1, 6);
    for (const peer of [1, 2]) join(picker, peer, 'all');
    picker.pick(1, 2, 0);
    picker.pick(2, 4, 10);
    answer(picker, 2, [{ piece: 0, begin: 2 * 16_384, length: 16_384 }]);
    expect(picker.pick(2, 4, 20)).toEqual([]);
    answer(picker, 2, [{ piece: 0, begin: 3 * 16_384, length: 16_384 }]);
    expect(picker.requested(2)).toBe(2);
    expect(picker.pick(2, 4, 30, { slow: true })).toEqual([]);
    expect(named(picker.pick(2, 4, 30)).toSorted()).toEqual(['0.0', '0.1']);
  });

  test('clients 43: a peer with a short pipeline gets nothing that was asked for later than what it owes', () => {
    const picker = pickerOf(1, 2);
    for (const peer of [1, 2]) join(picker, peer, 'all');
    picker.pick(1, 1, 0);
    picker.pick(2, 1, 10);
    expect(picker.pick(1, 4, 20)).toEqual([]);
    expect(named(picker.pick(2, 4, 20))).toEqual(['0.0']);
  });

  test('clients 43: all that a silent peer owes goes to those that are idle, at once', () => {
    const picker = pickerOf(4, 8);
    for (const peer of [1, 2, 3]) join(picker, peer, 'all');
    picker.pick(1, 20, 0);
    answer(picker, 2, picker.pick(2, 20, 1));
    expect(picker.complete).toBe(false);
    const rest = picker.pick(2, 10, 2);
    const others = picker.pick(3, 10, 2);
    expect(new Set(named([...rest, ...others])).size).toBe(20);
    answer(picker, 2, rest);
    answer(picker, 3, others);
    expect([picker.complete, picker.requested(1)]).toEqual([true, 0]);
    expect(picker.takeCancels()).toHaveLength(20);
  });
});

describe('clients 43: a stalling peer', () => {
  test.each([1, 2, 3])('holds up the last blocks by no more than one turn of the others, seed %d', (seed) => {
    const quiet = turnsToComplete(seed, false);
    const stalled = turnsToComplete(seed, true);
    // A peer of four leaves: a third more turns for the bytes, and one for the copies.
    expect(stalled).toBeLessThanOrEqual(Math.ceil((quiet * 4) / 3) + 1);
  });

  test('clients 43: at the limit of open pieces an idle peer takes over what a silent one holds, once it is late', () => {
    const picker = pickerOf(5, 2, { maxOpenPieces: 1, urgentAfterMs: 2000 });
    join(picker, 1, 'all');
    join(picker, 2, 'all');
    const held = picker.pick(1, 5, 0);
    expect(held).toHaveLength(2);
    expect(picker.pick(2, 5, 2000)).toEqual([]);
    expect(picker.pick(2, 5, 2001, { slow: true })).toEqual([]);
    const taken = picker.pick(2, 5, 2001);
    expect(named(taken)).toEqual(named(held));
    answer(picker, 2, taken);
    expect(picker.takeCancels()).toHaveLength(2);
    expect(picker.pick(2, 5, 2002)).toHaveLength(2);
  });
});

/** Turns, each a round trip, until 100 pieces are here from four equal peers with 16 requests under way each. */
function turnsToComplete(seed: number, stalls: boolean): number {
  const picker = pickerOf(100, 8, { random: seeded(seed) });
  const peers = [1, 2, 3, 4];
  for (const peer of peers) join(picker, peer, 'all');
  const depth = 16;
  const owed = new Map<number, Block[]>(peers.map((peer) => [peer, []]));
  let turn = 0;
  while (!picker.complete && turn < 1000) {
    turn++;
    for (const peer of peers) {
      // The stalling one answers until half of the pieces are here.
      if (peer === 4 && stalls && picker.have.count >= 50) continue;
      for (const { piece, begin } of owed.get(peer) ?? []) {
        if (picker.received(peer, piece, begin) === 'completed') picker.verified(piece);
      }
      owed.set(peer, []);
    }
    for (const peer of peers) owed.get(peer)?.push(...picker.pick(peer, depth - picker.requested(peer), turn));
  }
  return turn;
}
