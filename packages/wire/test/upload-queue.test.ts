import { blockAt, geometryOf } from '@shoal/pieces';
import { describe, expect, test } from 'vitest';
import { UploadQueue } from '../src/index.ts';

const geometry = geometryOf(10 * 65_536, 65_536);

function queue(limit: number = 100, exempt: ReadonlySet<number> = new Set()): UploadQueue {
  const made = new UploadQueue({ geometry, limit, exempt });
  made.open();
  return made;
}

describe('the upload queue', () => {
  test('gives runs that one read can serve: contiguous, of one piece, in the order asked', () => {
    const subject = queue();
    const order = [blockAt(geometry, 1, 0), blockAt(geometry, 1, 1), blockAt(geometry, 1, 3), blockAt(geometry, 2, 0)];
    for (const each of order) expect(subject.accept(each)).toBe('accepted');
    expect(subject.takeRun(32)).toEqual(order.slice(0, 2));
    expect(subject.takeRun(32)).toEqual(order.slice(2, 3));
    expect(subject.takeRun(32)).toEqual(order.slice(3));
    expect(subject.takeRun(32)).toEqual([]);
  });

  test('does not run over the end of a piece, and not backwards', () => {
    const subject = queue();
    subject.accept(blockAt(geometry, 1, 3));
    subject.accept(blockAt(geometry, 2, 0));
    expect(subject.takeRun(32)).toHaveLength(1);
    subject.clear();
    subject.accept(blockAt(geometry, 1, 1));
    subject.accept(blockAt(geometry, 1, 0));
    expect(subject.takeRun(32)).toEqual([blockAt(geometry, 1, 1)]);
  });

  test('does not run on in another piece at the same place', () => {
    const subject = queue();
    subject.accept(blockAt(geometry, 1, 0));
    subject.accept(blockAt(geometry, 2, 1));
    expect(subject.takeRun(32)).toEqual([blockAt(geometry, 1, 0)]);
  });

  test('gives no more than asked for and keeps the rest', () => {
    const subject = queue();
    for (let index = 0; index < 4; index += 1) subject.accept(blockAt(geometry, 0, index));
    expect(subject.takeRun(3)).toHaveLength(3);
    expect(subject.length).toBe(1);
    expect(subject.takeRun(0)).toEqual([]);
  });

  test('holds the block alone, not the event it came in', () => {
    const subject = queue();
    const event = { type: 'request', ...blockAt(geometry, 0, 0) };
    subject.accept(event);
    expect(subject.takeRun(1)).toEqual([blockAt(geometry, 0, 0)]);
  });

  test('takes the same place with another length for nothing it can queue', () => {
    const subject = queue();
    subject.accept({ piece: 0, begin: 0, length: 16_384 });
    expect(subject.accept({ piece: 0, begin: 0, length: 100 })).toBe('full');
    expect(subject.accept({ piece: 0, begin: 0, length: 16_384 })).toBe('duplicate');
    expect(subject.cancel({ piece: 0, begin: 0, length: 100 })).toBe(false);
    expect(subject.cancel({ piece: 0, begin: 0, length: 16_384 })).toBe(true);
    expect(subject.length).toBe(0);
  });

  test('is shut at first and when the peer is choked, but for exempt pieces', () => {
    const exempt = new Set([3]);
    const subject = new UploadQueue({ geometry, limit: 100, exempt });
    expect(subject.accept(blockAt(geometry, 1, 0))).toBe('full');
    expect(subject.accept(blockAt(geometry, 3, 0))).toBe('accepted');
    subject.open();
    expect(subject.accept(blockAt(geometry, 1, 0))).toBe('accepted');
    expect(subject.shut()).toEqual([blockAt(geometry, 1, 0)]);
    expect(subject.clear()).toEqual([blockAt(geometry, 3, 0)]);
  });
});
