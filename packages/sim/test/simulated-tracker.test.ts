import type { AnnounceRequest } from '@shoal/tracker-protocol';
import { describe, expect, test } from 'vitest';
import { type AnnounceAnswer, Scheduler, SimulatedTracker, Trace } from '../src/index.ts';
import type { SimulatedTrackerOptions } from '../src/index.ts';

const request = (port: number, event: AnnounceRequest['event'] = 'started'): AnnounceRequest => ({
  infoHash: new Uint8Array(20).fill(1),
  peerId: new Uint8Array(20).fill(port & 0xff),
  port,
  uploaded: 0,
  downloaded: 0,
  left: 1,
  event,
  compact: true,
});

class Bench {
  readonly scheduler: Scheduler = new Scheduler();
  readonly tracker: SimulatedTracker;
  readonly answers: { atMs: number; answer: AnnounceAnswer }[] = [];

  constructor(options: SimulatedTrackerOptions = {}) {
    const facts = { scheduler: this.scheduler, trace: new Trace(), random: () => 0.5 };
    this.tracker = new SimulatedTracker(facts, options);
  }

  announce(ip: string, port: number): void {
    this.tracker.announce(request(port), ip, (answer) => this.answers.push({ atMs: this.scheduler.nowMs, answer }));
  }

  run(untilMs: number): void {
    while (this.scheduler.nextUs <= untilMs * 1000) this.scheduler.step();
    this.scheduler.advanceTo(untilMs * 1000);
  }
}

describe('the simulated tracker', () => {
  test('answers after its latency there and back, with the peers that announced before', () => {
    const bench = new Bench({ latencyMs: 40, interval: 300 });
    bench.announce('10.0.0.1', 6881);
    bench.run(100);
    bench.announce('10.0.0.2', 6882);
    bench.run(200);
    expect(bench.answers.map(({ atMs }) => atMs)).toEqual([80, 180]);
    const [first, second] = bench.answers.map(({ answer }) => answer);
    expect(first).toMatchObject({ type: 'announced', reply: { interval: 300, peers: [] } });
    expect(second).toMatchObject({ type: 'announced', reply: { peers: [{ ip: '10.0.0.1', port: 6881 }] } });
  });

  test('does not answer in an outage: the announce fails after its time-out, the next after it succeeds', () => {
    const bench = new Bench({ timeoutMs: 15_000, outages: [{ fromMs: 0, untilMs: 20_000 }] });
    bench.announce('10.0.0.1', 6881);
    bench.run(16_000);
    expect(bench.answers).toEqual([
      { atMs: 15_000, answer: { type: 'announce-failed', reason: 'the tracker did not answer' } },
    ]);
    bench.run(20_000);
    bench.announce('10.0.0.1', 6881);
    bench.run(21_000);
    expect(bench.answers[1]!.answer.type).toBe('announced');
  });

  test('forgets peers that fell silent', () => {
    const bench = new Bench({ interval: 60, peerLifetimeMs: 120_000 });
    bench.announce('10.0.0.1', 6881);
    bench.run(125_000);
    expect(bench.tracker.tracker.counts.expired).toBe(1);
    bench.announce('10.0.0.2', 6881);
    bench.run(126_000);
    expect(bench.answers[1]!.answer).toMatchObject({ type: 'announced', reply: { peers: [] } });
  });

  test('passes a refusal on as a failed announce', () => {
    const bench = new Bench({ allow: () => false });
    bench.announce('10.0.0.1', 6881);
    bench.run(1000);
    expect(bench.answers[0]!.answer).toMatchObject({ type: 'announce-failed' });
  });
});
