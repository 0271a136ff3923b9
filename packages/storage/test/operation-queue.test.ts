import { describe, expect, test } from 'vitest';
import { OperationQueue } from '../src/index.ts';
import { gate } from './scratch.ts';

describe('operation queue', () => {
  test('runs as many operations at once as it may, and no more', async () => {
    const queue = new OperationQueue({ concurrency: 3 });
    let running = 0;
    let most = 0;
    const owner = {};
    await Promise.all(
      Array.from({ length: 50 }, () =>
        queue.run(owner, async () => {
          most = Math.max(most, ++running);
          await Promise.resolve();
          running -= 1;
        }),
      ),
    );
    expect(most).toBe(3);
    expect([queue.active, queue.waiting]).toEqual([0, 0]);
  });

  test('takes turns between owners, so that a busy one holds nobody up', async () => {
    const queue = new OperationQueue({ concurrency: 1 });
    const first = gate();
    const order: string[] = [];
    const enqueue = (owner: object, name: string): Promise<void> => queue.run(owner, async () => void order.push(name));
    const [busy, modest, late] = [{}, {}, {}];
    const running = [queue.run(busy, () => first.opened)];
    for (let turn = 0; turn < 4; turn += 1) running.push(enqueue(busy, `busy ${turn}`));
    running.push(enqueue(modest, 'modest 0'), enqueue(modest, 'modest 1'), enqueue(late, 'late 0'));
    expect(queue.waiting).toBe(7);
    first.open();
    await Promise.all(running);
    expect(order).toEqual(['busy 0', 'modest 0', 'late 0', 'busy 1', 'modest 1', 'busy 2', 'busy 3']);
  });

  test('a failing operation gives its place on', async () => {
    const queue = new OperationQueue({ concurrency: 1 });
    const failing = queue.run(queue, () => Promise.reject(new Error('broken')));
    const next = queue.run(queue, () => Promise.resolve('fine'));
    await expect(failing).rejects.toThrow('broken');
    expect(await next).toBe('fine');
  });

  test.each([0, -1, 2.5, Number.NaN])('refuses a concurrency of %d', (concurrency) => {
    expect(() => new OperationQueue({ concurrency })).toThrow(RangeError);
  });
});
