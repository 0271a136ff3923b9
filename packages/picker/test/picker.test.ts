import { Bitfield, geometryOf } from '@shoal/pieces';
import { expect, test } from 'vitest';
import { Picker } from '../src/index.ts';

test('one seed is enough to complete, and each block is asked for once', () => {
  const geometry = geometryOf(10 * 65_536 + 20_000, 65_536);
  const picker = new Picker({ geometry, have: new Bitfield(geometry.pieceCount), random: seeded(1) });
  picker.peerJoined(1);
  picker.peerPieces(1, Bitfield.full(geometry.pieceCount));
  const asked = new Set<string>();
  while (!picker.complete) {
    const blocks = picker.pick(1, 3);
    expect(blocks.length).toBeGreaterThan(0);
    for (const { piece, begin } of blocks) {
      expect(asked.has(`${piece}/${begin}`)).toBe(false);
      asked.add(`${piece}/${begin}`);
      if (picker.received(1, piece, begin) === 'completed') picker.verified(piece);
    }
  }
  expect(asked.size).toBe(10 * 4 + 2);
  expect(picker.openPieces).toBe(0);
});

export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
