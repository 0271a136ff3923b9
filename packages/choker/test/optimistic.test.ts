import { expect, test } from 'vitest';
import { Rotation } from '../src/optimistic.ts';
import { seeded } from './candidates.ts';

test('a newcomer is three times as likely at the front as at any other place', () => {
  const runs = 60_000;
  const places = [0, 0, 0, 0, 0];
  const random = seeded(7);
  for (let run = 0; run < runs; run++) {
    const rotation = new Rotation(random);
    for (let peer = 0; peer < 4; peer++) rotation.insert(peer);
    rotation.insert(99);
    (places[rotation.peers().indexOf(99)] as number)++;
  }
  const shares = places.map((count) => (count / runs) * 7);
  expect(shares[0]).toBeCloseTo(3, 0);
  for (const share of shares) expect(Math.abs(share - (share === shares[0] ? 3 : 1))).toBeLessThan(0.06);
});

test('turning keeps the circle', () => {
  const rotation = new Rotation(() => 0.999);
  for (let peer = 0; peer < 5; peer++) rotation.insert(peer);
  expect(rotation.peers()).toEqual([0, 1, 2, 3, 4]);
  rotation.turnTo((peer) => peer === 2);
  expect(rotation.peers()).toEqual([2, 3, 4, 0, 1]);
  rotation.turnTo(() => false);
  expect(rotation.peers()).toEqual([2, 3, 4, 0, 1]);
  rotation.turnPast(4);
  expect(rotation.peers()).toEqual([0, 1, 2, 3, 4]);
  rotation.turnPast(77);
  expect(rotation.peers()).toEqual([0, 1, 2, 3, 4]);
});

test('a peer that left is in the circle no more, and one that never came does no harm', () => {
  const rotation = new Rotation(() => 0);
  rotation.insert(1);
  rotation.insert(2);
  rotation.remove(1);
  rotation.remove(9);
  expect(rotation.peers()).toEqual([2]);
});
