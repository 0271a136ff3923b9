import { describe, expect, test } from 'vitest';
import { PeerList } from '../src/peers.ts';
import { randomOf } from './harness.ts';

const peer = { ip: '192.0.2.1', port: 6881 };
const list = (): PeerList => new PeerList({ maxKnownPeers: 10, retryMs: 1000, random: randomOf(1) });

describe('the list of known peers', () => {
  test('dials an address once until the dial is answered, even when the peer connects to us and leaves meanwhile', () => {
    const known = list();
    known.add(peer, 'tracker', 0);
    expect(known.takeDialable(5, 0)).toEqual([peer]);
    known.connected(peer);
    known.ended(peer, { useful: true, alone: false }, 10);
    expect(known.dialing).toBe(1);
    expect(known.takeDialable(5, 100_000)).toEqual([]);
    known.dialFailed(peer, false, 100_000);
    expect(known.dialing).toBe(0);
    expect(known.takeDialable(5, 110_000)).toEqual([peer]);
  });

  test('dials nobody with whom one of two connections is still alive', () => {
    const known = list();
    known.add(peer, 'tracker', 0);
    known.takeDialable(5, 0);
    known.connected(peer);
    known.dialled(peer);
    known.ended(peer, { useful: false, alone: false }, 10);
    expect(known.takeDialable(5, 100_000)).toEqual([]);
    known.ended(peer, { useful: true, alone: false }, 100_000);
    expect(known.takeDialable(5, 110_000)).toEqual([peer]);
  });

  test('waits longer after each failure and gives up after five, until a tracker names the address again', () => {
    const known = list();
    known.add(peer, 'tracker', 0);
    let now = 0;
    const waits: number[] = [];
    while (known.takeDialable(1, now).length === 1) {
      known.dialFailed(peer, false, now);
      if (known.deadline() === Infinity) break;
      waits.push(known.deadline() - now);
      now = known.deadline();
    }
    expect(waits).toHaveLength(4);
    for (let at = 1; at < waits.length; at++) expect(waits[at]).toBeGreaterThan(waits[at - 1]! * 1.5);
    known.add(peer, 'tracker', now);
    expect(known.deadline()).toBeLessThan(Infinity);
  });

  test('tries one that was of use again and again while nobody is connected: it may be our own network that is gone', () => {
    const known = list();
    known.add(peer, 'tracker', 0);
    known.takeDialable(1, 0);
    known.dialled(peer);
    known.ended(peer, { useful: true, alone: true }, 0);
    for (let now = known.deadline(), dials = 0; dials < 50; dials++, now = known.deadline()) {
      expect(known.takeDialable(1, now)).toEqual([peer]);
      known.dialFailed(peer, true, now);
      expect(known.deadline() - now).toBeLessThanOrEqual(12_500);
    }
  });

  test('that were set aside may be dialled again when there is something to gain', () => {
    const known = list();
    known.add(peer, 'tracker', 0);
    known.takeDialable(1, 0);
    known.dialled(peer);
    known.ended(peer, { useful: true, alone: true }, 0);
    known.setAside(peer);
    expect(known.deadline()).toBe(Infinity);
    known.recall(100);
    expect(known.takeDialable(1, 100)).toEqual([peer]);
  });
});
