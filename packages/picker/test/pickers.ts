import { Bitfield, geometryOf, type Block } from '@shoal/pieces';
import { Picker, type PickerOptions } from '../src/index.ts';
import { seeded } from './random.ts';

/** A picker for `pieceCount` pieces of `blocks` blocks, with rarest first from the start unless told otherwise. */
export function pickerOf(pieceCount: number, blocks: number, options: Partial<PickerOptions> = {}): Picker {
  const geometry = geometryOf(pieceCount * blocks * 16_384, blocks * 16_384);
  const have = new Bitfield(pieceCount);
  return new Picker({ geometry, have, random: seeded(1), randomFirstPieces: 0, ...options });
}

/** A peer that has these pieces, or all. */
export function join(picker: Picker, peer: number, pieces: readonly number[] | 'all'): void {
  const bits = new Bitfield(picker.have.length);
  if (pieces === 'all') bits.addAll();
  else for (const piece of pieces) bits.add(piece);
  picker.peerJoined(peer);
  picker.peerPieces(peer, bits);
}

/** What `picked` blocks are, as piece and block number. */
export function named(blocks: readonly Block[]): string[] {
  return blocks.map(({ piece, begin }) => `${piece}.${begin / 16_384}`);
}

/** The peer sends all it is asked for; finished pieces are verified. */
export function answer(picker: Picker, peer: number, blocks: readonly Block[]): void {
  for (const { piece, begin } of blocks) {
    if (picker.received(peer, piece, begin) === 'completed') picker.verified(piece);
  }
}
