// The fresh pieces in ascending order: for a download that is used from its start on. A cursor per priority moves past
// what is no longer fresh and back to what is again. Invariant: no fresh piece of a priority lies below its cursor.

import type { Bitfield } from '@shoal/pieces';
import type { Deadlines } from './deadlines.ts';
import { highestPriority } from './options.ts';
import type { PeerState } from './peers.ts';
import { ranks, type RarityOrder } from './rarity-order.ts';

export class Sequence {
  readonly #order: RarityOrder;
  readonly #priorities: Uint8Array;
  readonly #cursors: number[] = Array.from({ length: highestPriority + 1 }, () => 0);

  constructor(order: RarityOrder, priorities: Uint8Array) {
    this.#order = order;
    this.#priorities = priorities;
  }

  /** The piece has become fresh, or got another priority. */
  added(piece: number): void {
    const priority = this.#priorities[piece] as number;
    if (piece < (this.#cursors[priority] as number)) this.#cursors[priority] = piece;
  }

  /** Any pieces may have become fresh. */
  reset(): void {
    this.#cursors.fill(0);
  }

  /**
   * The lowest fresh piece of the highest priority that the peer has, -1 for none; pieces in `skip` are left out. O(1)
   * amortised for a seed, for others at most one pass through their bitfield per priority. The order must be settled.
   */
  lowest(peer: PeerState, skip: Deadlines | undefined): number {
    for (let rank = 0; rank < ranks; rank++) {
      if (this.#order.startOf(rank, 0) === this.#order.endOf(rank)) continue;
      const priority = ranks - rank;
      const from = this.#next(priority, this.#cursors[priority] as number, undefined, undefined);
      this.#cursors[priority] = from;
      const piece = this.#next(priority, from, peer.bits, skip);
      if (piece >= 0) return piece;
    }
    return -1;
  }

  /** The first fresh piece from `from` on that is of the priority, in `bits` if given, and not in `skip`. */
  #next(priority: number, from: number, bits: Bitfield | undefined, skip: Deadlines | undefined): number {
    const fresh = this.#order.members.bytes;
    for (let index = from >>> 3; index < fresh.length; index++) {
      let rest = (fresh[index] as number) & (bits === undefined ? 0xff : (bits.bytes[index] as number));
      if (index === from >>> 3) rest &= 0xff >>> (from & 7);
      while (rest !== 0) {
        const bit = Math.clz32(rest) - 24;
        const piece = index * 8 + bit;
        if (this.#priorities[piece] === priority && skip?.has(piece) !== true) return piece;
        rest &= ~(0x80 >> bit);
      }
    }
    return -1;
  }
}
