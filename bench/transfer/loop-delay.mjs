// Preloaded into Node peers: measures how late the event loop is between two SIGUSR2 and then tells it on standard error.
// Between them a timer of 1 ms runs in the peer, about 1 % of a core; outside them nothing does. Plain JavaScript: to load
// TypeScript would cost every peer 20 MB.
import { writeSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const nanosecondsPerMs = 1e6;

// Preloads are inherited by worker threads, whose loops nobody waits for.
if (isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let measuring = false;
  process.on('SIGUSR2', () => {
    measuring = !measuring;
    if (measuring) {
      delay.enable();
      return;
    }
    delay.disable();
    const [p50Ms, p99Ms, maxMs] = [delay.percentile(50), delay.percentile(99), delay.max].map(
      (nanoseconds) => nanoseconds / nanosecondsPerMs,
    );
    writeSync(2, `${JSON.stringify({ event: 'loop-delay', p50Ms, p99Ms, maxMs })}\n`);
  });
}
