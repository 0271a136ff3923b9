import { describe, expect, test } from 'vitest';
import { AnnounceInterval, type IntervalSettings } from '../../src/policy/announce-interval.ts';
import { mulberry32 } from '../random.ts';

/** A population that comes back exactly when it is told, by events of simulated time; `seconds[n]` counts its announces. */
class Population {
  readonly seconds: number[] = [];
  readonly told: number[] = [];
  readonly #interval: AnnounceInterval;
  /** Who comes in which second. */
  readonly #due: number[] = [];

  constructor(interval: AnnounceInterval) {
    this.#interval = interval;
  }

  /** `count` peers arrive, spread over seconds `from` to `to`. */
  arrive(count: number, from: number, to: number): void {
    for (let peer = 0; peer < count; peer++) this.#expect(from + Math.floor((peer * (to - from)) / count));
  }

  /** Goes on until second `until`; of those who come each stays with the probability `stay`. */
  run(until: number, stay = 1, random: () => number = mulberry32(7)): void {
    for (let second = this.seconds.length; second < until; second++) {
      const count = this.#due[second] ?? 0;
      this.seconds.push(count);
      for (let peer = 0; peer < count; peer++) {
        if (random() >= stay) continue;
        const told = this.#interval.next(second * 1000);
        this.told[second] = told;
        this.#expect(second + told);
      }
    }
  }

  /** The longest interval told from second `from` on. */
  longest(from: number): number {
    return this.told.slice(from).reduce((longest, told) => Math.max(longest, told), 0);
  }

  /** Announces a second, the mean of seconds `from` to `to`. */
  rate(from: number, to: number): number {
    return this.seconds.slice(from, to).reduce((sum, count) => sum + count, 0) / (to - from);
  }

  #expect(second: number): void {
    this.#due[second] = (this.#due[second] ?? 0) + 1;
  }
}

function intervalOf(settings: IntervalSettings): AnnounceInterval {
  return new AnnounceInterval(mulberry32(1), settings);
}

describe('without a target', () => {
  test('intervals spread evenly about the usual one, as far as the jitter goes', () => {
    const interval = intervalOf({});
    const told = Array.from({ length: 20_000 }, () => interval.next(0));
    expect([Math.min(...told), Math.max(...told)]).toEqual([1620, 1980]);
    expect(told.reduce((sum, seconds) => sum + seconds, 0) / told.length).toBeCloseTo(1800, -1);
    // A tenth of them in each tenth of the range.
    expect(told.filter((seconds) => seconds < 1656).length / told.length).toBeCloseTo(0.1, 1);
  });

  test('and without jitter they are equal', () => {
    const interval = intervalOf({ interval: 90, jitter: 0 });
    expect([0, 1, 2].map((now) => interval.next(now))).toEqual([90, 90, 90]);
  });

  test('an interval is never less than a second', () => {
    const interval = intervalOf({ interval: 1, jitter: 0.5 });
    expect(Math.min(...Array.from({ length: 100 }, () => interval.next(0)))).toBe(1);
  });
});

describe('with a target', () => {
  const settings = { interval: 300, maxInterval: 1800, targetAnnouncesPerSecond: 10 };

  test('intervals stay usual while fewer announces come', () => {
    const population = new Population(intervalOf(settings));
    population.arrive(2400, 0, 300);
    population.run(3000);
    expect(population.longest(0)).toBeLessThanOrEqual(330);
    expect(population.rate(1500, 3000)).toBeCloseTo(8, 0);
  });

  test('and grow until as many come as are wanted, in no second more', () => {
    const population = new Population(intervalOf(settings));
    population.arrive(9000, 0, 300);
    population.run(6000);
    // 9,000 peers at 10 a second come every 900 seconds.
    expect(population.longest(3000)).toBeLessThanOrEqual(910);
    expect(population.rate(3000, 6000)).toBeCloseTo(10, 0);
    expect(Math.max(...population.seconds.slice(400))).toBeLessThanOrEqual(10);
  });

  test('without jumps: the interval changes with the load, not from one extreme to the other', () => {
    const population = new Population(intervalOf(settings));
    population.arrive(9000, 0, 300);
    population.run(6000);
    const steps = population.told.slice(1).map((told, at) => Math.abs(told - (population.told[at] ?? told)));
    // Beyond the jitter of 60 seconds.
    expect(steps.reduce((most, step) => Math.max(most, step), 0)).toBeLessThanOrEqual(60);
  });

  test('a crowd that arrives at once is spread over the interval', () => {
    const population = new Population(intervalOf(settings));
    population.arrive(3000, 10, 11);
    population.run(2000);
    expect(Math.max(...population.seconds.slice(11))).toBeLessThanOrEqual(10);
  });

  test('but never beyond the longest: then more come than are wanted', () => {
    const population = new Population(intervalOf(settings));
    population.arrive(36_000, 0, 300);
    population.run(9000);
    expect(population.longest(0)).toBe(1800);
    // 36,000 peers every 1,620 to 1,800 seconds.
    expect(Math.abs(population.rate(5400, 9000) - 21)).toBeLessThan(1);
    // The crowd of 120 a second that came first wears off, a jitter wider each time.
    population.run(27_000);
    expect(Math.max(...population.seconds.slice(20_000))).toBeLessThan(60);
  });

  test('and shrink again when people leave', () => {
    const population = new Population(intervalOf(settings));
    population.arrive(9000, 0, 300);
    population.run(3000);
    expect(population.told[2999]).toBeGreaterThan(800);
    population.run(4000, 0.2);
    population.run(8000);
    expect(population.longest(6000)).toBeLessThanOrEqual(330);
  });

  test('with people coming and going too', () => {
    const population = new Population(intervalOf(settings));
    const random = mulberry32(3);
    for (let from = 0; from < 6000; from += 100) {
      population.arrive(600, from, from + 100);
      population.run(from + 100, 0.7, random);
    }
    // 6 arrive a second, each stays for 3.3 announces: twice what is wanted, and half of it cannot be refused.
    expect(population.rate(3000, 6000)).toBeLessThan(21);
    expect(population.told[5999]).toBeGreaterThan(330);
  });
});

describe('settings replaced while announces go on', () => {
  test('hold for the next answer', () => {
    const interval = intervalOf({ interval: 300, jitter: 0 });
    interval.next(0);
    interval.replace({ interval: 60, jitter: 0 });
    expect(interval.next(1)).toBe(60);
  });

  test('keep the appointments that were made', () => {
    const settings = { interval: 100, jitter: 0, targetAnnouncesPerSecond: 1 };
    const interval = intervalOf(settings);
    expect([0, 0, 0].map((now) => interval.next(now))).toEqual([100, 101, 102]);
    interval.replace({ ...settings, maxInterval: 3000 });
    expect(interval.next(0)).toBe(103);
    expect(interval.next(2000)).toBe(102);
  });

  test('are refused whole when one is out of range', () => {
    const interval = intervalOf({ interval: 300, jitter: 0 });
    expect(() => interval.replace({ interval: 60, maxInterval: 30 })).toThrow(RangeError);
    expect(interval.next(0)).toBe(300);
  });
});

describe('the longest interval that somebody may still wait for', () => {
  test('is the longest that can be given out, at first: who was answered before a restart was told that', () => {
    expect(intervalOf({}).longest).toBe(1980);
    expect(intervalOf({ targetAnnouncesPerSecond: 5 }).longest).toBe(3600);
  });

  test('shrinks when everybody who was told a longer one has come or is late', () => {
    const interval = intervalOf({ interval: 1000, jitter: 0 });
    const told: number[] = [];
    let shrunk = 0;
    for (let second = 0; second < 5000; second += 10) {
      if (second === 900) interval.replace({ interval: 100, jitter: 0 });
      told.push(second + interval.next(second * 1000));
      // Who was told to come at `until` may be heard of any time before.
      for (const [at, until] of told.entries()) {
        if (until >= second) expect(interval.longest).toBeGreaterThanOrEqual(until - at * 10);
      }
      if (shrunk === 0 && interval.longest === 100) shrunk = second;
    }
    expect(shrunk).toBeGreaterThan(1890);
    expect(shrunk).toBeLessThanOrEqual(3000);
  });
});

test.each([
  { interval: 0 },
  { interval: 86_401 },
  { jitter: 0.6 },
  { jitter: -0.1 },
  { maxInterval: 1799 },
  { maxInterval: 86_401 },
  { targetAnnouncesPerSecond: 0.5 },
])('refuses %j', (settings) => {
  expect(() => intervalOf(settings)).toThrow(RangeError);
});
