import { describe, expect, test } from 'vitest';
import { DiskTrouble } from '../src/disk-trouble.ts';
import { Scheduler } from '../src/index.ts';

describe('a driver whose disk is in trouble', () => {
  test('says so once, tries one operation after 1, 2, 4 … 30 s, and does all again when that one works', () => {
    const scheduler = new Scheduler();
    const seen: string[] = [];
    let fails = true;
    const trouble = new DiskTrouble(scheduler, {
      suspended: (reason) => seen.push(`${scheduler.nowMs / 1000} suspended: ${reason}`),
      resumed: () => seen.push(`${scheduler.nowMs / 1000} resumed`),
    });
    for (const name of ['one', 'two']) {
      trouble.run((answer) => {
        seen.push(`${scheduler.nowMs / 1000} ${name}`);
        answer(fails ? 'full' : undefined);
      });
    }
    while (scheduler.nextUs <= 90_000_000) scheduler.step();
    fails = false;
    while (scheduler.nextUs < Infinity) scheduler.step();
    expect(seen).toEqual([
      '0 one',
      '0 suspended: full',
      '0 two',
      ...[1, 3, 7, 15, 31, 61].map((seconds) => `${seconds} one`),
      '91 one',
      '91 resumed',
      '91 two',
    ]);
  });

  test('tries nothing any more when it has ended', () => {
    const scheduler = new Scheduler();
    let runs = 0;
    const trouble = new DiskTrouble(scheduler, { suspended: () => {}, resumed: () => {} });
    trouble.run((answer) => {
      runs++;
      answer('full');
    });
    trouble.end();
    expect(scheduler.nextUs).toBe(Infinity);
    expect(runs).toBe(1);
  });
});
