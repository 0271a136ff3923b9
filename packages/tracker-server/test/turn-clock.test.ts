import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { turnClock } from '../src/turn-clock.ts';

test('the clock is read once in a turn of the event loop, and again in the next', async () => {
  let time = 0;
  const now = turnClock(() => ++time);
  expect([now(), now()]).toEqual([1, 1]);
  await nextTurn();
  expect([now(), now()]).toEqual([2, 2]);
});
