import { type Block, blockAt, geometryOf } from '@shoal/pieces';
import { describe, expect, test } from 'vitest';
import { RequestPipeline } from '../src/index.ts';

const geometry = geometryOf(2 ** 30, 2 ** 20);

function pipeline(limit: number = 500): RequestPipeline {
  return new RequestPipeline({ geometry, limit, requestTimeoutMs: 60_000, blockTimeoutMs: 20_000 });
}

function nth(index: number): Block {
  return blockAt(geometry, index >> 6, index & 63);
}

/** The peer delivers a whole block. */
function deliver(to: RequestPipeline, block: Block, now: number): boolean {
  const pending = to.find(block.piece, block.begin, block.length, now);
  if (pending === undefined) return false;
  to.progress(block.length, now);
  return to.arrived(pending, block.begin, block.length);
}

/** Keeps the pipeline at its target over a link of `bytesPerSecond`, in steps of 10 ms, from one time to another. */
function run(on: RequestPipeline, bytesPerSecond: number, from: number, to: number): void {
  let next = 1_000_000 + from;
  let credit = 0;
  for (let now = from; now < to; now += 10) {
    while (on.outstanding < on.target(now)) on.add(nth(next++ % 60_000), now);
    credit = Math.min(credit + bytesPerSecond / 100, on.outstanding * 16_384);
    for (const block of on.blocks()) {
      if (credit < block.length) break;
      credit -= block.length;
      deliver(on, block, now);
    }
  }
}

describe('depth', () => {
  test('starts at 4 and grows by one with each block', () => {
    const subject = pipeline();
    expect(subject.target(0)).toBe(4);
    for (let index = 0; index < 10; index += 1) subject.add(nth(index), 0);
    for (let index = 0; index < 10; index += 1) deliver(subject, nth(index), 5);
    expect(subject.target(5)).toBe(14);
  });

  test('after slow start is three seconds of the rate', () => {
    const subject = pipeline();
    run(subject, 512 * 1024, 0, 30_000);
    expect(subject.rate(30_000)).toBeGreaterThan(0.95 * 512 * 1024);
    expect(subject.target(30_000)).toBeGreaterThanOrEqual(92);
    expect(subject.target(30_000)).toBeLessThanOrEqual(98);
  });

  test('is 500 at most, 2 at least, and never above what the peer takes', () => {
    const fast = pipeline();
    run(fast, 50 * 1024 * 1024, 0, 10_000);
    expect(fast.target(10_000)).toBe(500);
    fast.limitTo(33);
    expect(fast.target(10_000)).toBe(33);
    const slow = pipeline();
    run(slow, 2000, 0, 60_000);
    expect(slow.target(60_000)).toBe(2);
    slow.limitTo(1);
    expect(slow.target(60_000)).toBe(1);
  });

  test('follows a link that becomes faster within seconds', () => {
    const subject = pipeline();
    run(subject, 100 * 1024, 0, 30_000);
    run(subject, 1024 * 1024, 30_000, 35_000);
    expect(subject.target(35_000)).toBeGreaterThan(150);
  });

  test('starts slowly again after an unchoke', () => {
    const subject = pipeline();
    run(subject, 512 * 1024, 0, 30_000);
    subject.restart();
    expect(subject.target(30_000)).toBe(4);
  });
});

describe('rate', () => {
  test('is the average over 20 seconds and forgets what is older', () => {
    const subject = pipeline();
    expect(subject.rate(0)).toBe(0);
    subject.progress(200_000, 1000);
    expect(subject.rate(1000)).toBe(200_000);
    expect(subject.rate(11_000)).toBe(20_000);
    expect(subject.rate(20_999)).toBeCloseTo(10_000, -2);
    expect(subject.rate(21_000)).toBe(0);
  });

  test('of a steady peer is its rate at any time', () => {
    const subject = pipeline();
    for (let now = 0; now <= 60_000; now += 50) {
      subject.progress(5000, now);
      if (now > 5000) expect(Math.abs(subject.rate(now) - 100_000)).toBeLessThan(2500);
    }
  });

  test('forgets every second that a pause pushed out of the window', () => {
    const subject = pipeline();
    for (const now of [1000, 2000, 3000]) subject.progress(100_000, now);
    expect(Math.round(subject.rate(22_500) * 19.5)).toBe(100_000);
  });

  test('survives a pause of days', () => {
    const subject = pipeline();
    subject.progress(1000, 0);
    subject.progress(1000, 5e8);
    expect(subject.rate(5e8)).toBeLessThan(100);
  });
});

describe('timeouts', () => {
  test('a request unanswered for 60 s expires although others are answered', () => {
    const subject = pipeline();
    subject.add(nth(0), 0);
    for (let now = 1000; now < 60_000; now += 1000) {
      subject.add(nth(now / 1000), now);
      deliver(subject, nth(now / 1000), now + 500);
      expect(subject.takeExpired(now + 500)).toEqual([]);
    }
    expect(subject.deadline).toBe(60_000);
    expect(subject.takeExpired(60_000)).toEqual([nth(0)]);
    expect(subject.deadline).toBe(Infinity);
  });

  test('a peer without payload for 20 s is snubbed: it loses what it sat on and keeps one request', () => {
    const subject = pipeline();
    subject.add(nth(0), 0);
    subject.add(nth(1), 15_000);
    expect(subject.deadline).toBe(20_000);
    expect(subject.takeExpired(19_999)).toEqual([]);
    expect(subject.snubbed).toBe(false);
    expect(subject.takeExpired(20_000)).toEqual([nth(0)]);
    expect(subject.snubbed).toBe(true);
    expect(subject.target(20_000)).toBe(1);
    expect(subject.deadline).toBe(35_000);
    expect(subject.takeExpired(35_000)).toEqual([nth(1)]);
    expect(subject.outstanding).toBe(0);
  });

  test('a trickle of payload is not silence', () => {
    const subject = pipeline();
    subject.add(nth(0), 0);
    for (let now = 0; now < 59_000; now += 10_000) {
      subject.progress(1, now);
      expect(subject.takeExpired(now + 9999)).toEqual([]);
    }
    expect(subject.snubbed).toBe(false);
  });

  test('a whole block ends the snub', () => {
    const subject = pipeline();
    subject.add(nth(0), 0);
    subject.takeExpired(20_000);
    subject.add(nth(1), 20_000);
    deliver(subject, nth(1), 21_000);
    expect(subject.snubbed).toBe(false);
  });

  test('waiting begins with the first request after a pause', () => {
    const subject = pipeline();
    subject.add(nth(0), 0);
    deliver(subject, nth(0), 100);
    subject.add(nth(1), 500_000);
    expect(subject.deadline).toBe(520_000);
    expect(subject.takeExpired(519_999)).toEqual([]);
  });

  test('every deadline has something to do, so a clock that obeys it stops', () => {
    const subject = pipeline();
    for (let index = 0; index < 100; index += 1) subject.add(nth(index), index * 300);
    let turns = 0;
    for (let now = subject.deadline; now !== Infinity; now = subject.deadline) {
      subject.takeExpired(now);
      expect(subject.deadline).toBeGreaterThan(now);
      turns += 1;
    }
    expect(turns).toBeLessThanOrEqual(101);
    expect(subject.outstanding).toBe(0);
  });
});

describe('bookkeeping', () => {
  test('knows what is outstanding in the order asked', () => {
    const subject = pipeline();
    for (const index of [5, 3, 9]) expect(subject.add(nth(index), 0)).toBe(true);
    expect(subject.add(nth(3), 0)).toBe(false);
    expect(subject.blocks()).toEqual([nth(5), nth(3), nth(9)]);
    expect([subject.outstanding, subject.has(0, 3 * 16_384), subject.has(0, 4 * 16_384)]).toEqual([3, true, false]);
    expect(subject.clear()).toEqual([nth(5), nth(3), nth(9)]);
    expect(subject.clear()).toEqual([]);
  });

  test('remembers a thousand late blocks at most, the latest', () => {
    const subject = pipeline(5000);
    for (let index = 0; index < 1500; index += 1) subject.add(nth(index), 0);
    subject.clear();
    const late = Array.from({ length: 1500 }, (_, index) =>
      subject.find(nth(index).piece, nth(index).begin, 16_384, 0),
    );
    expect(late.map((each) => each !== undefined)).toEqual(Array.from({ length: 1500 }, (_, index) => index >= 500));
  });

  test('tells blocks apart in the largest torrents', () => {
    const large = geometryOf(2 ** 51, 2 ** 24);
    const subject = new RequestPipeline({ geometry: large, limit: 9, requestTimeoutMs: 1, blockTimeoutMs: 1 });
    subject.add({ piece: 2 ** 27 - 1, begin: 2 ** 24 - 16_384, length: 16_384 }, 0);
    expect(subject.has(2 ** 27 - 1, 2 ** 24 - 16_384)).toBe(true);
    expect(subject.has(2 ** 27 - 2, 2 ** 24 - 16_384)).toBe(false);
    expect(subject.has(2 ** 27 - 1, 2 ** 24 - 32_768)).toBe(false);
  });
});
