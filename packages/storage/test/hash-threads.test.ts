import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { geometryOf } from '@shoal/pieces';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HashPool, type HashPoolOptions, MemoryStorage, SlabPool } from '../src/index.ts';
import { randomBytes } from './scratch.ts';

const handedOver = 65_536;

/** The threads that start while the running test does, in order. */
function startedThreads(): Worker[] {
  const started: Worker[] = [];
  const add = (worker: Worker): void => void started.push(worker);
  process.on('worker', add);
  onTestFinished(() => void process.off('worker', add));
  return started;
}

/** The next thread, as soon as Node tells of it; not yet there when the call that starts it returns. */
async function oneStarting(): Promise<Worker> {
  const [worker] = await once(process, 'worker');
  return worker;
}

function poolOf(options: HashPoolOptions): HashPool {
  const pool = new HashPool(options);
  onTestFinished(() => pool.close());
  return pool;
}

function sharedBytes(length: number): Uint8Array<SharedArrayBuffer> {
  const bytes = new Uint8Array(new SharedArrayBuffer(length));
  bytes.set(randomBytes(length));
  return bytes;
}

const sha1 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha1').update(bytes).digest());

describe('threads', () => {
  test('none starts for what is hashed on the spot', async () => {
    const started = startedThreads();
    const pool = poolOf({ concurrency: 2 });
    await pool.sha1(sharedBytes(handedOver - 1));
    await pool.sha1(new Uint8Array(0));
    expect(started).toEqual([]);
  });

  test('one is enough for one job after another', async () => {
    const started = startedThreads();
    const pool = poolOf({ concurrency: 4 });
    for (let turn = 0; turn < 5; turn += 1) await pool.sha1(sharedBytes(handedOver));
    expect(started.length).toBe(1);
  });

  test('as many start as there are jobs at once, and no more than allowed', async () => {
    const started = startedThreads();
    const pool = poolOf({ concurrency: 3 });
    const bytes = sharedBytes(handedOver);
    await Promise.all([pool.sha1(bytes), pool.sha1(bytes)]);
    expect(started.length).toBe(2);
    const digests = await Promise.all(Array.from({ length: 100 }, () => pool.sha1(bytes)));
    expect(started.length).toBe(3);
    expect(new Set(digests.map((digest) => Buffer.from(digest).toString('hex'))).size).toBe(1);
  });

  test('they are never more than four unless asked for', async () => {
    expect(poolOf({}).concurrency).toBeGreaterThanOrEqual(1);
    expect(poolOf({}).concurrency).toBeLessThanOrEqual(4);
    expect(() => new HashPool({ concurrency: 0 })).toThrow(RangeError);
  });

  test('bytes that are not shared are hashed in a copy, and where they are once no slab is free', async () => {
    const slabs = new SlabPool({ limitBytes: handedOver });
    const started = startedThreads();
    const pool = poolOf({ concurrency: 1, slabs });
    const bytes = randomBytes(handedOver);
    const copied = pool.sha1(bytes);
    expect(slabs.lentBytes).toBe(handedOver);
    const onTheSpot = pool.sha1(bytes.subarray(0));
    expect(slabs.lentBytes).toBe(handedOver);
    expect([await copied, await onTheSpot]).toEqual([sha1(bytes), sha1(bytes)]);
    expect(slabs.lentBytes).toBe(0);
    expect(started.length).toBe(1);
  });
});

describe('a thread that dies', () => {
  test('rejects the jobs it had, and another takes its place', async () => {
    const started = startedThreads();
    const pool = poolOf({ concurrency: 1 });
    const bytes = sharedBytes(handedOver);
    const outcomes = Promise.allSettled([pool.sha1(bytes), pool.sha1(bytes)]);
    // It is told of a thread before that has loaded its module, so nothing is answered yet.
    await (await oneStarting()).terminate();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'StorageError', code: 'thread' } });
    }
    expect(await pool.sha1(bytes)).toEqual(sha1(bytes));
    expect(started.length).toBe(2);
  });

  test('while idle harms nobody', async () => {
    const started = startedThreads();
    const pool = poolOf({ concurrency: 1 });
    const bytes = sharedBytes(handedOver);
    await pool.sha1(bytes);
    await started[0]!.terminate();
    expect(await pool.sha1(bytes)).toEqual(sha1(bytes));
    expect(started.length).toBe(2);
  });

  test('of an exception gives it as the cause', async () => {
    const started = startedThreads();
    const pool = poolOf({ concurrency: 1 });
    const bytes = sharedBytes(handedOver);
    await pool.sha1(bytes);
    started[0]!.postMessage(null);
    await expect(pool.sha1(bytes)).rejects.toMatchObject({ code: 'thread', cause: expect.any(TypeError) });
    expect(await pool.sha1(bytes)).toEqual(sha1(bytes));
  });

  test('ends the check that it worked for, which leaves no slab behind', async () => {
    const started = startedThreads();
    const slabs = new SlabPool();
    const pool = poolOf({ concurrency: 1, slabs });
    const content = randomBytes(2_000_000);
    const geometry = geometryOf(content.length, handedOver);
    await using storage = MemoryStorage.holding(content);
    process.once('worker', (worker) => void worker.terminate());
    const hashes = new Uint8Array(geometry.pieceCount * 20);
    await expect(pool.checkPieces(storage, geometry, hashes)).rejects.toMatchObject({ code: 'thread' });
    expect(slabs.lentBytes).toBe(0);
    expect(started.length).toBe(1);
  });
});

describe('closing', () => {
  const refusal = { name: 'StorageError', code: 'closed' };

  test('ends the threads, rejects what they have not answered and all that comes later', async () => {
    const started = startedThreads();
    const pool = new HashPool({ concurrency: 2 });
    const bytes = sharedBytes(handedOver);
    // More than are ever under way at once: the last ones still wait for their turn.
    const jobs = Promise.allSettled(Array.from({ length: 50 }, () => pool.sha1(bytes)));
    await oneStarting();
    expect(started.length).toBe(2);
    const ends = started.map((worker) => once(worker, 'exit'));
    await Promise.all([pool.close(), pool.close()]);
    await Promise.all(ends);
    for (const outcome of await jobs) expect(outcome).toMatchObject({ status: 'rejected', reason: refusal });
    await expect(pool.sha1(bytes)).rejects.toMatchObject(refusal);
    await expect(pool.sha1(new Uint8Array(1))).rejects.toMatchObject(refusal);
    await using storage = MemoryStorage.holding(randomBytes(10));
    await expect(pool.checkPieces(storage, geometryOf(10, 16_384), new Uint8Array(20))).rejects.toMatchObject(refusal);
    await pool.close();
    expect(started.length).toBe(2);
  });

  test('ends a check under way, which leaves no slab behind', async () => {
    const slabs = new SlabPool();
    const pool = new HashPool({ concurrency: 1, slabs });
    const content = randomBytes(5_000_000);
    const geometry = geometryOf(content.length, handedOver);
    await using storage = MemoryStorage.holding(content);
    const check = pool.checkPieces(storage, geometry, new Uint8Array(geometry.pieceCount * 20), {
      onProgress: () => void pool.close(),
    });
    await expect(check).rejects.toMatchObject(refusal);
    expect(slabs.lentBytes).toBe(0);
  });

  test('happens at the end of a block that says `await using`', async () => {
    let kept: HashPool;
    {
      await using pool = new HashPool();
      kept = pool;
      await pool.sha1(sharedBytes(handedOver));
    }
    await expect(kept.sha1(new Uint8Array(1))).rejects.toMatchObject(refusal);
  });

  test('is not needed for a process to end, which stays until its hashes are there', async () => {
    const program = `
      import { HashPool } from '@shoal/storage';
      const pool = new HashPool();
      const bytes = new Uint8Array(new SharedArrayBuffer(10_000_000));
      await pool.sha1(bytes);
      console.log(Buffer.from(await pool.sha1(bytes)).toString('hex'));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      cwd: path.join(import.meta.dirname, '..'),
      timeout: 20_000,
    });
    expect(stdout.trim()).toBe(Buffer.from(sha1(new Uint8Array(10_000_000))).toString('hex'));
  });
});

test('a check and single pieces take turns: many of the one do not hold up the other', async () => {
  const pool = poolOf({ concurrency: 1 });
  const content = randomBytes(handedOver);
  await using storage = MemoryStorage.holding(content);
  const order: string[] = [];
  const bytes = sharedBytes(handedOver);
  const pieces = Array.from({ length: 40 }, () => pool.sha1(bytes).then(() => order.push('piece')));
  await pool.checkPieces(storage, geometryOf(content.length, handedOver), sha1(content));
  order.push('check');
  await Promise.all(pieces);
  // Those under way go first, then one piece, then the check.
  expect(order.indexOf('check')).toBeLessThan(10);
});
