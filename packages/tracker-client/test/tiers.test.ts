import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnnounceRequest } from '@shoal/tracker-protocol';
import { describe, expect, test } from 'vitest';
import { TrackerTiers } from '../src/index.ts';
import { rejected, request } from './requests.ts';
import { answer, closedPort, hasIpv6, httpTracker, ManualClock, onePeer } from './servers.ts';
import type { HttpTracker } from './servers.ts';

/** Keeps the order of a tier: Fisher and Yates then swap each with itself. */
const inOrder = { random: () => 0.999_999 };
const stopped = { ...request, event: 'stopped' } as const;

function eventsOf(tracker: HttpTracker): string[] {
  return tracker.targets.map((target) => /&event=(\w+)/.exec(target)?.[1] ?? 'none');
}

async function deadUrl(): Promise<string> {
  return `http://127.0.0.1:${await closedPort()}/announce`;
}

function urlsOf(tiers: TrackerTiers): string[] {
  return tiers.trackers.map(({ url }) => url);
}

describe('order (BEP 12)', () => {
  test('clients 54: a tier is shuffled when it is read, tiers keep their order', () => {
    const given = [['http://a/announce', 'http://b/announce', 'http://c/announce'], ['http://d/announce']];
    expect(urlsOf(new TrackerTiers(given, { random: () => 0 }))).toEqual([
      'http://b/announce',
      'http://c/announce',
      'http://a/announce',
      'http://d/announce',
    ]);
    expect(urlsOf(new TrackerTiers(given, inOrder))).toEqual(given.flat());
  });

  test('clients 54: every order of a tier is as likely as any other', () => {
    const counts = new Map<string, number>();
    let state = 1;
    const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    for (let run = 0; run < 6_000; run++) {
      const order = urlsOf(new TrackerTiers([['http://a/', 'http://b/', 'http://c/']], { random })).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(120);
  });

  test('clients 54: the one that works moves to the front of its tier, as in the specification’s example', async () => {
    await using third = await httpTracker();
    const [first, second] = [await deadUrl(), await deadUrl()];
    await using tiers = new TrackerTiers([[first, second, third.url]], inOrder);
    expect(await tiers.announce(request)).toMatchObject({ url: third.url, reply: { interval: 1_800 } });
    expect(urlsOf(tiers)).toEqual([third.url, first, second]);
  });

  test('clients 54: the next tier is asked only after all of one have failed, and again on each announce', async () => {
    await using backup = await httpTracker();
    await using tracker = await httpTracker((response, incoming) =>
      answer(onePeer, {}, isUp ? 200 : 500)(response, incoming),
    );
    let isUp = false;
    const dead = await deadUrl();
    await using tiers = new TrackerTiers([[dead, tracker.url], [backup.url]], inOrder);
    expect(await tiers.announce(request)).toMatchObject({ url: backup.url });
    expect([tracker.targets.length, backup.targets.length]).toEqual([1, 1]);
    isUp = true;
    expect(await tiers.announce(request)).toMatchObject({ url: tracker.url });
    expect([tracker.targets.length, backup.targets.length]).toEqual([2, 1]);
    expect(urlsOf(tiers)).toEqual([tracker.url, dead, backup.url]);
    expect(tiers.trackers.map(({ tier, failures, isStarted }) => [tier, failures, isStarted])).toEqual([
      [0, 0, true],
      [0, 2, false],
      [1, 0, true],
    ]);
  });

  test('when all fail, the error has each one’s reason; with a single tracker it is that tracker’s', async () => {
    const url = await deadUrl();
    await using single = new TrackerTiers([[url]], inOrder);
    expect(await rejected(single.announce(request))).toMatchObject({ code: 'unreachable', url });
    expect(single.trackers[0]).toMatchObject({ failures: 1, lastError: { code: 'unreachable' } });
    await using both = new TrackerTiers([[url], ['ftp://x/announce']], inOrder);
    expect(await rejected(both.announce(request))).toMatchObject({
      code: 'all-failed',
      cause: { errors: [{ code: 'unreachable' }, { code: 'unsupported-url' }] },
    });
    await using none = new TrackerTiers([[], []], inOrder);
    expect(await rejected(none.announce(request))).toMatchObject({ code: 'no-trackers' });
  });

  test('a URL that appears twice counts once, and no more than 100 are kept', () => {
    expect(
      urlsOf(
        new TrackerTiers(
          [
            ['http://a/', 'http://a/'],
            ['http://a/', 'http://b/'],
          ],
          inOrder,
        ),
      ),
    ).toEqual(['http://a/', 'http://b/']);
    const many = Array.from({ length: 1_000 }, (_, index) => [`http://${index}.example/`]);
    expect(new TrackerTiers(many, inOrder).trackers).toHaveLength(100);
  });
});

describe('events', () => {
  test('clients 55: started first, once; then plain announces; completed once; stopped with numwant 0', async () => {
    await using tracker = await httpTracker();
    await using tiers = new TrackerTiers([[tracker.url]], inOrder);
    for (const event of ['none', 'none', 'completed', 'completed', 'none'] as const)
      await tiers.announce({ ...request, event });
    expect(await tiers.announce(stopped)).toMatchObject({ url: tracker.url });
    expect(eventsOf(tracker)).toEqual(['started', 'none', 'completed', 'none', 'none', 'stopped']);
    expect(tracker.targets.at(-1)).toContain('&numwant=0');
  });

  test('clients 55: a tracker that first hears of us at completion is told started before', async () => {
    await using tracker = await httpTracker();
    await using tiers = new TrackerTiers([[tracker.url]], inOrder);
    await tiers.announce({ ...request, event: 'completed' });
    expect(eventsOf(tracker)).toEqual(['started', 'completed']);
  });

  test('clients 55: a started that failed is tried again as started', async () => {
    let isUp = false;
    await using tracker = await httpTracker((response, incoming) =>
      answer(onePeer, {}, isUp ? 200 : 500)(response, incoming),
    );
    await using tiers = new TrackerTiers([[tracker.url]], inOrder);
    await rejected(tiers.announce({ ...request, event: 'started' }));
    isUp = true;
    await tiers.announce(request);
    await tiers.announce(request);
    expect(eventsOf(tracker)).toEqual(['started', 'started', 'none']);
  });

  test('clients 55: stopped goes only to those where started succeeded, in parallel', async () => {
    let waiting: (() => void)[] = [];
    const together = (response: ServerResponse, incoming: IncomingMessage): void => {
      const reply = (): void => void response.end(Buffer.from(onePeer, 'latin1'));
      if (!incoming.url?.includes('stopped')) return reply();
      // Each answers only when both have been asked.
      waiting.push(reply);
      if (waiting.length === 2) for (const release of waiting.splice(0)) release();
    };
    let firstIsUp = true;
    await using first = await httpTracker((response, incoming) =>
      firstIsUp || incoming.url?.includes('stopped')
        ? together(response, incoming)
        : answer('', {}, 500)(response, incoming),
    );
    await using second = await httpTracker(together);
    await using third = await httpTracker();
    await using tiers = new TrackerTiers([[first.url], [second.url], [third.url]], inOrder);
    await tiers.announce(request);
    firstIsUp = false;
    await tiers.announce(request);
    expect(await tiers.announce(stopped)).toBeDefined();
    expect(eventsOf(first)).toEqual(['started', 'none', 'stopped']);
    expect(eventsOf(second)).toEqual(['started', 'stopped']);
    expect(eventsOf(third)).toEqual([]);
    expect(await tiers.announce(stopped)).toBeUndefined();
    waiting = [];
  });

  test('clients 55: after stopped a later announce starts again', async () => {
    await using tracker = await httpTracker();
    await using tiers = new TrackerTiers([[tracker.url]], inOrder);
    for (const next of [request, stopped, request]) await tiers.announce(next);
    expect(eventsOf(tracker)).toEqual(['started', 'stopped', 'started']);
  });

  test('clients 55: a tracker that ignores the goodbye costs stopTimeoutMs, and no error', async () => {
    await using tracker = await httpTracker((response, incoming) => {
      if (!incoming.url?.includes('stopped')) answer(onePeer)(response, incoming);
    });
    await using tiers = new TrackerTiers([[tracker.url]], { ...inOrder, stopTimeoutMs: 20 });
    await tiers.announce(request);
    expect(await tiers.announce(stopped)).toBeUndefined();
  });

  test('clients 55: the goodbye uses the addresses known already, however the resolver behaves', async () => {
    await using tracker = await httpTracker();
    let asked = 0;
    const lookup = async () => {
      if (asked++ > 0) throw new Error('The resolver is down');
      return [{ address: '127.0.0.1', family: 4 as const }];
    };
    await using tiers = new TrackerTiers([[`http://tracker.example:${tracker.port}/announce`]], { ...inOrder, lookup });
    await tiers.announce(request);
    expect(await tiers.announce(stopped)).toBeDefined();
    expect(eventsOf(tracker)).toEqual(['started', 'stopped']);
  });

  test('paused passes', async () => {
    await using tracker = await httpTracker();
    await using tiers = new TrackerTiers([[tracker.url]], inOrder);
    await tiers.announce(request);
    await tiers.announce({ ...request, event: 'paused' });
    expect(eventsOf(tracker)).toEqual(['started', 'paused']);
  });
});

describe('what a tracker told us', () => {
  test('clients 52: its tracker id is echoed to it alone, and kept when a later answer has none', async () => {
    let body = 'd8:intervali1800e5:peers0:10:tracker id2:abe';
    await using first = await httpTracker((response, incoming) =>
      answer(body, {}, isUp ? 200 : 500)(response, incoming),
    );
    await using second = await httpTracker();
    let isUp = true;
    await using tiers = new TrackerTiers([[first.url], [second.url]], inOrder);
    await tiers.announce(request);
    body = onePeer;
    await tiers.announce(request);
    await tiers.announce(request);
    isUp = false;
    await tiers.announce(request);
    const ids = (tracker: HttpTracker): (string | undefined)[] =>
      tracker.targets.map((target) => /trackerid=(\w+)/.exec(target)?.[1]);
    expect(ids(first)).toEqual([undefined, 'ab', 'ab', 'ab']);
    expect(ids(second)).toEqual([undefined]);
  });

  test('clients 49: min interval holds back plain announces only, not completed, not the user, and asks no backup', async () => {
    await using tracker = await httpTracker(answer('d8:intervali1800e12:min intervali600e5:peers0:e'));
    await using backup = await httpTracker();
    const clock = new ManualClock();
    await using tiers = new TrackerTiers([[tracker.url], [backup.url]], { ...inOrder, clock });
    await tiers.announce(request);
    clock.advance(599_999);
    expect(await rejected(tiers.announce(request))).toMatchObject({ code: 'too-soon', retryInMs: 1 });
    clock.advance(1);
    await tiers.announce(request);
    await tiers.announce({ ...request, event: 'completed' });
    await tiers.announce(request, { force: true });
    await tiers.announce(stopped);
    expect(eventsOf(tracker)).toEqual(['started', 'none', 'completed', 'none', 'stopped']);
    expect(backup.targets).toEqual([]);
  });

  test('clients 48: retry in keeps us away, the next tracker is asked meanwhile', async () => {
    await using tracker = await httpTracker(answer('d14:failure reason4:busy8:retry ini2ee'));
    await using backup = await httpTracker();
    const clock = new ManualClock();
    await using tiers = new TrackerTiers([[tracker.url], [backup.url]], { ...inOrder, clock });
    for (const ms of [0, 119_999, 1]) {
      clock.advance(ms);
      expect(await tiers.announce(request)).toMatchObject({ url: backup.url });
    }
    expect([tracker.targets.length, backup.targets.length]).toEqual([2, 3]);
  });

  test('clients 48: "never" is for ever, and when all say so the error says it', async () => {
    await using tracker = await httpTracker(answer('d14:failure reason4:gone8:retry in5:nevere'));
    const clock = new ManualClock();
    await using tiers = new TrackerTiers([[tracker.url]], { ...inOrder, clock });
    expect(await rejected(tiers.announce(request))).toMatchObject({
      code: 'refused',
      failureReason: 'gone',
      retryInMs: Infinity,
    });
    clock.advance(1e12);
    expect(await rejected(tiers.announce(request))).toMatchObject({ code: 'too-soon', retryInMs: Infinity });
    expect(tracker.targets).toHaveLength(1);
  });

  test('when every tracker named a pause, the shortest is the error’s', async () => {
    await using five = await httpTracker(answer('d14:failure reason4:busy8:retry ini5ee'));
    await using two = await httpTracker(answer('d14:failure reason4:busy8:retry ini2ee'));
    await using tiers = new TrackerTiers([[five.url, two.url]], inOrder);
    expect(await rejected(tiers.announce(request))).toMatchObject({ code: 'all-failed', retryInMs: 120_000 });
  });
});

describe('cancellation and families', () => {
  test('an abort ends the search at once', async () => {
    const stop = new AbortController();
    await using tracker = await httpTracker(() => stop.abort());
    await using backup = await httpTracker();
    await using tiers = new TrackerTiers([[tracker.url], [backup.url]], inOrder);
    expect(await rejected(tiers.announce(request, { signal: stop.signal }))).toMatchObject({ code: 'aborted' });
    expect(backup.targets).toEqual([]);
    expect(tiers.trackers[0]).toMatchObject({ failures: 0 });
  });

  test.runIf(hasIpv6)(
    'clients 57: one announce over each binding, with one key, and the answers together',
    async () => {
      await using six = await httpTracker(
        answer(
          'd8:intervali900e5:peers6:\x01\x02\x03\x04\x1a\xe16:peers618:\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x1a\xe1e',
        ),
        '::1',
      );
      await using four = await httpTracker();
      const lookup = async (host: string, family: number) =>
        [
          ...(family === 4 ? [] : [{ address: '::1', family: 6 as const }]),
          ...(family === 6 ? [] : [{ address: '127.0.0.1', family: 4 as const }]),
        ].filter(() => host !== '');
      // One name cannot have two ports, so each family is its own tracker here and the other family finds it closed.
      const bindings = [{ family: 6 as const }, { family: 4 as const, localAddress: '127.0.0.2' }];
      await using tiers = new TrackerTiers([[`http://dual.example:${six.port}/announce`]], {
        ...inOrder,
        lookup,
        bindings,
      });
      expect(await tiers.announce(request)).toMatchObject({ reply: { interval: 900, peers: { length: 2 } } });
      await using other = new TrackerTiers([[`http://dual.example:${four.port}/announce`]], {
        ...inOrder,
        lookup,
        bindings,
      });
      expect(await other.announce(request)).toMatchObject({ reply: { interval: 1_800, peers: { length: 1 } } });
      expect(six.targets[0]).toContain('key=cafe0123');
    },
  );

  test('a request that is none is a bug of the caller, and counts against no tracker', async () => {
    await using tiers = new TrackerTiers([['http://127.0.0.1:1/announce']], inOrder);
    const wrong: AnnounceRequest = { ...request, infoHash: new Uint8Array(1) };
    await expect(tiers.announce(wrong)).rejects.toThrow(RangeError);
    expect(tiers.trackers[0]).toMatchObject({ failures: 0 });
  });
});
