import { describe, expect, test } from 'vitest';
import type { AnnounceRequest } from '@shoal/tracker-protocol';
import {
  AddressRanges,
  ClientPrefixes,
  InfoHashSet,
  type PolicySettings,
  StandingPolicy,
  Tracker,
  parseAddressRange,
} from '@shoal/tracker';
import { mulberry32 } from '../random.ts';
import { bytesOf, ipOf, peerIdOf, requestOf } from './requests.ts';

function policyOf(settings: PolicySettings = {}): StandingPolicy {
  return new StandingPolicy(settings, { random: mulberry32(1) });
}

function codeOf(policy: StandingPolicy, more: Partial<AnnounceRequest> = {}, ip = '203.0.113.1', now = 0): string {
  return policy.refusal(requestOf(more), ipOf(ip), now)?.code ?? 'welcome';
}

const listed = InfoHashSet.of([new Uint8Array(20).fill(1)]);
const other = { infoHash: new Uint8Array(20).fill(9) };
const network = new AddressRanges([parseAddressRange('203.0.113.0/24')]);
const clients = new ClientPrefixes([bytesOf('-TR')]);

describe('without settings', () => {
  test('everybody is welcome, once he can be reached', () => {
    expect(codeOf(policyOf())).toBe('welcome');
    expect(codeOf(policyOf(), { port: 0 })).toBe('port-unreachable');
    expect(codeOf(policyOf(), {}, '224.0.0.1')).toBe('address-unreachable');
    expect(codeOf(policyOf(), {}, '192.168.1.1')).toBe('welcome');
  });

  test('and gets 50 peers, or as many as he wants up to 200', () => {
    const wants = [undefined, -1, 0, 7, 200, 5000];
    expect(wants.map((numWant) => policyOf().wanted(requestOf({ numWant }), 0))).toEqual([50, 50, 0, 7, 200, 200]);
  });
});

describe('refuses', () => {
  test.each<[string, PolicySettings, Partial<AnnounceRequest>, string]>([
    ['a torrent that is not on the allow list', { allowedTorrents: listed }, other, 'torrent-not-served'],
    ['a torrent on the deny list', { deniedTorrents: listed }, {}, 'torrent-denied'],
    ['a torrent on both lists', { allowedTorrents: listed, deniedTorrents: listed }, {}, 'torrent-denied'],
    ['a client that is not on the allow list', { allowedClients: clients }, {}, 'client-denied'],
    ['a client on the deny list', { deniedClients: clients }, { peerId: peerIdOf('-TR4050-') }, 'client-denied'],
    ['a banned address', { bannedAddresses: network }, {}, 'address-banned'],
  ])('%s', (_, settings, request, code) => {
    expect(codeOf(policyOf(settings), request)).toBe(code);
  });

  test('an address that is not on the allow list', () => {
    expect(codeOf(policyOf({ allowedAddresses: network }), {}, '198.51.100.1')).toBe('address-not-served');
  });

  test('private addresses where the operator says so', () => {
    const policy = policyOf({ privateAddresses: 'refused' });
    expect(codeOf(policy, {}, '192.168.1.1')).toBe('address-private');
  });

  test('nobody else', () => {
    const policy = policyOf({
      allowedTorrents: listed,
      deniedTorrents: InfoHashSet.of([other.infoHash]),
      allowedClients: clients,
      deniedClients: new ClientPrefixes([bytesOf('-TR1')]),
      allowedAddresses: network,
      bannedAddresses: new AddressRanges([parseAddressRange('203.0.113.9')]),
      privateAddresses: 'refused',
    });
    expect(codeOf(policy, { peerId: peerIdOf('-TR4050-') })).toBe('welcome');
  });

  test('no goodbye: clients repeat what is refused', () => {
    const policy = policyOf({
      deniedTorrents: listed,
      allowedClients: clients,
      bannedAddresses: network,
      announceRate: { perMinute: 1, burst: 1 },
    });
    const codes = Array.from({ length: 5 }, () => codeOf(policy, { event: 'stopped', port: 0 }));
    expect(codes).toEqual(codes.map(() => 'welcome'));
  });

  test('in words, with the time after which asking makes sense', () => {
    const denied = policyOf({ deniedTorrents: listed }).refusal(requestOf(), ipOf('203.0.113.1'), 0);
    expect(denied).toMatchObject({ message: expect.stringContaining('denied'), retryIn: 'never', interval: 86_400 });
    const foreign = policyOf({ allowedTorrents: listed }).refusal(requestOf(other), ipOf('203.0.113.1'), 0);
    expect(foreign).toEqual({ code: 'torrent-not-served', message: 'this tracker does not serve this torrent' });
  });
});

describe('a scrape', () => {
  test('is of the torrents that announces are welcome for', () => {
    const policy = policyOf({ allowedTorrents: listed });
    expect([policy.serves(requestOf().infoHash), policy.serves(other.infoHash)]).toEqual([true, false]);
    expect(policyOf({ deniedTorrents: listed }).serves(requestOf().infoHash)).toBe(false);
  });
});

describe('the rate of announces of one address', () => {
  const announceRate = { perMinute: 2, burst: 3 };

  test('has a burst, then a pace, and says when to come back', () => {
    const policy = policyOf({ announceRate });
    expect([0, 0, 0, 0].map((now) => codeOf(policy, {}, '203.0.113.1', now))).toEqual([
      'welcome',
      'welcome',
      'welcome',
      'too-often',
    ]);
    expect(policy.refusal(requestOf(), ipOf('203.0.113.1'), 0)).toEqual({
      code: 'too-often',
      message: 'too many announces from your address; try again in 60 seconds',
      retryIn: 1,
      interval: 60,
    });
    expect(codeOf(policy, {}, '203.0.113.2')).toBe('welcome');
    expect(codeOf(policy, {}, '203.0.113.1', 30_000)).toBe('welcome');
    expect(codeOf(policy, {}, '203.0.113.1', 30_001)).toBe('too-often');
  });

  test('trackers 22: lets a completed download through, though not any number of them', () => {
    const policy = policyOf({ announceRate });
    for (let count = 0; count < 3; count++) codeOf(policy);
    const codes = Array.from({ length: 5 }, () => codeOf(policy, { event: 'completed' }));
    expect(codes).toEqual(['welcome', 'welcome', 'welcome', 'too-often', 'too-often']);
  });

  test('is counted for torrents that are not served too', () => {
    const policy = policyOf({ announceRate, allowedTorrents: listed });
    const codes = Array.from({ length: 4 }, () => codeOf(policy, other));
    expect(codes).toEqual(['torrent-not-served', 'torrent-not-served', 'torrent-not-served', 'too-often']);
  });
});

describe('settings replaced while announces go on', () => {
  test('hold from the next announce, and counters stay', () => {
    const policy = policyOf({ announceRate: { perMinute: 1, burst: 2 }, interval: 600, jitter: 0 });
    codeOf(policy);
    codeOf(policy);
    policy.replace({
      announceRate: { perMinute: 1, burst: 2 },
      interval: 900,
      jitter: 0,
      minInterval: 30,
      numWantLimit: 9,
    });
    expect(codeOf(policy)).toBe('too-often');
    expect([policy.interval(0), policy.minInterval, policy.wanted(requestOf(), 0)]).toEqual([900, 30, 9]);
    policy.replace({ deniedTorrents: listed });
    expect(codeOf(policy)).toBe('torrent-denied');
    expect(policy.settings.deniedTorrents).toBe(listed);
  });

  test('that are out of range change nothing', () => {
    const policy = policyOf({ interval: 600, jitter: 0 });
    expect(() => policy.replace({ interval: 10, numWantLimit: 5000 })).toThrow(RangeError);
    expect(() => policy.replace({ interval: 10, jitter: 9 })).toThrow(RangeError);
    expect([policy.interval(0), policy.settings.interval]).toEqual([600, 600]);
  });

  test('are the policy of a tracker that is running', () => {
    const policy = policyOf({ interval: 600, jitter: 0 });
    const tracker = new Tracker({ random: mulberry32(1), policy });
    tracker.announce(requestOf(), { ip: '203.0.113.1' }, 0);
    policy.replace({ deniedTorrents: listed });
    expect(tracker.announce(requestOf(), { ip: '203.0.113.2' }, 0)).toMatchObject({
      retryIn: 'never',
      interval: 86_400,
    });
    expect(tracker.counts).toMatchObject({ leechers: 1, refusals: { 'torrent-denied': 1 } });
  });

  test('that shorten the interval drop nobody who was told the longer one', () => {
    const policy = policyOf({ interval: 1800, jitter: 0 });
    const tracker = new Tracker({ random: mulberry32(1), policy });
    tracker.announce(requestOf(), { ip: '203.0.113.1' }, 0);
    policy.replace({ interval: 60, jitter: 0 });
    tracker.announce(requestOf(), { ip: '203.0.113.2' }, 1_000_000);
    tracker.expire(1_790_000);
    expect(tracker.counts.leechers).toBe(2);
  });
});

test('most announces from one private address are noticed', () => {
  const policy = policyOf();
  for (let count = 0; count < 400; count++) codeOf(policy, {}, '172.17.0.1');
  expect(policy.privateAddresses.finding(0)).toBe('172.17.0.1');
});

test.each<PolicySettings>([
  { interval: 0 },
  { minInterval: 1801 },
  { interval: 60, minInterval: 61 },
  { numWantLimit: 1001 },
  { numWantDefault: -1 },
  { announceRate: { perMinute: 0, burst: 1 } },
  { announceRate: { perMinute: 1, burst: 0 } },
])('refuses %j', (settings) => {
  expect(() => policyOf(settings)).toThrow(RangeError);
});
