import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startExpiry } from '../src/expiry.ts';
import { someHash, somePeer, trackerOf } from './support.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('silent peers go when they are due, a slice at a time, until the servers stop', () => {
  const tracker = trackerOf({ interval: 100 });
  const clock = (): number => performance.now();
  const start = clock();
  const join = (port: number): void => {
    const request = {
      infoHash: someHash,
      peerId: somePeer,
      port,
      uploaded: 0,
      downloaded: 0,
      left: 1,
      event: 'none',
    } as const;
    tracker.announce(request, { ip: `10.0.0.${port >> 6}` }, clock() - start);
  };
  for (let port = 1; port <= 300; port++) join(port);
  const expiry = startExpiry(tracker, () => clock() - start);
  vi.advanceTimersByTime(149_900);
  expect(tracker.counts.leechers).toBe(300);
  vi.advanceTimersByTime(101);
  const afterOneSlice = tracker.counts.leechers;
  expect(afterOneSlice).toBeGreaterThan(0);
  expect(afterOneSlice).toBeLessThan(300);
  vi.advanceTimersByTime(20);
  expect(tracker.counts.leechers).toBe(0);
  join(1);
  expiry[Symbol.dispose]();
  vi.advanceTimersByTime(1_000_000);
  expect(tracker.counts.leechers).toBe(1);
  expect(vi.getTimerCount()).toBe(0);
});
