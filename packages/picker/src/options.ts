// The options of a picker and their only defaults.

import { Bitfield, type Geometry } from '@shoal/pieces';

/**
 * 0: not wanted; 1 to 7: wanted, 7 first. Files that are skipped, low, normal and high have 0, 1, 4 and 7, as in
 * libtorrent; what lies between is free for a finer order, such as the file to finish first.
 */
export type PiecePriority = number;

/** The priority of a piece that nobody gave another. */
export const normalPriority: PiecePriority = 4;

export const highestPriority: PiecePriority = 7;

export interface PickerOptions {
  /** How the torrent is cut into pieces. */
  readonly geometry: Geometry;
  /** Pieces verified already; copied. */
  readonly have: Bitfield;
  /**
   * Pieces that may be in storage already and wait for their check: missing and not asked for until `unhold` or
   * `verified`; copied. Also in `have`: in doubt, so not had. Default none.
   */
  readonly held?: Bitfield;
  /** Uniform in [0, 1). The same numbers and the same calls give the same picks. */
  readonly random: () => number;
  /**
   * Pieces that may be started and not verified at once, at least 1; default no limit. At the limit only blocks of open
   * pieces are handed out, so this bounds the memory that pieces under way can take.
   */
  readonly maxOpenPieces?: number;
  /** Pieces beyond `maxOpenPieces` that may be open if they have a deadline; default 1, so that reading never waits. */
  readonly deadlineReserve?: number;
  /** Pieces picked at random before rarest first begins; default 4, as mainline since 2003-07 and libtorrent. */
  readonly randomFirstPieces?: number;
  /**
   * Peers that may be asked for one block at once, 1 to 254, in the end game or for a piece with a deadline; default 3.
   * Clients use from 2 to 20.
   */
  readonly endgameCopies?: number;
  /**
   * Milliseconds after which an unanswered block of a piece with a deadline is asked of one more peer; default 2000, the
   * depth at which libtorrent takes a peer's queue as too long for such a piece.
   */
  readonly urgentAfterMs?: number;
}

type Defaulted = 'maxOpenPieces' | 'deadlineReserve' | 'randomFirstPieces' | 'endgameCopies' | 'urgentAfterMs';

export const defaults: Required<Pick<PickerOptions, Defaulted>> = {
  maxOpenPieces: Number.POSITIVE_INFINITY,
  deadlineReserve: 1,
  randomFirstPieces: 4,
  endgameCopies: 3,
  urgentAfterMs: 2000,
};

/** The same options, whole. @throws RangeError when they contradict each other or a limit is out of range. */
export function checkedOptions(options: PickerOptions): Required<PickerOptions> {
  const checked = { ...defaults, held: new Bitfield(options.geometry.pieceCount), ...options };
  const { geometry, have, held, maxOpenPieces, deadlineReserve, randomFirstPieces, endgameCopies } = checked;
  for (const { length } of [have, held]) {
    if (length !== geometry.pieceCount)
      throw new RangeError(`a bitfield of ${length} for ${geometry.pieceCount} pieces`);
  }
  if (!(maxOpenPieces >= 1)) throw new RangeError(`a limit of ${maxOpenPieces} open pieces`);
  if (!(deadlineReserve >= 0)) throw new RangeError(`${deadlineReserve} open pieces kept for deadlines`);
  if (!(randomFirstPieces >= 0)) throw new RangeError(`${randomFirstPieces} random pieces first`);
  // Copies are counted in a byte whose highest value means received.
  if (!(endgameCopies >= 1 && endgameCopies <= 254)) throw new RangeError(`${endgameCopies} copies of a block`);
  if (!(checked.urgentAfterMs >= 0)) throw new RangeError(`late after ${checked.urgentAfterMs} ms`);
  return checked;
}
