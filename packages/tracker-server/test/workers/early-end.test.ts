import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { ringMemory } from '../../src/workers/ring.ts';

test('a thread that is told to close before it listens, as where another of its server cannot, ends', async () => {
  const workerData = { questions: ringMemory(65_536), answers: ringMemory(65_536), trust: {} };
  const worker = new Worker(new URL('../fixtures/late-thread.ts', import.meta.url), { execArgv: [], workerData });
  worker.postMessage('close');
  expect(await once(worker, 'exit')).toEqual([0]);
});
