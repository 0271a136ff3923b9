import { describe, expect, test } from 'vitest';
import { Member } from '../src/member.ts';
import { RateWindow } from '../src/rate-window.ts';

const added = { event: 'added', infoHash: 'ab', peerId: 'aa', totalBytes: 1000, pieces: 10, havePieces: 0 };
const progress = {
  event: 'progress',
  state: 'downloading',
  havePieces: 4,
  leftBytes: 600,
  downloadedBytes: 500,
  uploadedBytes: 50,
  peers: 2,
  contributions: [{ peerId: 'bb', downloadedBytes: 500, uploadedBytes: 50 }],
};

describe('a member', () => {
  test('is what its events tell', () => {
    const member = new Member('peer-1');
    expect(member.state).toBe('starting');
    member.handle({ event: 'checking', checked: 1, total: 10 }, 0);
    expect(member.state).toBe('checking');
    member.handle(added, 0);
    expect(member).toMatchObject({ state: 'downloading', peerId: 'aa', doneBytes: 0 });
    member.handle(progress, 1000);
    expect(member).toMatchObject({ doneBytes: 400, havePieces: 4, downloadedBytes: 500, uploadedBytes: 50, peers: 2 });
    expect(member.received.get('bb')).toBe(500);
    member.handle({ event: 'completed', seconds: 1 }, 1500);
    member.handle({ event: 'completed', seconds: 1 }, 1600);
    expect(member).toMatchObject({ state: 'seeding', completedAt: 1500 });
    member.handle({ ...progress, event: 'stopped', leftBytes: 0 }, 2000);
    expect(member).toMatchObject({ state: 'stopped', doneBytes: 1000 });
    expect(member.downloadRate(2000)).toBe(0);
  });

  test('that has everything seeds from the start', () => {
    const origin = new Member('origin');
    origin.handle({ ...added, havePieces: 10 }, 0);
    expect(origin).toMatchObject({ state: 'seeding', doneBytes: 1000 });
  });

  test.each([
    { event: 'unheard-of' },
    { event: 'added' },
    { event: 'progress', contributions: 'none' },
    { event: 'progress', state: 7, leftBytes: 'x', contributions: [{}] },
  ])('makes nothing impossible of %o', (event) => {
    const member = new Member('peer-1');
    member.handle(event, 0);
    expect(member.doneBytes).toBe(0);
    expect(member.downloadRate(1000)).toBe(0);
  });
});

describe('a rate', () => {
  test('is that of the last moments', () => {
    const rate = new RateWindow();
    for (let at = 0; at <= 4000; at += 250) rate.add(at < 2000 ? 0 : (at - 2000) * 10, at);
    expect(rate.rate(4000)).toBe(10_000);
  });

  test('falls to nothing when nothing is heard any more', () => {
    const rate = new RateWindow();
    rate.add(0, 0);
    rate.add(1000, 500);
    expect(rate.rate(500)).toBe(2000);
    expect(rate.rate(2500)).toBe(0);
  });

  test('is none after a single moment, or two that are as good as one', () => {
    const rate = new RateWindow();
    expect(rate.rate(0)).toBe(0);
    rate.add(1_000_000, 0);
    rate.add(2_000_000, 1);
    expect(rate.rate(1)).toBe(0);
  });
});
