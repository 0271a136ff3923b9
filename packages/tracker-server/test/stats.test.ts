import { describe, expect, test } from 'vitest';
import { Tracker } from '@shoal/tracker';
import { LoadMeter } from '../src/http/load-meter.ts';
import { statsPage } from '../src/http/stats-page.ts';
import { TrackerStats, createTraffic } from '../src/index.ts';

const request = {
  infoHash: new Uint8Array(20).fill(1),
  peerId: new Uint8Array(20).fill(2),
  port: 6881,
  uploaded: 0,
  downloaded: 0,
  left: 0,
  event: 'started',
} as const;

describe('the load', () => {
  test('is what happened per second since the oldest of ten looks', () => {
    const meter = new LoadMeter();
    expect(meter.perSecond(0, 0)).toBe(0);
    for (let second = 0; second < 20; second++) meter.look(second * 50, second * 1000);
    expect(meter.perSecond(20 * 50, 20_000)).toBe(50);
    // Nothing more happens: ten looks later it is forgotten.
    for (let second = 20; second < 30; second++) meter.look(1000, second * 1000);
    expect(meter.perSecond(1000, 30_000)).toBe(0);
  });

  test('is nothing as long as no time has passed', () => {
    const meter = new LoadMeter();
    meter.look(0, 1000);
    expect(meter.perSecond(7, 1000)).toBe(0);
  });
});

describe('statistics', () => {
  test('tell why announces were refused, what memory is taken and how long the tracker is up', () => {
    let now = 0;
    const tracker = new Tracker({ random: () => 0.5, allow: () => false });
    using stats = new TrackerStats(tracker, createTraffic(), () => now);
    tracker.announce(request, { ip: '192.0.2.1' }, now);
    tracker.announce({ ...request, port: 0 }, { ip: '192.0.2.1' }, now);
    now = 90_061_000;
    const read = stats.read();
    expect(read).toMatchObject({
      uptimeSeconds: 90_061,
      interval: 1800,
      swarms: { announces: 2, refused: 2, refusals: { 'torrent-not-served': 1, 'port-unreachable': 1 } },
    });
    expect(read.memory.residentBytes).toBeGreaterThan(1024 * 1024);
    const page = statsPage(read);
    expect(page).toContain('Up for 1 d 01:01:01');
    expect(page).toContain('<tr><th scope="row">torrent not served</th><td>1</td></tr>');
    expect(page).not.toContain('<script');
  });

  test('leave out the section of refusals while there are none', () => {
    using stats = new TrackerStats(new Tracker({ random: () => 0.5 }), createTraffic(), () => 0);
    expect(statsPage(stats.read())).not.toContain('Refused because');
  });
});
