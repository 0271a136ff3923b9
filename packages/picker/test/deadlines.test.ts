import { describe, expect, test } from 'vitest';
import { answer, join, named, pickerOf } from './pickers.ts';

describe('pieces with a deadline', () => {
  test('come before everything else, the earliest first, then the lowest number', () => {
    const picker = pickerOf(6, 1);
    join(picker, 1, 'all');
    picker.setPriority(0, 7);
    picker.setDeadline(3, 500);
    picker.setDeadline(5, 100);
    picker.setDeadline(2, 500);
    expect(named(picker.pick(1, 4))).toEqual(['5.0', '2.0', '3.0', '0.0']);
  });

  test('come before what is started', () => {
    const picker = pickerOf(3, 4);
    join(picker, 1, [0]);
    join(picker, 2, [0, 1]);
    picker.pick(1, 1);
    picker.setDeadline(1, 9);
    expect(named(picker.pick(2, 5))).toEqual(['1.0', '1.1', '1.2', '1.3', '0.1']);
  });

  test('are shared by all peers, block by block', () => {
    const picker = pickerOf(3, 4);
    for (const peer of [1, 2]) join(picker, peer, 'all');
    picker.setDeadline(2, 9);
    expect(named(picker.pick(1, 2))).toEqual(['2.0', '2.1']);
    expect(named(picker.pick(2, 2))).toEqual(['2.2', '2.3']);
  });

  test('take the newest time given', () => {
    const picker = pickerOf(3, 1);
    join(picker, 1, 'all');
    picker.setDeadline(1, 1);
    picker.setDeadline(2, 5);
    picker.setDeadline(1, 9);
    expect([picker.deadlineOf(0), picker.deadlineOf(1), picker.deadlineOf(2)]).toEqual([undefined, 9, 5]);
    expect(named(picker.pick(1, 2))).toEqual(['2.0', '1.0']);
  });

  test('lose it when they are here, and get none then', () => {
    const picker = pickerOf(2, 1);
    join(picker, 1, 'all');
    picker.setDeadline(0, 1);
    answer(picker, 1, picker.pick(1, 1));
    expect(picker.deadlineOf(0)).toBe(undefined);
    picker.setDeadline(0, 1);
    expect(picker.deadlineOf(0)).toBe(undefined);
    picker.lost(0);
    expect(picker.deadlineOf(0)).toBe(undefined);
  });

  test('keep it when their check fails', () => {
    const picker = pickerOf(3, 1);
    join(picker, 1, 'all');
    picker.setDeadline(2, 1);
    const [block] = picker.pick(1, 1);
    picker.received(1, block?.piece ?? -1, 0);
    picker.failed(2);
    expect(named(picker.pick(1, 1))).toEqual(['2.0']);
  });

  test('are ordinary again once it is cleared, one by one or all at once', () => {
    const picker = pickerOf(3, 1);
    join(picker, 1, 'all');
    picker.setPriority(0, 7);
    for (const piece of [1, 2]) picker.setDeadline(piece, 1);
    picker.clearDeadline(1);
    expect(named(picker.pick(1, 2))).toEqual(['2.0', '0.0']);
    picker.setDeadline(1, 1);
    picker.clearDeadlines();
    expect(picker.deadlineOf(1)).toBe(undefined);
  });

  test('that are unwanted or held wait with it until that changes', () => {
    const picker = pickerOf(4, 1);
    join(picker, 1, 'all');
    for (const piece of [2, 3]) picker.setDeadline(piece, piece);
    picker.setPriority(3, 0);
    const doubted = picker.have.clone();
    doubted.add(2);
    picker.hold(doubted);
    picker.setPriority(0, 7);
    expect(named(picker.pick(1, 1))).toEqual(['0.0']);
    picker.setPriority(3, 1);
    picker.unhold(2);
    expect(named(picker.pick(1, 2))).toEqual(['2.0', '3.0']);
  });

  test('are asked of those that have them only', () => {
    const picker = pickerOf(3, 1);
    join(picker, 1, [1, 2]);
    for (const piece of [0, 2]) picker.setDeadline(piece, piece);
    expect(named(picker.pick(1, 2))).toEqual(['2.0', '1.0']);
  });
});

describe('late blocks', () => {
  test('of a piece with a deadline are asked of one more peer after two seconds', () => {
    const picker = pickerOf(4, 2);
    for (const peer of [1, 2, 3]) join(picker, peer, 'all');
    picker.setDeadline(0, 9);
    expect(named(picker.pick(1, 2, 1000))).toEqual(['0.0', '0.1']);
    expect(picker.pick(2, 1, 3000)[0]?.piece).not.toBe(0);
    expect(named(picker.pick(2, 2, 3001))).toEqual(['0.0', '0.1']);
    expect(picker.pick(3, 1, 3002)[0]?.piece).not.toBe(0);
    expect(picker.inEndgame).toBe(false);
    picker.received(2, 0, 0);
    expect(picker.takeCancels()).toEqual([{ peer: 1, block: { piece: 0, begin: 0, length: 16_384 } }]);
  });

  test('are asked of no more peers than the end game allows, and of each once', () => {
    const picker = pickerOf(1, 1, { endgameCopies: 3, urgentAfterMs: 10 });
    for (const peer of [1, 2, 3, 4]) join(picker, peer, 'all');
    picker.setDeadline(0, 9);
    const asked = [1, 2, 2, 3, 4].map((peer, index) => picker.pick(peer, 1, index * 20).length);
    expect(asked).toEqual([1, 1, 0, 1, 0]);
  });

  test('that their peer gave back after all are found late in their turn', () => {
    const picker = pickerOf(4, 2);
    for (const peer of [1, 2, 3]) join(picker, peer, 'all');
    picker.setDeadline(0, 9);
    picker.pick(1, 2, 0);
    picker.pick(2, 2, 2001);
    picker.releaseAll(1);
    expect(named(picker.pick(3, 2, 4002))).toEqual(['0.0', '0.1']);
  });

  test('without a deadline are left to their peer', () => {
    const picker = pickerOf(2, 1);
    for (const peer of [1, 2]) join(picker, peer, 'all');
    const [block] = picker.pick(1, 1, 0);
    expect(picker.pick(2, 1, 60_000)[0]?.piece).not.toBe(block?.piece);
  });

  test('clients 41: of a piece on parole are left to its one peer', () => {
    const picker = pickerOf(2, 2);
    for (const peer of [1, 2]) join(picker, peer, 'all');
    picker.setPriority(1, 0);
    for (const peer of [1, 2]) for (const { piece, begin } of picker.pick(peer, 1)) picker.received(peer, piece, begin);
    picker.failed(0);
    picker.setDeadline(0, 9);
    expect(named(picker.pick(1, 1, 0))).toEqual(['0.0']);
    expect(picker.pick(2, 2, 60_000)).toEqual([]);
  });
});

describe('slow peers', () => {
  test('get pieces with a deadline last', () => {
    const picker = pickerOf(3, 1);
    for (const peer of [1, 2]) join(picker, peer, 'all');
    picker.setDeadline(1, 9);
    expect(named(picker.pick(1, 3, 0, { slow: true })).indexOf('1.0')).toBe(2);
  });

  test('get them last in sequence and of what is started too', () => {
    const picker = pickerOf(3, 2);
    for (const peer of [1, 2]) join(picker, peer, 'all');
    picker.sequential = true;
    picker.setDeadline(0, 9);
    expect(named(picker.pick(1, 1))).toEqual(['0.0']);
    expect(named(picker.pick(2, 5, 0, { slow: true }))).toEqual(['1.0', '1.1', '2.0', '2.1', '0.1']);
  });

  test('get at once what nobody else has', () => {
    const picker = pickerOf(3, 1);
    join(picker, 1, 'all');
    picker.setDeadline(1, 9);
    expect(named(picker.pick(1, 1, 0, { slow: true }))).toEqual(['1.0']);
  });

  test('with few of many pieces get others than those with a deadline too', () => {
    const picker = pickerOf(4000, 1);
    join(
      picker,
      1,
      Array.from({ length: 3999 }, (_, piece) => piece),
    );
    join(picker, 2, [17, 2000, 3990]);
    picker.setDeadline(17, 9);
    expect(named(picker.pick(2, 3, 0, { slow: true }))[2]).toBe('17.0');
  });

  test('get no late blocks', () => {
    const picker = pickerOf(2, 1);
    for (const peer of [1, 2]) join(picker, peer, 'all');
    picker.setDeadline(1, 9);
    picker.pick(1, 1, 0);
    expect(named(picker.pick(2, 5, 9000, { slow: true }))).toEqual(['0.0']);
  });
});

describe('at the limit of open pieces', () => {
  test('one piece with a deadline more may be open', () => {
    const picker = pickerOf(5, 2, { maxOpenPieces: 2 });
    join(picker, 1, 'all');
    picker.pick(1, 3);
    const deadlines = [0, 1, 2, 3, 4].filter((piece) => !picker.isOpen(piece));
    for (const piece of deadlines) picker.setDeadline(piece, piece);
    const picked = picker.pick(1, 9);
    expect(picker.openPieces).toBe(3);
    expect(named(picked).slice(0, 2)).toEqual([`${deadlines[0]}.0`, `${deadlines[0]}.1`]);
    expect(picked).toHaveLength(3);
  });

  test.each([0, 2])('a reserve of %d is what it says', (deadlineReserve) => {
    const picker = pickerOf(5, 1, { maxOpenPieces: 1, deadlineReserve });
    join(picker, 1, 'all');
    picker.pick(1, 1);
    for (let piece = 0; piece < 5; piece++) picker.setDeadline(piece, piece);
    expect(picker.pick(1, 9)).toHaveLength(deadlineReserve);
  });

  test('an open piece of which nothing is here or on its way makes room first', () => {
    const picker = pickerOf(3, 1, { maxOpenPieces: 1 });
    join(picker, 1, [0]);
    join(picker, 2, [1, 2]);
    picker.pick(1, 1);
    picker.released(1, 0, 0);
    for (const piece of [1, 2]) picker.setDeadline(piece, piece);
    expect(named(picker.pick(2, 1))).toEqual(['1.0']);
    expect([picker.takeAbandoned(), picker.openPieces]).toEqual([[0], 1]);
    expect(named(picker.pick(2, 9))).toEqual(['2.0']);
    expect([picker.takeAbandoned(), picker.openPieces]).toEqual([[], 2]);
  });

  test.each([
    ['of which something is here', true, false],
    ['that has a deadline itself', false, true],
  ])('an open piece %s makes no room', (_name, isBegun, isUrgent) => {
    const picker = pickerOf(3, 2, { maxOpenPieces: 1 });
    join(picker, 1, [0]);
    join(picker, 2, [1, 2]);
    const blocks = picker.pick(1, 2);
    if (isBegun) answer(picker, 1, blocks.slice(0, 1));
    for (const { piece, begin } of blocks) picker.released(1, piece, begin);
    for (const piece of isUrgent ? [0, 1, 2] : [1, 2]) picker.setDeadline(piece, piece);
    expect(named(picker.pick(2, 9))).toEqual(['1.0', '1.1']);
    expect([picker.takeAbandoned(), picker.isOpen(0)]).toEqual([[], true]);
  });

  test('the reserve is not for others', () => {
    const picker = pickerOf(4, 1, { maxOpenPieces: 1 });
    join(picker, 1, 'all');
    picker.setDeadline(3, 1);
    expect(picker.pick(1, 9)).toHaveLength(1);
    expect(picker.openPieces).toBe(1);
  });
});

test('a deadline of no time, or of no piece, is refused', () => {
  const picker = pickerOf(1, 1);
  expect(() => picker.setDeadline(0, Number.NaN)).toThrow(RangeError);
  expect(() => picker.setDeadline(1, 0)).toThrow(RangeError);
  for (const options of [{ deadlineReserve: -1 }, { urgentAfterMs: -1 }, { urgentAfterMs: Number.NaN }])
    expect(() => pickerOf(1, 1, options)).toThrow(RangeError);
});
