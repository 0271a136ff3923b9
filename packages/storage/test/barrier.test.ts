import { describe, expect, test } from 'vitest';
import { Barrier } from '../src/barrier.ts';
import { gate } from './scratch.ts';

const nothing = (): Promise<void> => Promise.resolve();

describe('barrier', () => {
  test('lets nobody wait while nothing runs alone', async () => {
    const barrier = new Barrier();
    expect(barrier.passed).toBeUndefined();
    await barrier.exclude(nothing, nothing);
    await barrier.passed;
    expect(barrier.passed).toBeUndefined();
  });

  test('runs what is called in the order of the calls, shared ones side by side', async () => {
    const barrier = new Barrier();
    const order: string[] = [];
    const [first, second] = [gate(), gate()];
    const shared = (name: string, until: Promise<void> = Promise.resolve()): Promise<void> =>
      barrier.share(async () => {
        order.push(`${name} begins`);
        await until;
        order.push(`${name} ends`);
      });
    const alone = (name: string): Promise<void> => barrier.exclude(nothing, async () => void order.push(name));
    const calls = [shared('a', first.opened), shared('b', second.opened), alone('one'), shared('c'), alone('two')];
    calls.push(alone('three'), shared('d'));
    second.open();
    first.open();
    await Promise.all(calls);
    expect(order.slice(0, 2)).toEqual(['a begins', 'b begins']);
    expect(order.slice(4)).toEqual(['one', 'c begins', 'c ends', 'two', 'three', 'd begins', 'd ends']);
  });

  test('runs nothing alone before what is shared has ended', async () => {
    const barrier = new Barrier();
    const order: string[] = [];
    const busy = gate();
    const shared = barrier.share(() => busy.opened.then(() => void order.push('shared')));
    const alone = barrier.exclude(nothing, async () => void order.push('alone'));
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    expect(order).toEqual([]);
    busy.open();
    await Promise.all([shared, alone]);
    expect(order).toEqual(['shared', 'alone']);
  });

  test('shares nothing while the second of two runs alone', async () => {
    const barrier = new Barrier();
    const order: string[] = [];
    const busy = gate();
    const first = barrier.exclude(nothing, nothing);
    const second = barrier.exclude(nothing, () => busy.opened.then(() => void order.push('alone')));
    await first;
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    const shared = barrier.share(async () => void order.push('shared'));
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    expect(order).toEqual([]);
    busy.open();
    await Promise.all([second, shared]);
    expect(order).toEqual(['alone', 'shared']);
  });

  test('waits for what is under way elsewhere', async () => {
    const barrier = new Barrier();
    const order: string[] = [];
    const elsewhere = gate();
    const alone = barrier.exclude(
      () => elsewhere.opened.then(() => void order.push('elsewhere')),
      async () => void order.push('alone'),
    );
    elsewhere.open();
    await alone;
    expect(order).toEqual(['elsewhere', 'alone']);
  });

  test('a failure goes to its caller and holds nobody up', async () => {
    const barrier = new Barrier();
    const failing = barrier.exclude(nothing, () => Promise.reject(new Error('alone')));
    const shared = barrier.share(() => Promise.reject(new Error('shared')));
    const last = barrier.exclude(nothing, () => Promise.resolve('fine'));
    await expect(failing).rejects.toThrow('alone');
    await expect(shared).rejects.toThrow('shared');
    expect(await last).toBe('fine');
  });
});
