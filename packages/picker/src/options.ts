// The options of a picker and their only defaults.

import type { Bitfield, Geometry } from '@shoal/pieces';

export interface PickerOptions {
  /** How the torrent is cut into pieces. */
  readonly geometry: Geometry;
  /** Pieces verified already; copied. */
  readonly have: Bitfield;
  /** Uniform in [0, 1). The same numbers and the same calls give the same picks. */
  readonly random: () => number;
  /**
   * Pieces that may be started and not verified at once, at least 1; default no limit. At the limit only blocks of open
   * pieces are handed out, so this bounds the memory that pieces under way can take.
   */
  readonly maxOpenPieces?: number;
  /** Pieces picked at random before rarest first begins; default 4, as mainline since 2003-07 and libtorrent. */
  readonly randomFirstPieces?: number;
  /** Peers that may be asked for one block at once in the end game, 1 to 254; default 3. Clients use from 2 to 20. */
  readonly endgameCopies?: number;
}

export const defaults: Required<Pick<PickerOptions, 'maxOpenPieces' | 'randomFirstPieces' | 'endgameCopies'>> = {
  maxOpenPieces: Number.POSITIVE_INFINITY,
  randomFirstPieces: 4,
  endgameCopies: 3,
};

/** The same options, whole. @throws RangeError when they contradict each other or a limit is out of range. */
export function checkedOptions(options: PickerOptions): Required<PickerOptions> {
  const checked = { ...defaults, ...options };
  const { geometry, have, maxOpenPieces, randomFirstPieces, endgameCopies } = checked;
  if (have.length !== geometry.pieceCount) {
    throw new RangeError(`a bitfield of ${have.length} for ${geometry.pieceCount} pieces`);
  }
  if (!(maxOpenPieces >= 1)) throw new RangeError(`a limit of ${maxOpenPieces} open pieces`);
  if (!(randomFirstPieces >= 0)) throw new RangeError(`${randomFirstPieces} random pieces first`);
  // Copies are counted in a byte whose highest value means received.
  if (!(endgameCopies >= 1 && endgameCopies <= 254)) throw new RangeError(`${endgameCopies} copies in the end game`);
  return checked;
}
