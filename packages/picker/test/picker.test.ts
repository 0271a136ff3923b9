import { Bitfield, geometryOf } from '@shoal/pieces';
import { describe, expect, test } from 'vitest';
import { Picker } from '../src/index.ts';
import { answer, join, named, pickerOf } from './pickers.ts';
import { seeded } from './random.ts';

const block = 16_384;

describe('a download', () => {
  test('from one seed completes, with each block asked for once and the short ones at their length', () => {
    const geometry = geometryOf(10 * 65_536 + 20_000, 65_536);
    const picker = new Picker({ geometry, have: new Bitfield(geometry.pieceCount), random: seeded(1) });
    join(picker, 1, 'all');
    const asked = new Set<string>();
    let bytes = 0;
    while (!picker.complete) {
      for (const { piece, begin, length } of picker.pick(1, 3)) {
        expect(asked.has(`${piece}/${begin}`)).toBe(false);
        asked.add(`${piece}/${begin}`);
        bytes += length;
        answer(picker, 1, [{ piece, begin, length }]);
      }
    }
    expect(asked.size).toBe(10 * 4 + 2);
    expect(bytes).toBe(geometry.totalLength);
    expect(picker.openPieces).toBe(0);
    expect(picker.pick(1, 3)).toEqual([]);
  });

  test('of nothing is complete from the start', () => {
    const picker = new Picker({ geometry: geometryOf(0, block), have: new Bitfield(0), random: seeded(1) });
    expect([picker.complete, picker.missing, picker.inEndgame]).toEqual([true, 0, false]);
    expect(picker.rarest()).toEqual({ copies: 0, pieces: 0 });
  });

  test('starts from the pieces already verified and leaves the given bitfield alone', () => {
    const have = new Bitfield(3);
    have.add(1);
    const picker = pickerOf(3, 1, { have });
    join(picker, 1, [1]);
    expect(picker.interesting(1)).toBe(false);
    picker.peerHas(1, 2);
    expect(picker.interesting(1)).toBe(true);
    answer(picker, 1, picker.pick(1, 5));
    expect([picker.missing, picker.have.count, have.count]).toEqual([1, 2, 1]);
  });
});

describe('what peers have', () => {
  test('the same have twice, or a have from a seed, counts once', () => {
    const picker = pickerOf(4, 1);
    join(picker, 1, [2]);
    join(picker, 2, 'all');
    for (const peer of [1, 1, 2]) picker.peerHas(peer, 2);
    expect(picker.availability(2)).toBe(2);
    expect(picker.pieceCountOf(1)).toBe(1);
  });

  test('a peer that announces its last piece is a seed', () => {
    const picker = pickerOf(3, 1);
    join(picker, 1, [0, 2]);
    join(picker, 2, [0]);
    expect(picker.isSeed(1)).toBe(false);
    picker.peerHas(1, 1);
    expect([picker.isSeed(1), picker.pieceCountOf(1), picker.peerPiece(1, 1)]).toEqual([true, 3, true]);
    expect(picker.rarest()).toEqual({ copies: 1, pieces: 2 });
    expect(picker.pick(1, 1)[0]?.piece).not.toBe(0);
    picker.peerLeft(1);
    expect(picker.rarest()).toEqual({ copies: 0, pieces: 2 });
  });

  test('a seed is of interest exactly while something is missing', () => {
    const picker = pickerOf(1, 1);
    join(picker, 1, 'all');
    expect(picker.interesting(1)).toBe(true);
    picker.verified(0);
    expect(picker.interesting(1)).toBe(false);
    picker.lost(0);
    expect(picker.interesting(1)).toBe(true);
  });

  test('a piece out of range is had by nobody', () => {
    const picker = pickerOf(1, 1);
    join(picker, 1, 'all');
    expect([picker.peerPiece(1, 1), picker.peerPiece(1, -1), picker.wants(1, 0), picker.wants(0, 5)]).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('what arrives', () => {
  test.each([
    ['off the grid of blocks', 0, 5],
    ['behind the end of the piece', 0, 2 * block],
    ['before the piece', 0, -block],
    ['of no piece', 7, 0],
    ['of a fraction of a piece', 0.5, 0],
    ['at no place', 0, Number.NaN],
  ])('clients 39: a block %s is unrequested', (_name, piece, begin) => {
    const picker = pickerOf(2, 2);
    join(picker, 1, 'all');
    picker.pick(1, 4);
    expect(picker.received(1, piece, begin, { acceptUnrequested: true })).toBe('unrequested');
    expect(picker.accepts(1, piece, begin)).toBe(false);
    expect(picker.requested(1)).toBe(4);
  });

  test('a block asked of somebody else is taken only on demand, and then cancelled there', () => {
    const picker = pickerOf(1, 2);
    join(picker, 1, 'all');
    join(picker, 2, 'all');
    picker.pick(1, 2);
    expect(picker.received(2, 0, 0)).toBe('unrequested');
    expect(picker.accepts(2, 0, 0)).toBe(true);
    expect(picker.received(2, 0, 0, { acceptUnrequested: true })).toBe('accepted');
    expect(picker.takeCancels()).toEqual([{ peer: 1, block: { piece: 0, begin: 0, length: block } }]);
    expect(picker.contributors(0)).toEqual([2]);
  });

  test('a late answer to a choke is taken on demand while the piece is open', () => {
    const picker = pickerOf(1, 2);
    join(picker, 1, 'all');
    const [first, second] = picker.pick(1, 2);
    answer(picker, 1, first === undefined ? [] : [first]);
    picker.releaseAll(1);
    expect(picker.received(1, 0, second?.begin ?? -1, { acceptUnrequested: true })).toBe('completed');
  });

  test('a block of a piece that is not open is never taken, so that pushed data opens nothing', () => {
    const picker = pickerOf(3, 2);
    join(picker, 1, 'all');
    expect(picker.received(1, 0, 0, { acceptUnrequested: true })).toBe('unrequested');
    expect(picker.openPieces).toBe(0);
  });

  test('a block of a verified piece is a duplicate', () => {
    const picker = pickerOf(2, 1);
    join(picker, 1, 'all');
    picker.verified(0);
    expect(picker.received(1, 0, 0)).toBe('duplicate');
  });
});

describe('what does not arrive', () => {
  test('a peer that lets a block go is asked for others first, and for it when there are no others', () => {
    const picker = pickerOf(1, 3);
    join(picker, 1, 'all');
    picker.pick(1, 1);
    picker.released(1, 0, 0);
    expect(named(picker.pick(1, 3))).toEqual(['0.1', '0.2', '0.0']);
  });

  test('another peer is asked for the block first of all', () => {
    const picker = pickerOf(1, 3);
    join(picker, 1, 'all');
    join(picker, 2, 'all');
    picker.pick(1, 2);
    picker.released(1, 0, 0);
    expect(named(picker.pick(2, 2))).toEqual(['0.0', '0.2']);
  });

  test('what was not reserved cannot be released', () => {
    const picker = pickerOf(1, 2);
    join(picker, 1, 'all');
    join(picker, 2, 'all');
    picker.pick(1, 1);
    picker.released(2, 0, 0);
    picker.released(1, 0, block);
    picker.released(1, 0, 3);
    picker.released(1, 9, 0);
    expect(picker.requested(1)).toBe(1);
    expect(named(picker.pick(2, 2))).toEqual(['0.1']);
  });

  test('a peer that returns under its old key may be asked for what it let go before', () => {
    const picker = pickerOf(1, 2);
    join(picker, 1, 'all');
    answer(picker, 1, picker.pick(1, 1));
    picker.pick(1, 1);
    picker.released(1, 0, block);
    picker.peerLeft(1);
    join(picker, 1, 'all');
    expect(named(picker.pick(1, 2))).toEqual(['0.1']);
  });

  test('a piece of which nothing came before the choke is no longer open', () => {
    const picker = pickerOf(2, 2);
    join(picker, 1, 'all');
    const [first] = picker.pick(1, 2);
    picker.releaseAll(1);
    expect(picker.openPieces).toBe(0);
    expect(picker.takeAbandoned()).toEqual([first?.piece]);
    expect(picker.takeAbandoned()).toEqual([]);
  });

  test('a piece that is started again is not reported as given up', () => {
    const picker = pickerOf(1, 2);
    join(picker, 1, 'all');
    picker.pick(1, 2);
    picker.releaseAll(1);
    picker.pick(1, 2);
    expect(picker.takeAbandoned()).toEqual([]);
  });
});

describe('clients 41: a failed check', () => {
  test('clients 41: names who sent the blocks, and the piece is missing again', () => {
    const picker = pickerOf(1, 3);
    for (const peer of [1, 2]) join(picker, peer, 'all');
    answer(picker, 2, picker.pick(2, 1));
    answer(picker, 1, picker.pick(1, 1));
    answer(picker, 2, picker.pick(2, 1).slice(0, 0));
    expect(picker.received(2, 0, 2 * block)).toBe('completed');
    expect(picker.failed(0)).toEqual([2, 1]);
    expect([picker.openPieces, picker.missing, picker.contributors(0)]).toEqual([0, 1, []]);
    expect(picker.wants(0, 0)).toBe(true);
  });

  test('clients 41: with several contributors the piece is next asked of one peer alone', () => {
    const picker = afterFailure([1, 2]);
    expect(named(picker.pick(1, 2))).toEqual(['0.0', '0.1']);
    expect(picker.pick(2, 2)).toEqual([]);
    expect(picker.accepts(2, 0, 2 * block)).toBe(false);
    expect(picker.received(2, 0, 2 * block, { acceptUnrequested: true })).toBe('unrequested');
    answer(picker, 1, [{ piece: 0, begin: 0, length: block }]);
    expect(named(picker.pick(1, 2))).toEqual(['0.2', '0.3']);
    expect(picker.inEndgame).toBe(true);
    expect(picker.pick(2, 2)).toEqual([]);
  });

  test('clients 41: a peer that drops a piece on parole does not hold it up', () => {
    const picker = afterFailure([1, 2]);
    answer(picker, 1, picker.pick(1, 1));
    picker.pick(1, 1);
    picker.releaseAll(1);
    expect(named(picker.pick(2, 2))).toEqual(['0.1', '0.2']);
  });

  test('clients 41: with one contributor nobody need be singled out', () => {
    const picker = afterFailure([1, 1]);
    picker.pick(1, 2);
    expect(named(picker.pick(2, 2))).toEqual(['0.2', '0.3']);
  });

  test('clients 41: parole ends with the next good check', () => {
    const picker = afterFailure([1, 2]);
    picker.verified(0);
    picker.lost(0);
    picker.pick(1, 1);
    expect(named(picker.pick(2, 1))).toEqual(['0.1']);
  });

  test('of a piece that is not open names nobody', () => {
    const picker = pickerOf(1, 1);
    expect(picker.failed(0)).toEqual([]);
  });

  function afterFailure(senders: readonly [number, number]): Picker {
    const picker = pickerOf(1, 4);
    for (const peer of [1, 2]) join(picker, peer, 'all');
    for (const sender of [...senders, ...senders]) answerWithoutCheck(picker, sender);
    picker.failed(0);
    return picker;
  }

  function answerWithoutCheck(picker: Picker, peer: number): void {
    for (const { piece, begin } of picker.pick(peer, 1)) picker.received(peer, piece, begin);
  }
});

describe('the limit of open pieces', () => {
  test('only blocks of open pieces are handed out at the limit', () => {
    const picker = pickerOf(4, 2, { maxOpenPieces: 2 });
    join(picker, 1, 'all');
    expect(picker.pick(1, 99)).toHaveLength(4);
    expect(picker.pick(1, 99)).toEqual([]);
  });

  test('pieces that wait for their check count', () => {
    const picker = pickerOf(2, 1, { maxOpenPieces: 1 });
    join(picker, 1, 'all');
    const [first] = picker.pick(1, 1);
    expect(picker.received(1, first?.piece ?? -1, 0)).toBe('completed');
    expect(picker.pick(1, 1, 1e9)).toEqual([]);
    picker.verified(first?.piece ?? -1);
    expect(picker.pick(1, 1)).toHaveLength(1);
  });

  test('a seed helps with what others began when it may begin nothing', () => {
    const picker = pickerOf(3, 2, { maxOpenPieces: 1 });
    join(picker, 1, [0]);
    join(picker, 9, 'all');
    picker.pick(1, 1);
    expect(named(picker.pick(9, 9))).toEqual(['0.1']);
  });

  test('a started piece that nobody has any more makes room for one that somebody has', () => {
    const picker = pickerOf(2, 2, { maxOpenPieces: 1 });
    join(picker, 1, [0]);
    join(picker, 2, [1]);
    answer(picker, 1, picker.pick(1, 1));
    expect(picker.pick(2, 2)).toEqual([]);
    picker.peerLeft(1);
    expect(named(picker.pick(2, 2))).toEqual(['1.0', '1.1']);
    expect(picker.takeAbandoned()).toEqual([0]);
    expect(picker.wants(0, 0)).toBe(true);
  });

  test('nothing is given up for a peer that has nothing to start', () => {
    const picker = pickerOf(2, 2, { maxOpenPieces: 1 });
    join(picker, 1, [0]);
    join(picker, 2, []);
    answer(picker, 1, picker.pick(1, 1));
    picker.peerLeft(1);
    expect(picker.pick(2, 2)).toEqual([]);
    expect([picker.takeAbandoned(), picker.openPieces]).toEqual([[], 1]);
  });

  test('nothing is given up for a peer that is busy', () => {
    const picker = pickerOf(3, 2, { maxOpenPieces: 2 });
    join(picker, 1, [0]);
    join(picker, 2, [1, 2]);
    answer(picker, 1, picker.pick(1, 1));
    picker.peerLeft(1);
    expect(named(picker.pick(2, 2))).toHaveLength(2);
    expect([picker.pick(2, 2), picker.takeAbandoned()]).toEqual([[], []]);
  });

  test('a started piece whose holders have been silent for thirty seconds makes room too', () => {
    const picker = pickerOf(2, 2, { maxOpenPieces: 1 });
    join(picker, 1, [0]);
    join(picker, 2, [1]);
    answer(picker, 1, picker.pick(1, 1, 1000));
    expect(picker.pick(2, 2, 30_999)).toEqual([]);
    expect(named(picker.pick(2, 2, 31_000))).toEqual(['1.0', '1.1']);
  });

  test('of several pieces in the way the one with the least received is given up', () => {
    const picker = pickerOf(3, 4, { maxOpenPieces: 2 });
    join(picker, 1, [0]);
    join(picker, 2, [1]);
    join(picker, 3, [2]);
    answer(picker, 1, picker.pick(1, 2));
    answer(picker, 2, picker.pick(2, 1));
    picker.peerLeft(1);
    picker.peerLeft(2);
    picker.pick(3, 1);
    expect(picker.takeAbandoned()).toEqual([1]);
  });

  test('a piece that nobody has is given up before one that is only waiting', () => {
    const picker = pickerOf(3, 4, { maxOpenPieces: 2 });
    join(picker, 1, [0]);
    join(picker, 2, [1]);
    join(picker, 3, [2]);
    answer(picker, 1, picker.pick(1, 2, 0));
    answer(picker, 2, picker.pick(2, 1, 0));
    picker.peerLeft(1);
    picker.pick(3, 1, 60_000);
    expect(picker.takeAbandoned()).toEqual([0]);
  });

  test('a raised limit holds at once, a lowered one as pieces are finished', () => {
    const picker = pickerOf(4, 1, { maxOpenPieces: 1 });
    join(picker, 1, 'all');
    expect(picker.pick(1, 9)).toHaveLength(1);
    picker.maxOpenPieces = 3;
    expect(picker.pick(1, 9)).toHaveLength(2);
    picker.maxOpenPieces = 1;
    expect([picker.openPieces, picker.maxOpenPieces]).toEqual([3, 1]);
    expect(picker.pick(1, 9)).toEqual([]);
  });
});

describe('unwanted pieces', () => {
  test('are neither picked nor counted as missing', () => {
    const picker = pickerOf(2, 1);
    join(picker, 1, 'all');
    picker.setWanted(0, false);
    expect(named(picker.pick(1, 9))).toEqual(['1.0']);
    expect(picker.wants(0, 0)).toBe(false);
    answer(picker, 1, [{ piece: 1, begin: 0, length: block }]);
    expect([picker.complete, picker.interesting(1)]).toEqual([true, false]);
    picker.setWanted(0, true);
    expect([picker.complete, picker.interesting(1), named(picker.pick(1, 9))]).toEqual([false, true, ['0.0']]);
  });

  test('that were under way are cancelled and given up', () => {
    const picker = pickerOf(1, 2);
    join(picker, 1, 'all');
    answer(picker, 1, picker.pick(1, 1));
    picker.pick(1, 1);
    picker.setWanted(0, false);
    expect(picker.takeCancels()).toEqual([{ peer: 1, block: { piece: 0, begin: block, length: block } }]);
    expect(picker.takeAbandoned()).toEqual([0]);
    expect(picker.received(1, 0, block, { acceptUnrequested: true })).toBe('unrequested');
    expect([picker.openPieces, picker.requested(1), picker.inEndgame]).toEqual([0, 0, false]);
  });

  test('that only wait for their check are still checked', () => {
    const picker = pickerOf(1, 1);
    join(picker, 1, 'all');
    picker.pick(1, 1);
    picker.received(1, 0, 0);
    picker.setWanted(0, false);
    expect(picker.openPieces).toBe(1);
    picker.verified(0);
    expect([picker.have.count, picker.openPieces, picker.missing]).toEqual([1, 0, 0]);
    picker.lost(0);
    expect(picker.missing).toBe(0);
  });
});

describe('a piece verified while under way', () => {
  test('is cancelled with the peers asked for it', () => {
    const picker = pickerOf(1, 2);
    join(picker, 1, 'all');
    picker.pick(1, 2);
    picker.verified(0);
    picker.verified(0);
    expect(picker.takeCancels()).toHaveLength(2);
    expect([picker.complete, picker.requested(1), picker.openPieces]).toEqual([true, 0, 0]);
  });
});

describe('bugs of the caller', () => {
  test('unknown peers and pieces are refused', () => {
    const picker = pickerOf(2, 1);
    join(picker, 1, []);
    for (const call of [
      () => picker.pick(2, 1),
      () => picker.peerJoined(1),
      () => picker.peerHas(1, 2),
      () => picker.peerHas(1, 0.5),
      () => picker.peerPieces(1, new Bitfield(3)),
      () => picker.verified(2),
      () => picker.failed(-1),
      () => picker.lost(1.5),
      () => picker.setWanted(2, true),
    ]) {
      expect(call).toThrow(RangeError);
    }
    picker.peerLeft(2);
  });

  test('options out of range are refused', () => {
    for (const options of [
      { have: new Bitfield(3) },
      { maxOpenPieces: 0 },
      { randomFirstPieces: -1 },
      { endgameCopies: 0 },
      { endgameCopies: 255 },
      { maxOpenPieces: Number.NaN },
    ]) {
      expect(() => pickerOf(2, 1, options)).toThrow(RangeError);
    }
    expect(() => (pickerOf(2, 1).maxOpenPieces = 0)).toThrow(RangeError);
  });

  test('more peers than the counts can hold are refused', () => {
    const picker = pickerOf(1, 1);
    for (let peer = 0; peer < 65_535; peer++) picker.peerJoined(peer);
    expect(() => picker.peerJoined(65_535)).toThrow(RangeError);
  });
});
