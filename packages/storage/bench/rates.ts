// What both benches measure: rate, the main thread's own CPU time, and how late it comes to other things.
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

export interface Measurement {
  /** Of all bytes, 10^6 a second. */
  readonly megabytesPerSecond: number;
  /** CPU seconds of the main thread, its garbage collection included, for each 2^30 bytes. */
  readonly mainSecondsPerGibibyte: number;
  /** How late a timer fired, at worst. */
  readonly worstDelayMs: number;
}

/** The median of each figure over `rounds` runs of `work`, which handles `bytes` bytes. */
export async function measure(bytes: number, rounds: number, work: () => Promise<void>): Promise<Measurement> {
  const all: Measurement[] = [];
  for (let round = 0; round < rounds; round += 1) all.push(await measureOnce(bytes, work));
  const middle = (figure: keyof Measurement): number => median(all.map((one) => one[figure]));
  return {
    megabytesPerSecond: middle('megabytesPerSecond'),
    mainSecondsPerGibibyte: middle('mainSecondsPerGibibyte'),
    worstDelayMs: middle('worstDelayMs'),
  };
}

export function row(name: string, measurements: readonly Measurement[]): string {
  const cells = measurements.map(
    (one) =>
      one.megabytesPerSecond.toFixed(0).padStart(8) +
      one.mainSecondsPerGibibyte.toFixed(2).padStart(8) +
      one.worstDelayMs.toFixed(1).padStart(8),
  );
  return [name.padEnd(10), ...cells].join(' |');
}

async function measureOnce(bytes: number, work: () => Promise<void>): Promise<Measurement> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  // A turn before and after: the first tick only starts the clock, and the last must see what went before it.
  await turn();
  const cpu = process.threadCpuUsage();
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.threadCpuUsage(cpu);
  await turn();
  delay.disable();
  return {
    megabytesPerSecond: bytes / 1e6 / seconds,
    mainSecondsPerGibibyte: ((user + system) / 1e6 / bytes) * 2 ** 30,
    worstDelayMs: Math.max(0, delay.max / 1e6 - 1),
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 3);
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
