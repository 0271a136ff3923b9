import { describe, expect, test } from 'vitest';
import { type AnnounceReply, type AnnounceRequest, isFailure } from '@shoal/tracker-protocol';
import { StandingPolicy, Tracker, type TrackerOptions } from '@shoal/tracker';
import { mulberry32 } from './random.ts';

function trackerOf(options: Partial<TrackerOptions> = {}): Tracker {
  return new Tracker({ random: mulberry32(1), ...options });
}

function requestOf(more: Partial<AnnounceRequest> = {}): AnnounceRequest {
  const [infoHash, peerId] = [new Uint8Array(20).fill(1), new Uint8Array(20).fill(2)];
  return { infoHash, peerId, port: 6881, uploaded: 0, downloaded: 0, left: 100, event: 'none', ...more };
}

function replyTo(tracker: Tracker, more: Partial<AnnounceRequest> = {}, ip = '10.0.0.1', now = 0): AnnounceReply {
  const reply = tracker.announce(requestOf(more), { ip }, now);
  if (isFailure(reply)) throw new Error(reply.failureReason);
  return reply;
}

describe('an announce', () => {
  test('is answered with the interval, the counts, the address seen and the others', () => {
    const tracker = trackerOf({ minInterval: 60 });
    replyTo(tracker, { left: 0 }, '2001:DB8::0001');
    expect(replyTo(tracker, {}, '::ffff:10.0.0.1')).toEqual({
      interval: 1800,
      minInterval: 60,
      warning: undefined,
      complete: 1,
      incomplete: 1,
      downloaded: 0,
      downloaders: undefined,
      last: undefined,
      numPeers: undefined,
      trackerId: expect.stringMatching(/^[\w-]{19}$/) as string,
      externalIp: '10.0.0.1',
      peers: [{ ip: '2001:db8::1', port: 6881, peerId: new Uint8Array(20).fill(2) }],
    });
  });

  test('of unknown or huge size is a leecher, and completed with bytes left is not a completion', () => {
    const tracker = trackerOf();
    replyTo(tracker, { left: undefined });
    replyTo(tracker, { left: Number.MAX_SAFE_INTEGER }, '10.0.0.2');
    expect(replyTo(tracker, { event: 'completed' }, '10.0.0.2')).toMatchObject({
      complete: 0,
      incomplete: 2,
      downloaded: 0,
    });
  });

  test('counts a download at the transition, whatever event reports it', () => {
    const tracker = trackerOf();
    replyTo(tracker, { event: 'started' });
    expect(replyTo(tracker, { left: 0, event: 'completed' }).downloaded).toBe(1);
    expect(replyTo(tracker, { left: 0, event: 'completed' }).downloaded).toBe(1);
    expect(replyTo(tracker, { left: 0, event: 'completed' }, '10.0.0.2').downloaded).toBe(1);
    expect(tracker.counts.completed).toBe(1);
  });

  test.each([
    [undefined, 50],
    [-1, 50],
    [0, 0],
    [3, 3],
    [80, 70],
  ])('with numwant %s gives %i of 90 peers under a limit of 70', (numWant, expected) => {
    const tracker = trackerOf({ numWantLimit: 70 });
    for (let host = 0; host < 90; host++) replyTo(tracker, { numWant: 0 }, `10.0.1.${host}`);
    expect(replyTo(tracker, { numWant }).peers).toHaveLength(expected);
  });

  test('of port 0 is refused unless it is a goodbye', () => {
    const tracker = trackerOf();
    expect(tracker.announce(requestOf({ port: 0 }), { ip: '10.0.0.1' }, 0)).toMatchObject({
      failureReason: expect.stringContaining('port 0'),
    });
    expect(replyTo(tracker, { port: 0, event: 'stopped' }).peers).toEqual([]);
  });

  test('from something that is no address is refused', () => {
    expect(isFailure(trackerOf().announce(requestOf(), { ip: 'localhost' }, 0))).toBe(true);
  });

  test('of a torrent that the policy does not allow is refused by value, and its scrape is empty', () => {
    const tracker = trackerOf({ allow: (infoHash) => infoHash === '02'.repeat(20) });
    expect(tracker.announce(requestOf(), { ip: '10.0.0.1' }, 0)).toEqual({
      failureReason: 'this tracker does not serve this torrent',
      retryIn: 30,
      interval: 1800,
    });
    replyTo(tracker, { infoHash: new Uint8Array(20).fill(2) });
    expect(tracker.scrape([new Uint8Array(20).fill(1), new Uint8Array(20).fill(2)], 0)).toEqual([
      undefined,
      { complete: 0, incomplete: 1, downloaded: 0, downloaders: 1 },
    ]);
    expect(tracker.counts).toMatchObject({ announces: 2, refused: 1, scrapes: 1, torrents: 1 });
  });

  test('of a peer at an address that is full is answered with a warning', () => {
    const tracker = trackerOf();
    for (let port = 1; port <= 257; port++) replyTo(tracker, { port });
    expect(replyTo(tracker, { port: 999 }).warning).toContain('not listed');
    expect(tracker.counts).toMatchObject({ leechers: 256, unlisted: 2 });
  });

  test.each(['0.0.0.0', '::', '224.0.0.1', 'ff02::1'])('trackers 26: from %s is refused always', (ip) => {
    expect(isFailure(trackerOf().announce(requestOf(), { ip }, 0))).toBe(true);
  });

  test.each(['127.0.0.1', '10.1.2.3', '192.168.0.9', '169.254.1.1', '::1', 'fe80::1', 'fd00::1'])(
    'trackers 26: from %s is listed on a local network and refused on the open internet',
    (ip) => {
      expect(isFailure(trackerOf().announce(requestOf(), { ip }, 0))).toBe(false);
      expect(isFailure(trackerOf({ privateAddresses: 'refused' }).announce(requestOf(), { ip }, 0))).toBe(true);
      expect(isFailure(trackerOf({ privateAddresses: 'refused' }).announce(requestOf(), { ip: '8.8.8.8' }, 0))).toBe(
        false,
      );
    },
  );

  test.each(['127.0.0.1', '10.1.2.3', '192.168.0.9', '169.254.1.1', '::1', 'fe80::1', 'fd00::1'])(
    'trackers 26: from %s is given everybody and given to its like alone where private peers are kept apart',
    (ip) => {
      const tracker = trackerOf({ privateAddresses: 'apart' });
      replyTo(tracker, { left: 0 }, ip);
      expect(replyTo(tracker, { port: 1 }, '8.8.8.8')).toMatchObject({ complete: 1, incomplete: 1, peers: [] });
      expect(replyTo(tracker, { port: 2 }, '2600::1').peers.map((peer) => peer.ip)).toEqual(['8.8.8.8']);
      expect(
        replyTo(tracker, { port: 3 }, '10.9.9.9')
          .peers.map((peer) => peer.ip)
          .toSorted(),
      ).toEqual(['8.8.8.8', '2600::1', ip].toSorted());
      expect(tracker.scrape([new Uint8Array(20).fill(1)], 0)[0]).toMatchObject({ complete: 1, incomplete: 3 });
    },
  );

  test('of a partial seed is counted as no downloader, and said only where there is one (BEP 21)', () => {
    const tracker = trackerOf();
    expect(replyTo(tracker).downloaders).toBeUndefined();
    expect(replyTo(tracker, { event: 'paused' }, '10.0.0.2')).toMatchObject({ incomplete: 2, downloaders: 1 });
    // Who has everything is a seed, whatever it calls itself.
    expect(replyTo(tracker, { event: 'paused', left: 0 }, '10.0.0.3')).toMatchObject({ complete: 1, downloaders: 1 });
    expect(tracker.scrape([new Uint8Array(20).fill(1)], 0)).toEqual([
      { complete: 1, incomplete: 2, downloaded: 0, downloaders: 1 },
    ]);
  });

  test('is never told to come back sooner than it may', () => {
    const random = mulberry32(3);
    const policy = new StandingPolicy({ interval: 60, minInterval: 60, jitter: 0.5 }, { random });
    const tracker = trackerOf({ policy });
    const replies = Array.from({ length: 20 }, () => replyTo(tracker));
    expect(Math.min(...replies.map(({ interval }) => interval))).toBeLessThan(60);
    for (const { interval, minInterval } of replies) expect(minInterval).toBeLessThanOrEqual(interval);
  });

  test('says how soon another one is too soon: a minute, or the interval if that is shorter', () => {
    expect(replyTo(trackerOf()).minInterval).toBe(60);
    expect(replyTo(trackerOf({ interval: 20 })).minInterval).toBe(20);
    expect(replyTo(trackerOf({ minInterval: 900 })).minInterval).toBe(900);
  });
});

describe('one client over both families (BEP 7)', () => {
  test('is counted once and listed twice, in whatever notation its key comes', () => {
    const tracker = trackerOf();
    replyTo(tracker, { key: 'CAFE0123' }, '10.0.0.1');
    expect(replyTo(tracker, { key: 0xcafe_0123 }, '2001:db8::1')).toMatchObject({ incomplete: 1, peers: [] });
    const other = replyTo(tracker, { peerId: new Uint8Array(20).fill(3) }, '10.0.0.2');
    expect(other).toMatchObject({ incomplete: 2, peers: [{ ip: '10.0.0.1' }, { ip: '2001:db8::1' }] });
    expect(tracker.counts).toMatchObject({ leechers: 2, ipv4Peers: 2, ipv6Peers: 1 });
  });

  test('without a key, or with none but zeros, is two', () => {
    for (const key of [undefined, 0, '0']) {
      const tracker = trackerOf();
      replyTo(tracker, { key }, '10.0.0.1');
      expect(replyTo(tracker, { key }, '2001:db8::1')).toMatchObject({ incomplete: 2 });
    }
  });
});

describe('a tracker id', () => {
  const others = { peerId: new Uint8Array(20).fill(9), port: 9 };

  test('is given once: who echoes it, or is known and does not, gets no other', () => {
    const tracker = trackerOf();
    const { trackerId } = replyTo(tracker);
    expect(replyTo(tracker, { trackerId }).trackerId).toBeUndefined();
    expect(replyTo(tracker).trackerId).toBeUndefined();
    expect(replyTo(tracker, { trackerId: 'something else' }).trackerId).toBe(trackerId);
  });

  test('keeps a client that has a new address one peer, and is renewed', () => {
    const tracker = trackerOf();
    const { trackerId } = replyTo(tracker, {}, '10.0.0.1');
    const moved = replyTo(tracker, { trackerId, port: 7000 }, '10.0.0.2');
    expect(moved).toMatchObject({ incomplete: 1, trackerId: expect.not.stringMatching(trackerId!) as string });
    expect(replyTo(tracker, others, '10.0.0.3').peers).toMatchObject([{ ip: '10.0.0.2', port: 7000 }]);
    expect(replyTo(tracker, { trackerId: moved.trackerId }, '2001:db8::1').incomplete).toBe(2);
  });

  test('moves nobody else: not with another peer id, another torrent, or a changed letter', () => {
    const tracker = trackerOf();
    const { trackerId = '' } = replyTo(tracker, {}, '10.0.0.1');
    const changed = Array.from(trackerId).map(
      (letter, at) => trackerId.slice(0, at) + (letter === 'A' ? 'B' : 'A') + trackerId.slice(at + 1),
    );
    for (const [index, id] of changed.entries()) {
      const reply = replyTo(tracker, { trackerId: id, port: 7000 + index }, '10.0.0.66');
      // The last letter has two bits that say nothing.
      if (index < 18) expect(reply.incomplete).toBe(2 + index);
    }
    replyTo(tracker, { ...others, trackerId }, '10.0.0.67');
    replyTo(tracker, { infoHash: new Uint8Array(20).fill(3), trackerId }, '10.0.0.68');
    expect(replyTo(tracker, { ...others, numWant: 100 }, '10.0.0.69').peers.map(({ ip }) => ip)).toContain('10.0.0.1');
  });

  test('is read by every tracker with the same key, and by no other', () => {
    const key = new Uint8Array(16).fill(7);
    const { trackerId } = replyTo(trackerOf({ trackerIdKey: key }), {}, '2001:db8::1');
    expect(trackerId).toMatch(/^[\w-]{35}$/);
    const same = trackerOf({ trackerIdKey: key });
    replyTo(same, {}, '2001:db8::1');
    expect(replyTo(same, { trackerId, port: 1 }, '2001:db8::2').incomplete).toBe(1);
    const other = trackerOf();
    replyTo(other, {}, '2001:db8::1');
    expect(replyTo(other, { trackerId, port: 1 }, '2001:db8::2').incomplete).toBe(2);
  });

  test.each(['', 'x', '%'.repeat(19), '\u00ff'.repeat(35), 'A'.repeat(19), 'A'.repeat(35), 'A'.repeat(100)])(
    'that nobody gave is no reason to refuse: %j',
    (trackerId) => {
      expect(replyTo(trackerOf(), { trackerId }).trackerId).toHaveLength(19);
    },
  );
});

describe('an announce that asks for what is new', () => {
  test('gets a mark with a complete list, then only who joined since, and how many there are', () => {
    const tracker = trackerOf();
    replyTo(tracker, {}, '10.0.0.1');
    expect(replyTo(tracker, {}, '10.0.0.9').last).toBeUndefined();
    const first = replyTo(tracker, { last: 0 }, '10.0.0.9');
    expect(first).toMatchObject({ last: expect.any(Number) as number, numPeers: 1, peers: [{ ip: '10.0.0.1' }] });
    replyTo(tracker, {}, '10.0.0.2');
    const second = replyTo(tracker, { last: first.last }, '10.0.0.9');
    expect(second).toMatchObject({ numPeers: 2, peers: [{ ip: '10.0.0.2' }] });
    expect(replyTo(tracker, { last: second.last }, '10.0.0.9')).toMatchObject({ numPeers: 2, peers: [] });
    expect(replyTo(tracker, { last: second.last, event: 'stopped' }, '10.0.0.9')).toMatchObject({ numPeers: 2 });
  });

  test('has no mark where it cannot have everybody', () => {
    const tracker = trackerOf();
    for (let host = 1; host <= 5; host++) replyTo(tracker, {}, `10.0.0.${host}`);
    const reply = replyTo(tracker, { last: 0, numWant: 4 }, '10.0.0.9');
    expect(reply).toMatchObject({ numPeers: 5, last: undefined });
    expect(reply.peers).toHaveLength(4);
  });
});

describe('expiry', () => {
  test('lists a peer for one and a half intervals, and says when it wants to be called', () => {
    const tracker = trackerOf({ interval: 100 });
    expect(tracker.deadline).toBeUndefined();
    replyTo(tracker, {}, '10.0.0.1', 1000);
    expect(tracker.deadline).toBe(151_000);
    tracker.expire(150_999);
    expect(tracker.counts.leechers).toBe(1);
    tracker.expire(151_000);
    expect(tracker.counts).toMatchObject({ leechers: 0, expired: 1 });
  });

  test('keeps peers at least two minutes however short the interval', () => {
    const tracker = trackerOf({ interval: 1 });
    replyTo(tracker);
    expect(tracker.deadline).toBe(120_000);
  });

  test('goes in slices and says whether there may be more', () => {
    const tracker = trackerOf();
    for (let host = 0; host < 300; host++) replyTo(tracker, {}, `10.0.${host >> 8}.${host & 255}`);
    expect([1, 2, 3].map(() => tracker.expire(10_000_000))).toEqual([true, true, false]);
    expect(tracker.counts).toMatchObject({ leechers: 0, torrents: 0, expired: 300 });
  });
});

test('equal seeds give equal answers', () => {
  const run = (): unknown => {
    const tracker = trackerOf({ random: mulberry32(42) });
    return Array.from({ length: 100 }, (_, host) => replyTo(tracker, { numWant: 5 }, `10.0.0.${host}`).peers);
  };
  expect(run()).toEqual(run());
});

test.each([
  { interval: 0 },
  { interval: 100_000 },
  { minInterval: 1801 },
  { numWantLimit: 1001 },
  { numWantDefault: -1 },
  { peerLifetimeMs: 1 },
  { trackerIdKey: new Uint8Array(15) },
])('refuses %j', (options) => {
  expect(() => trackerOf(options)).toThrow(RangeError);
});
