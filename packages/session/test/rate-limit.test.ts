import { describe, expect, test } from 'vitest';
import { RateLimit } from '../src/rate-limit/limiter.ts';
import { Throttle } from '../src/rate-limit/throttle.ts';
import { fairRates, Swarm, type Hungry } from './rate-limit-tree.ts';

/** A torrent's bucket under the session's, and peers without limits of their own below it. */
function peersOf(swarm: Swarm, count: number, bytesPerSecond = Infinity, chunkBytes = 32_768): Hungry[] {
  const torrent = new RateLimit(swarm.root, bytesPerSecond);
  const peers = Array.from({ length: count }, () => ({ limit: new RateLimit(torrent), chunkBytes }));
  for (const peer of peers) swarm.add(peer);
  return peers;
}

const movedBy = (swarm: Swarm, peers: readonly Hungry[]): number =>
  peers.reduce((sum, peer) => sum + swarm.moved.get(peer)!, 0);

describe('a rate', () => {
  test.each([
    [10_000, 1],
    [10_000, 20],
    [200_000, 5],
    [1_000_000, 1],
    [1_000_000, 50],
    [100_000_000, 1],
    [100_000_000, 200],
  ])('of %i B/s over %i peers is kept within a twentieth over ten seconds from the first byte on', (rate, count) => {
    for (const lateMs of [0, 3]) {
      const swarm = new Swarm(() => lateMs);
      swarm.root.bytesPerSecond = rate;
      peersOf(swarm, count);
      swarm.runUntil(10_000);
      expect(swarm.total / (rate * 10)).toBeCloseTo(1, 1);
      expect(Math.abs(swarm.total - rate * 10)).toBeLessThan(rate * 10 * 0.03);
    }
  });

  test.each([
    [10_000, 1_000_000],
    [1_000_000, 10_000],
    [100_000_000, 10_000],
    [10_000, 100_000_000],
    [Infinity, 1_000_000],
  ])(
    'changed from %d to %d B/s while bytes move is kept within a twentieth over the ten seconds after',
    (before, after) => {
      const swarm = new Swarm(() => 1);
      swarm.root.bytesPerSecond = before;
      const peers = peersOf(swarm, 4);
      // Without a limit the hungry would ask for ever in one moment: they come when it is set.
      if (before !== Infinity) swarm.runUntil(3333);
      const start = movedBy(swarm, peers);
      swarm.root.bytesPerSecond = after;
      swarm.runUntil(swarm.now + 10_000);
      expect(Math.abs(movedBy(swarm, peers) - start - after * 10)).toBeLessThan(after * 10 * 0.03);
    },
  );

  test('dragged up and down many times a second loses nothing of the lower of its values', () => {
    const swarm = new Swarm();
    swarm.root.bytesPerSecond = 100_000;
    peersOf(swarm, 3);
    for (let step = 0; step < 1000; step++) {
      swarm.root.bytesPerSecond = 100_000 + (step % 2) * 1000;
      swarm.runUntil(swarm.now + 7);
    }
    expect(swarm.total).toBeGreaterThan(0.97 * 700_000);
    expect(swarm.total).toBeLessThan(1.03 * 700_000);
  });

  test('saves up at most 100 ms and a segment while nobody asks', () => {
    const swarm = new Swarm();
    swarm.root.bytesPerSecond = 1_000_000;
    const [peer] = peersOf(swarm, 1, Infinity, 10);
    swarm.runUntil(5);
    swarm.remove(peer!);
    const throttle = swarm.throttle;
    const flow = throttle.open(peer!.limit, peer!);
    expect(throttle.request(flow, 5_000_000, 60_000)).toBe(101_460);
  });

  test('is a positive number of bytes a second or Infinity', () => {
    for (const rate of [0, -1, NaN]) expect(() => new RateLimit(undefined, rate)).toThrow(RangeError);
    const limit = new RateLimit();
    expect(() => (limit.bytesPerSecond = 0)).toThrow(RangeError);
    expect(limit.bytesPerSecond).toBe(Infinity);
  });

  test('limits what is below it, and nothing else', () => {
    const session = new RateLimit();
    const [first, second] = [new RateLimit(session), new RateLimit(session)];
    const peer = new RateLimit(first);
    expect(peer.isLimited).toBe(false);
    first.bytesPerSecond = 1000;
    expect([peer.isLimited, second.isLimited, session.isLimited]).toEqual([true, false, false]);
    first.bytesPerSecond = Infinity;
    session.bytesPerSecond = 1000;
    expect([peer.isLimited, second.isLimited, session.isLimited]).toEqual([true, true, true]);
  });
});

describe('flows that compete', () => {
  test('get a share each, and what a slow torrent or peer leaves goes to the others', () => {
    const swarm = new Swarm(() => 1);
    swarm.root.bytesPerSecond = 1_000_000;
    const slow = peersOf(swarm, 2, 40_000);
    const fast = peersOf(swarm, 3);
    fast[0]!.limit.bytesPerSecond = 60_000;
    swarm.runUntil(10_000);
    const fair = [20_000, 20_000, 60_000, 450_000, 450_000];
    expect([...fairRates([...slow, ...fast]).values()]).toEqual(fair);
    for (const [index, peer] of [...slow, ...fast].entries())
      expect(Math.abs(swarm.moved.get(peer)! / 10 - fair[index]!)).toBeLessThan(0.02 * fair[index]!);
  });

  test('take over what one leaves who goes away while it waits', () => {
    const swarm = new Swarm();
    swarm.root.bytesPerSecond = 100_000;
    const [first, second] = peersOf(swarm, 2) as [Hungry, Hungry];
    swarm.runUntil(5000);
    swarm.remove(first);
    const before = swarm.moved.get(second)!;
    swarm.runUntil(10_000);
    expect((swarm.moved.get(second)! - before) / 500_000).toBeCloseTo(1, 1);
    swarm.remove(second);
    expect(swarm.throttle.deadline).toBe(Infinity);
  });

  test('do not keep a message between blocks waiting for a whole round of turns', () => {
    const throttle = new Throttle<string>(() => {});
    throttle.root.bytesPerSecond = 10_000;
    for (let i = 0; i < 50; i++) throttle.request(throttle.open(throttle.root, 'bulk'), 1_000_000, 0);
    const quiet = throttle.open(new RateLimit(throttle.root), 'quiet');
    expect(throttle.request(quiet, 17, 1)).toBe(0);
    const served = throttle.advance(throttle.deadline);
    expect(served.map(({ owner, granted }) => [owner, granted])).toContainEqual(['quiet', 17]);
  });

  test('cannot keep a large wish from its turn by many small ones', () => {
    const swarm = new Swarm();
    swarm.root.bytesPerSecond = 20_000;
    const [large] = peersOf(swarm, 1);
    const small = peersOf(swarm, 5, Infinity, 50);
    swarm.runUntil(10_000);
    expect(swarm.moved.get(large!)! / 10).toBeGreaterThan(20_000 / 6 - 300);
    expect(movedBy(swarm, small) / 10).toBeGreaterThan(5 * (20_000 / 6 - 300));
  });

  test('do not overtake who waits for the same bucket, but one that waits for its own', () => {
    const throttle = new Throttle<string>(() => {});
    throttle.root.bytesPerSecond = 10_000;
    const torrent = new RateLimit(throttle.root);
    const large = throttle.open(new RateLimit(torrent), 'large');
    expect(throttle.request(large, 10_000, 0)).toBe(0);
    // There is enough for 17 bytes, but not for the segment that was asked for before.
    expect(throttle.request(throttle.open(new RateLimit(torrent), 'small'), 17, 100)).toBe(0);
    const other = new Throttle<string>(() => {});
    other.root.bytesPerSecond = 10_000;
    const slow = other.open(new RateLimit(other.root, 10), 'slow');
    expect(other.request(slow, 10_000, 0)).toBe(0);
    expect(other.request(other.open(new RateLimit(other.root), 'free'), 17, 100)).toBe(17);
  });

  test('of unlimited paths never wait, and set no deadline', () => {
    const throttle = new Throttle<string>(() => {});
    const flow = throttle.open(new RateLimit(throttle.root), 'peer');
    expect(throttle.request(flow, 1_000_000_000, 0)).toBe(1_000_000_000);
    expect([throttle.waiting, throttle.deadline]).toEqual([0, Infinity]);
  });

  test('hear at once of a rate that is raised or lifted', () => {
    let wakes = 0;
    const throttle = new Throttle<string>(() => (wakes += 1));
    throttle.root.bytesPerSecond = 1;
    const flow = throttle.open(throttle.root, 'peer');
    expect(throttle.request(flow, 1_000_000, 0)).toBe(0);
    expect(throttle.deadline).toBe(1_460_000);
    throttle.root.bytesPerSecond = Infinity;
    expect(wakes).toBe(1);
    expect(throttle.deadline).toBeLessThanOrEqual(10);
    expect(throttle.advance(10).map(({ granted }) => granted)).toEqual([1_000_000]);
  });

  test('belong to one tree', () => {
    const throttle = new Throttle<string>(() => {});
    expect(() => throttle.open(new RateLimit(), 'stranger')).toThrow(TypeError);
  });
});
