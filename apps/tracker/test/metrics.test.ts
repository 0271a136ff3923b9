import { describe, expect, test } from 'vitest';
import { type PackedReply, Tracker } from '@shoal/tracker';
import { type SwarmService, createTraffic, localService } from '@shoal/tracker-server';
import { Durations } from '../src/metrics/durations.ts';
import { Measurements, measuredService } from '../src/metrics/measured-service.ts';
import { createMetrics } from '../src/metrics/metrics.ts';
import { exposedNames } from './exposition.ts';

const request = {
  infoHash: new Uint8Array(20).fill(1),
  peerId: new Uint8Array(20).fill(2),
  port: 6881,
  uploaded: 0,
  downloaded: 0,
  left: 5,
  event: 'started',
} as const;
const address = Uint8Array.of(192, 0, 2, 1);
const wanted = { families: 'both', withPeerIds: false } as const;

function metricsOf(tracker: Tracker, http: Measurements): () => Promise<string> {
  return createMetrics({
    counts: () => tracker.counts,
    natCheck: () => ({ reachable: 0, unreachable: 0, failed: 0, skipped: 0, pending: 0, remembered: 0 }),
    storeAvailable: () => false,
    traffic: createTraffic(),
    measurements: { http, udp: new Measurements() },
    lists: () => [
      {
        list: 'ban',
        inForce: true,
        file: undefined,
        readAt: undefined,
        problem: undefined,
        entries: 7,
        overrides: { added: ['a', 'b'], removed: ['c'] },
      },
    ],
    reloads: () => ({ ok: 2, failed: 1 }),
  });
}

/** The lines of some metric. */
async function series(write: () => Promise<string>, name: string): Promise<string[]> {
  const text = await write();
  return text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

describe('durations', () => {
  test('are counted in cumulative buckets, those beyond the last one too', () => {
    const durations = new Durations();
    for (const ms of [0.005, 0.01, 0.02, 3, 5000]) durations.record(ms);
    const lines = durations.exposition('x', 'proto="udp"').trimEnd().split('\n');
    expect(lines[0]).toBe('x_bucket{proto="udp",le="0.00001"} 2');
    expect(lines[1]).toBe('x_bucket{proto="udp",le="0.000025"} 3');
    expect(lines.at(-4)).toBe('x_bucket{proto="udp",le="1"} 4');
    expect(lines.at(-3)).toBe('x_bucket{proto="udp",le="+Inf"} 5');
    expect(Number(lines.at(-2)?.split(' ')[1])).toBeCloseTo(5.003035, 9);
    expect(lines.at(-1)).toBe('x_count{proto="udp"} 5');
  });
});

describe('a measured service', () => {
  test('counts announces by family, event and result, and remembers what interval was told', () => {
    const measurements = new Measurements();
    const tracker = new Tracker({ random: () => 0.5, interval: 900, allow: (hex) => hex.startsWith('01') });
    const service = measuredService(localService(tracker), measurements, 1, () => 0);
    service.announce(request, address, wanted, 0, () => {});
    service.announce({ ...request, event: 'stopped' }, new Uint8Array(16).fill(0x20), wanted, 0, () => {});
    service.announce({ ...request, infoHash: new Uint8Array(20) }, address, wanted, 0, () => {});
    expect([...measurements.announces()].filter(({ count }) => count > 0)).toEqual([
      { family: 'ipv4', event: 'started', result: 'ok', count: 1 },
      { family: 'ipv4', event: 'started', result: 'refused', count: 1 },
      { family: 'ipv6', event: 'stopped', result: 'ok', count: 1 },
    ]);
    expect(measurements.interval).toBe(900);
  });

  test('measures until the answer is handed over, and only one of so many', () => {
    let now = 0;
    let answered = 0;
    const slow: SwarmService = {
      announce: (_request, _address, _wanted, _now, done) => {
        now += 2;
        done({ interval: 1 } as PackedReply);
      },
      scrape: (_hashes, _now, done) => {
        now += 20;
        done([]);
      },
    };
    const measurements = new Measurements();
    const service = measuredService(slow, measurements, 4, () => now);
    for (let round = 0; round < 8; round++) {
      service.announce(request, address, wanted, 0, () => {
        answered++;
        now += 1;
      });
    }
    service.scrape([], 0, () => {});
    expect(answered).toBe(8);
    expect(measurements.announceDurations.exposition('x', '')).toContain('x_sum{} 0.006\nx_count{} 2');
    expect(measurements.scrapeDurations.exposition('x', '')).toContain('x_sum{} 0.02\nx_count{} 1');
  });

  test('does not need what it was given once it has passed it on, as answers may come later', () => {
    const measurements = new Measurements();
    let answer = (): void => {};
    const later: SwarmService = {
      announce: (_request, _address, _wanted, _now, done) => {
        answer = (): void => done({ failureReason: 'no' });
      },
      scrape: () => {},
    };
    const mutable: { event: 'started' | 'stopped' } & Omit<typeof request, 'event'> = { ...request };
    measuredService(later, measurements, 1, () => 0).announce(mutable, address, wanted, 0, () => {});
    mutable.event = 'stopped';
    answer();
    expect([...measurements.announces()].find(({ count }) => count > 0)).toMatchObject({
      event: 'started',
      result: 'refused',
    });
  });
});

describe('/metrics', () => {
  test('has the series that dashboards know, zeros included', async () => {
    const tracker = new Tracker({ random: () => 0.5, allow: (hex) => hex.startsWith('01') });
    const http = new Measurements();
    const service = measuredService(localService(tracker), http, 1, () => 0);
    service.announce(request, address, wanted, 0, () => {});
    service.announce({ ...request, infoHash: new Uint8Array(20) }, address, wanted, 0, () => {});
    const write = metricsOf(tracker, http);
    expect(await series(write, 'btt_torrents')).toEqual(['btt_torrents 1']);
    expect(await series(write, 'btt_peers')).toContain('btt_peers{role="leecher",family="any"} 1');
    expect(await series(write, 'btt_peers')).toContain('btt_peers{role="leecher",family="ipv4"} 1');
    expect(await series(write, 'btt_peers')).toContain('btt_peers{role="seeder",family="ipv6"} 0');
    const announces = await series(write, 'btt_announces_total');
    expect(announces).toContain('btt_announces_total{proto="http",family="ipv4",event="started",result="ok"} 1');
    expect(announces).toContain('btt_announces_total{proto="udp",family="ipv6",event="none",result="refused"} 0');
    expect(await series(write, 'btt_rejects_total')).toEqual(['btt_rejects_total{reason="torrent-not-served"} 1']);
    expect(await series(write, 'btt_completed_total')).toEqual(['btt_completed_total 0']);
    expect(await series(write, 'btt_request_duration_seconds_count')).toContain(
      'btt_request_duration_seconds_count{proto="http",request="announce"} 2',
    );
    expect(await series(write, 'btt_list_entries')).toEqual(['btt_list_entries{list="ban"} 7']);
    expect(await series(write, 'btt_list_overrides')).toEqual(['btt_list_overrides{list="ban"} 3']);
    expect(await series(write, 'btt_reloads_total')).toContain('btt_reloads_total{result="ok"} 2');
    expect(await series(write, 'btt_store_available')).toEqual(['btt_store_available 0']);
    expect(await series(write, 'process_resident_memory_bytes')).toHaveLength(1);
  });

  test('says the same when it is asked again', async () => {
    const tracker = new Tracker({ random: () => 0.5 });
    const http = new Measurements();
    measuredService(localService(tracker), http, 1, () => 0).announce(request, address, wanted, 0, () => {});
    const write = metricsOf(tracker, http);
    const once = await series(write, 'btt_announces_total');
    expect(await series(write, 'btt_announces_total')).toEqual(once);
  });

  test('is well formed: one type a metric, before its series, which are all different', async () => {
    const text = await metricsOf(new Tracker({ random: () => 0.5 }), new Measurements())();
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const keys = lines.map((line) => line.slice(0, line.lastIndexOf(' ')));
    expect(new Set(keys).size).toBe(keys.length);
    for (const line of lines) expect(line).toMatch(/^[a-z0-9_]+(?:\{(?:[a-z_]+="[^"]*",?)*\})? [-+\d.eNaInf]+$/);
    const typed = [...text.matchAll(/^# TYPE (\S+) /gm)].map((found) => found[1]);
    expect(new Set(typed).size).toBe(typed.length);
    for (const key of keys) expect(exposedNames(text)).toContain(key.replace(/\{.*/, ''));
  });
});
