// What each piece is to us. It is in exactly one state: had · held (waits for its check) · unwanted · fresh (may be
// started) · open. Every change of state goes through here, so that the sets, the orders of fresh pieces, the peers'
// counters and the deadlines always agree; unwanted pieces may be held, and open while they wait for their check only.

import { Bitfield, type Geometry } from '@shoal/pieces';
import { Deadlines } from './deadlines.ts';
import type { Downloads } from './downloads.ts';
import { highestPriority, type PiecePriority } from './options.ts';
import { commonCount, eachPiece, type Peers } from './peers.ts';
import type { Requests } from './requests.ts';

interface Parts {
  readonly peers: Peers;
  readonly downloads: Downloads;
  readonly requests: Requests;
  readonly priorities: Uint8Array;
}

export class PieceStates {
  readonly have: Bitfield;
  readonly held: Bitfield;
  readonly deadlines: Deadlines = new Deadlines();
  /** Pieces that failed with several contributors: next time one peer alone is asked for all of it. */
  readonly parole: Set<number> = new Set();
  readonly #peers: Peers;
  readonly #downloads: Downloads;
  readonly #requests: Requests;
  readonly #priorities: Uint8Array;
  /** Held pieces that are wanted. */
  #heldAndNeeded = 0;

  constructor(geometry: Geometry, have: Bitfield, held: Bitfield, parts: Parts) {
    this.have = have.clone();
    this.held = new Bitfield(geometry.pieceCount);
    this.#peers = parts.peers;
    this.#downloads = parts.downloads;
    this.#requests = parts.requests;
    this.#priorities = parts.priorities;
    this.hold(held);
  }

  /** Some wanted piece waits for its check, and may have to be downloaded when it is over. */
  get awaitsChecks(): boolean {
    return this.#heldAndNeeded > 0;
  }

  /** We want the piece and do not have it. */
  lacks(piece: number): boolean {
    return this.#peers.needed.has(piece);
  }

  priorityOf(piece: number): PiecePriority {
    return this.#priorities[piece] as number;
  }

  /** The piece is good: we have it. */
  verified(piece: number): void {
    if (this.have.has(piece)) return;
    const open = this.#downloads.of(piece);
    if (open !== undefined) this.#requests.close(open);
    else if (this.#peers.order.has(piece)) this.#peers.removeFresh(piece);
    this.#release(piece);
    this.have.add(piece);
    this.#peers.removeNeeded(piece);
    this.parole.delete(piece);
    this.deadlines.clear(piece);
  }

  /** A piece we had, or that was held, is not there. */
  lost(piece: number): void {
    if (!this.have.remove(piece)) return this.unhold(piece);
    if (this.#priorities[piece] === 0) return;
    this.#peers.addNeeded(piece);
    this.#peers.addFresh(piece);
  }

  unhold(piece: number): void {
    if (this.#release(piece) && this.lacks(piece)) this.#peers.addFresh(piece);
  }

  /** None of these is had or open any more. O(pieces). */
  hold(pieces: Bitfield): void {
    for (const open of this.#downloads.all()) if (pieces.has(open.piece)) this.#requests.abandon(open);
    eachPiece(pieces, (piece) => {
      this.have.remove(piece);
      this.held.add(piece);
    });
    this.#recount();
  }

  setPriority(piece: number, priority: PiecePriority): void {
    const before = this.#priorities[piece] as number;
    if (priority === before) return;
    if (priority > 0 && before > 0) return this.#peers.reprioritize(piece, priority);
    if (priority === 0) {
      if (this.#peers.order.has(piece)) this.#peers.removeFresh(piece);
      this.#giveUp(piece);
      if (this.held.has(piece)) this.#heldAndNeeded--;
      this.#peers.removeNeeded(piece);
      this.#priorities[piece] = 0;
      return;
    }
    this.#priorities[piece] = priority;
    if (this.have.has(piece)) return;
    this.#peers.addNeeded(piece);
    if (this.held.has(piece)) this.#heldAndNeeded++;
    else if (this.#downloads.of(piece) === undefined) this.#peers.addFresh(piece);
  }

  /** O(pieces), with the sorting put off to the next pick. @throws RangeError, with nothing changed. */
  setPriorities(priorities: Uint8Array): void {
    const own = this.#priorities;
    if (priorities.length !== own.length)
      throw new RangeError(`${priorities.length} priorities for ${own.length} pieces`);
    let changed = false;
    for (let piece = 0; piece < own.length; piece++) {
      requirePriority(priorities[piece] as number);
      changed ||= priorities[piece] !== own[piece];
    }
    if (!changed) return;
    own.set(priorities);
    for (const { piece } of this.#downloads.all()) if (own[piece] === 0) this.#giveUp(piece);
    this.#recount();
  }

  /** What is started of an unwanted piece is of no use, unless all of it is here: then it is checked. */
  #giveUp(piece: number): void {
    const open = this.#downloads.of(piece);
    if (open !== undefined && open.receivedCount < open.blockCount) this.#requests.abandon(open);
  }

  /** The piece does not wait for its check any more; whether it did. */
  #release(piece: number): boolean {
    if (!this.held.has(piece)) return false;
    this.held.remove(piece);
    if (this.lacks(piece)) this.#heldAndNeeded--;
    return true;
  }

  /** Derives what is needed and fresh anew, a byte of pieces at a time. */
  #recount(): void {
    const [have, held, priorities] = [this.have.bytes, this.held.bytes, this.#priorities];
    const needed = new Uint8Array(have.length);
    for (let piece = 0; piece < priorities.length; piece++) {
      if (priorities[piece] !== 0) needed[piece >>> 3] = (needed[piece >>> 3] as number) | (0x80 >> (piece & 7));
    }
    const fresh = new Uint8Array(have.length);
    for (let index = 0; index < have.length; index++) {
      needed[index] = (needed[index] as number) & ~(have[index] as number);
      fresh[index] = (needed[index] as number) & ~(held[index] as number);
    }
    const length = priorities.length;
    const start = new Bitfield(length, fresh);
    for (const { piece } of this.#downloads.all()) start.remove(piece);
    this.#peers.recount(new Bitfield(length, needed), start);
    this.#heldAndNeeded = commonCount(this.held, this.#peers.needed);
  }
}

/** @throws RangeError when it is no whole number from 0 to 7. */
export function requirePriority(priority: number): void {
  if (priority >>> 0 !== priority || priority > highestPriority) throw new RangeError(`no priority ${priority}`);
}
