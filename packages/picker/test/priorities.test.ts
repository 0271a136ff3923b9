import { Bitfield } from '@shoal/pieces';
import { describe, expect, test } from 'vitest';
import { answer, join, named, pickerOf } from './pickers.ts';
import { seeded } from './random.ts';

describe('strict finishing', () => {
  test('a started piece is finished before a rarer one is begun', () => {
    const picker = pickerOf(3, 4);
    join(picker, 1, [0, 1]);
    join(picker, 2, [0]);
    picker.verified(1);
    expect(named(picker.pick(1, 2))).toEqual(['0.0', '0.1']);
    picker.lost(1);
    expect(picker.availability(1)).toBeLessThan(picker.availability(0));
    expect(named(picker.pick(1, 3))).toEqual(['0.2', '0.3', '1.0']);
  });

  test('of several started pieces the rarest is finished first', () => {
    const picker = pickerOf(3, 4);
    join(picker, 1, [0]);
    join(picker, 2, [1]);
    join(picker, 3, [0]);
    picker.pick(1, 1);
    picker.pick(2, 1);
    join(picker, 4, [0, 1]);
    expect(named(picker.pick(4, 4))).toEqual(['1.1', '1.2', '1.3', '0.1']);
  });

  test('equally rare started pieces are finished in random order', () => {
    const first = new Set<string | undefined>();
    for (let seed = 0; seed < 40; seed++) {
      const picker = pickerOf(3, 4, { random: seeded(seed) });
      for (const peer of [0, 1, 2]) join(picker, peer, [peer]);
      for (const peer of [0, 1, 2]) picker.pick(peer, 1);
      join(picker, 9, [0, 1, 2].slice(0, 2));
      first.add(named(picker.pick(9, 1))[0]);
    }
    expect(first).toEqual(new Set(['0.1', '1.1']));
  });

  test('blocks that a choke set free come before blocks never asked for, and before other started pieces', () => {
    const picker = pickerOf(3, 4);
    join(picker, 1, [0]);
    join(picker, 2, [0, 1]);
    join(picker, 3, [1]);
    answer(picker, 1, picker.pick(1, 1));
    expect(named(picker.pick(1, 2))).toEqual(['0.1', '0.2']);
    expect(named(picker.pick(3, 1))).toEqual(['1.0']);
    picker.releaseAll(1);
    expect(named(picker.pick(2, 6))).toEqual(['0.1', '0.2', '0.3', '1.1', '1.2', '1.3']);
  });
});

test('blocks passed over by one that came unasked are asked for before other started pieces', () => {
  const picker = pickerOf(3, 4);
  join(picker, 1, [0]);
  join(picker, 2, [0, 1]);
  join(picker, 3, [1]);
  join(picker, 4, [0]);
  picker.pick(1, 1);
  picker.pick(3, 1);
  picker.received(1, 0, 3 * 16_384, { acceptUnrequested: true });
  expect(picker.availability(0)).toBeGreaterThan(picker.availability(1));
  expect(named(picker.pick(2, 3))).toEqual(['0.1', '0.2', '1.1']);
});

describe('seeds and others', () => {
  test('a seed is not drawn into a piece that a slow peer began', () => {
    const picker = pickerOf(3, 4);
    join(picker, 1, [0]);
    join(picker, 9, 'all');
    answer(picker, 1, picker.pick(1, 1));
    expect(picker.pick(9, 1)[0]?.piece).not.toBe(0);
  });

  test('a seed finishes what a seed began', () => {
    const picker = pickerOf(3, 4);
    join(picker, 8, 'all');
    join(picker, 9, 'all');
    const [begun] = picker.pick(8, 1);
    expect(named(picker.pick(9, 3))).toEqual([1, 2, 3].map((block) => `${begun?.piece}.${block}`));
  });

  test('being partial wins for a seed at equal rarity only', () => {
    const picker = pickerOf(2, 4);
    join(picker, 1, [0]);
    join(picker, 2, [1]);
    join(picker, 9, 'all');
    picker.pick(1, 1);
    expect(named(picker.pick(9, 1))).toEqual(['0.1']);
    const other = pickerOf(2, 4);
    join(other, 1, [0]);
    join(other, 9, 'all');
    other.pick(1, 1);
    expect(named(other.pick(9, 1))).toEqual(['1.0']);
  });

  test('a piece a peer began counts as begun by a seed once a seed was asked for some of it', () => {
    const picker = pickerOf(2, 8);
    join(picker, 1, [0]);
    join(picker, 2, [1]);
    join(picker, 9, 'all');
    picker.pick(1, 1);
    picker.pick(9, 1);
    join(picker, 3, [0]);
    expect(named(picker.pick(9, 1))).toEqual(['0.2']);
  });

  test('others finish what a seed began before what others began', () => {
    const picker = pickerOf(2, 4);
    join(picker, 1, [0]);
    join(picker, 9, 'all');
    picker.pick(1, 1);
    expect(named(picker.pick(9, 1))).toEqual(['1.0']);
    join(picker, 2, [0, 1]);
    picker.peerHas(1, 1);
    expect(named(picker.pick(2, 1))).toEqual(['1.1']);
  });

  test('a seed helps with a piece that others began when there is nothing else', () => {
    const picker = pickerOf(1, 4);
    join(picker, 1, [0]);
    join(picker, 9, 'all');
    picker.peerPieces(1, new Bitfield(1));
    picker.peerHas(1, 0);
    picker.pick(1, 1);
    expect(named(picker.pick(9, 9))).toEqual(['0.1', '0.2', '0.3']);
  });
});

describe('rarest first', () => {
  test('pieces are begun from the rarest to the most common', () => {
    const picker = pickerOf(4, 1);
    join(picker, 1, [0, 1, 2, 3]);
    join(picker, 2, [0, 1, 3]);
    join(picker, 3, [1, 3]);
    join(picker, 4, [1]);
    picker.peerLeft(1);
    join(picker, 5, [0, 1, 2, 3]);
    expect(named(picker.pick(5, 4))).toEqual(['2.0', '0.0', '3.0', '1.0']);
  });

  test('availability changes are followed at once', () => {
    const picker = pickerOf(2, 1);
    join(picker, 1, [0]);
    join(picker, 2, [1]);
    join(picker, 3, []);
    picker.peerHas(3, 0);
    picker.peerHas(3, 1);
    picker.peerHas(2, 0);
    picker.peerLeft(1);
    expect(picker.availability(0)).toBe(2);
    join(picker, 4, [1]);
    expect(picker.rarest()).toEqual({ copies: 2, pieces: 1 });
    picker.peerPieces(4, new Bitfield(2));
    expect(picker.availability(1)).toBe(2);
  });

  test.each([0, 4])('equally rare pieces are begun in uniformly random order, %d random first', (randomFirstPieces) => {
    const begun = [0, 0, 0, 0, 0];
    const random = seeded(3);
    const runs = 10_000;
    for (let run = 0; run < runs; run++) {
      const picker = pickerOf(5, 1, { random, randomFirstPieces });
      join(picker, 1, 'all');
      (begun[picker.pick(1, 1)[0]?.piece as number] as number)++;
    }
    for (const count of begun) expect(Math.abs(count / runs - 0.2)).toBeLessThan(0.02);
  });

  test('the first four pieces are random, the rest are rare', () => {
    const rare = [0, 0];
    for (let seed = 0; seed < 300; seed++) {
      const picker = pickerOf(40, 1, { random: seeded(seed), randomFirstPieces: 4 });
      join(
        picker,
        1,
        Array.from({ length: 39 }, (_, piece) => piece),
      );
      join(
        picker,
        2,
        Array.from({ length: 38 }, (_, piece) => piece),
      );
      for (let index = 0; index < 5; index++) {
        const blocks = picker.pick(1, 1);
        if (blocks[0]?.piece === 38) (rare[index < 4 ? 0 : 1] as number)++;
        answer(picker, 1, blocks);
      }
    }
    expect(rare[0]).toBeLessThan(80);
    expect((rare[0] as number) + (rare[1] as number)).toBe(300);
  });

  test('a peer with a few common pieces among many gets the rarest of its own', () => {
    const pieceCount = 4000;
    const picker = pickerOf(pieceCount, 1);
    join(
      picker,
      1,
      Array.from({ length: pieceCount - 1 }, (_, piece) => piece),
    );
    join(picker, 2, [5, 6, 7]);
    join(picker, 3, [5, 7, 3999]);
    picker.verified(3999);
    for (let piece = 10; piece < 3000; piece += 7) picker.verified(piece);
    expect(new Set(named(picker.pick(2, 1)))).toEqual(new Set(['6.0']));
    expect(new Set(named(picker.pick(3, 5)))).toEqual(new Set(['5.0', '7.0']));
  });

  test('a peer with a few pieces among many is asked for some of them while picks are random', () => {
    const begun = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      const picker = pickerOf(4000, 1, { random: seeded(seed), randomFirstPieces: 4 });
      join(
        picker,
        1,
        Array.from({ length: 3999 }, (_, piece) => piece),
      );
      join(picker, 2, [17, 2000, 3990]);
      for (const name of named(picker.pick(2, 1))) begun.add(name);
    }
    expect(begun).toEqual(new Set(['17.0', '2000.0', '3990.0']));
  });
});
