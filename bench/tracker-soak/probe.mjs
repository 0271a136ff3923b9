// Preloaded into the tracker: at every SIGWINCH, which it does not listen for itself, it tells on standard error what the
// process holds and how late its event loop has been since the last one. Plain JavaScript: to load TypeScript would cost
// the tracker 20 MB.
import { readdirSync, writeSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const nanosecondsPerMs = 1e6;
/** Between two looks at what the thread has done, in ms. */
const tickMs = 1;

// Preloads are inherited by worker threads.
if (isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: tickMs });
  delay.enable();
  let samples = 0;
  const longest = await timeStore();
  let [lastMs, workMs] = [cpuMs(), 0];
  // Most CPU time between two ticks: what another process that takes the core cannot lengthen.
  setInterval(() => {
    const now = cpuMs();
    workMs = Math.max(workMs, now - lastMs);
    lastMs = now;
  }, tickMs).unref();
  process.on('SIGWINCH', () => {
    const [p99Ms, maxMs] = [delay.percentile(99), delay.max].map((nanoseconds) => nanoseconds / nanosecondsPerMs);
    const loop = { p99Ms, maxMs, workMs, announceMs: longest.announce, expiryMs: longest.expire };
    // The first sweep runs finalizers, the second takes what they let go.
    globalThis.gc();
    globalThis.gc();
    const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
    const held = { heapUsed, external, arrayBuffers, rss, fds: readdirSync('/proc/self/fd').length };
    writeSync(2, `${JSON.stringify({ probe: samples++, ...held, loop })}\n`);
    // What this look itself took is nobody's pause.
    setTimeout(() => {
      delay.reset();
      [lastMs, workMs] = [cpuMs(), 0];
      Object.assign(longest, { announce: 0, expire: 0 });
    }, 5 * tickMs).unref();
  });
}

/** Measures every call into the store of peers: in announces tables grow, in expiry they shrink. */
async function timeStore() {
  const { MemoryStore } = await import('@shoal/tracker');
  const longest = { announce: 0, expire: 0 };
  for (const verb of ['announce', 'expire']) {
    const { [verb]: own } = MemoryStore.prototype;
    MemoryStore.prototype[verb] = function timed(...parts) {
      const before = cpuMs();
      const result = own.apply(this, parts);
      longest[verb] = Math.max(longest[verb], cpuMs() - before);
      return result;
    };
  }
  return longest;
}

function cpuMs() {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
