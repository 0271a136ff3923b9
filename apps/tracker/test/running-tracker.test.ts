import { afterEach, describe, expect, test, vi } from 'vitest';
import type { StatedOptions } from '../src/configuration/configuration-file.ts';
import { readConfiguration } from '../src/configuration/configuration.ts';
import { createLog } from '../src/log.ts';
import { RunningTracker } from '../src/running-tracker.ts';

let running: RunningTracker | undefined;
let logged = '';
afterEach(async () => {
  await running?.[Symbol.asyncDispose]();
  logged = '';
});

async function open(flags: StatedOptions): Promise<RunningTracker> {
  const sources = { flags, config: undefined };
  const options = await readConfiguration(sources);
  const log = createLog({ level: 'info', format: 'text', addresses: 'off' }, { write: (line) => (logged += line) });
  running = await RunningTracker.open(sources, options, log);
  return running;
}

const request = {
  infoHash: new Uint8Array(20).fill(1),
  peerId: new Uint8Array(20).fill(2),
  port: 6881,
  uploaded: 0,
  downloaded: 0,
  left: 5,
  event: 'started',
} as const;

describe('a running tracker', () => {
  test('says within ten seconds, and once, that most announces come from one private address', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { tracker, lookAround } = bound(await open({}));
    for (let port = 1; port <= 400; port++) tracker.announce({ ...request, port }, { ip: '172.17.0.1' }, 0);
    vi.advanceTimersByTime(10_000);
    vi.useRealTimers();
    lookAround();
    expect(logged.match(/warn: most announces come from 172\.17\.0\.1/g)).toHaveLength(1);
    expect(logged).toContain('set trusted-proxy = ["172.17.0.1"], with proxy-protocol = true');
  });

  test('says nothing of a crowd of public addresses', async () => {
    const { tracker, lookAround } = bound(await open({}));
    for (let last = 0; last < 400; last++) {
      tracker.announce(request, { ip: `198.51.${100 + (last >> 7)}.${1 + (last & 127)}` }, 0);
    }
    lookAround();
    expect(logged).toBe('');
  });

  test('answers over each transport, and counts each apart', async () => {
    const one = await open({ jitter: 0, interval: 600 });
    const address = Uint8Array.of(192, 0, 2, 1);
    const intervals: unknown[] = [];
    for (const transport of ['http', 'udp'] as const) {
      const wanted = { families: 'own', withPeerIds: false } as const;
      one.service(transport).announce(request, address, wanted, 0, (reply) => intervals.push(reply.interval));
    }
    one.measureWebSocket('started', address, one.clock(), 60);
    one.measureWebSocket('none', new Uint8Array(16), one.clock(), undefined);
    expect(intervals).toEqual([600, 600]);
    const metrics = await one.metrics();
    for (const proto of ['http', 'udp', 'ws']) {
      expect(metrics).toContain(`btt_announces_total{proto="${proto}",family="ipv4",event="started",result="ok"} 1`);
    }
    expect(metrics).toContain('btt_announces_total{proto="ws",family="ipv6",event="none",result="refused"} 1');
    expect(metrics).toContain('btt_announce_interval_seconds{proto="ws"} 60');
    expect(metrics).toContain('btt_request_duration_seconds_count{proto="ws",request="announce"} 2');
  });
});

function bound(tracker: RunningTracker): Pick<RunningTracker, 'tracker' | 'lookAround'> {
  return { tracker: tracker.tracker, lookAround: () => tracker.lookAround() };
}
