// The choker: keeps the rotation and the rounds, and asks the strategy of the moment. It decides and never chokes: what
// is choked now it reads from the candidates. To avoid fibrillation, slots move only with a round or with an event that
// frees or claims one. Must not know of messages, pieces or sockets.

import { Rotation } from './optimistic.ts';
import { canUseSlot, type ChokeCandidate, type ChokeDecision } from './ranking.ts';
import { unchokeForLeeching } from './strategies/leecher.ts';
import { unchokeForSeeding } from './strategies/seed.ts';

export interface ChokerOptions {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Interested peers to serve at once, at least 1; default 4 (BEP 3, reference choking algorithm). */
  readonly slots?: number;
  /** Milliseconds between rounds; default 10 000, long enough for TCP to reach its rate (BEP 3). */
  readonly roundMs?: number;
  /** Rounds an optimistic unchoke lasts; default 3, so 30 s: time for a full cycle of exchange (BEP 3). */
  readonly optimisticRounds?: number;
  /** Optimistic unchokes at all times while downloading; default 1. */
  readonly minOptimistic?: number;
  /** Regular and optimistic unchokes together, at least; default 2, mainline 4.0's `min_uploads`. */
  readonly minUploads?: number;
}

export const defaults: Required<Omit<ChokerOptions, 'random'>> = {
  slots: 4,
  roundMs: 10_000,
  optimisticRounds: 3,
  minOptimistic: 1,
  minUploads: 2,
};

/** A round before all others. */
const never = Number.MIN_SAFE_INTEGER;

/** Decides for one torrent which peers to unchoke. */
export class Choker {
  readonly #options: Required<ChokerOptions>;
  readonly #rotation: Rotation;
  /** The round each joined peer was last unchoked in. */
  readonly #unchokedIn = new Map<number, number>();
  #slots: number;
  #round = 0;
  #deadline = Number.POSITIVE_INFINITY;
  /** Slots handed on by events since the last round while seeding: the next round hands on that many fewer. */
  #handedOn = 0;

  /** @throws RangeError when a number of slots, rounds or milliseconds is below 1. */
  constructor(options: ChokerOptions) {
    const checked = { ...defaults, ...options };
    for (const name of ['slots', 'roundMs', 'optimisticRounds', 'minOptimistic', 'minUploads'] as const) {
      if (!(checked[name] >= 1)) throw new RangeError(`${name} is ${checked[name]}, below 1`);
    }
    this.#options = checked;
    this.#slots = checked.slots;
    this.#rotation = new Rotation(checked.random);
  }

  /** When the next round is due, in monotonic milliseconds; never while there are no peers. */
  get deadline(): number {
    return this.#deadline;
  }

  /** Interested peers to serve at once; a change takes effect with the next decision. */
  get slots(): number {
    return this.#slots;
  }

  set slots(slots: number) {
    if (!(slots >= 1)) throw new RangeError(`slots is ${slots}, below 1`);
    this.#slots = slots;
  }

  /** The peer enters the rotation, three times as likely at the front as at any other place. */
  peerJoined(peer: number, now: number): void {
    if (this.#unchokedIn.has(peer)) throw new RangeError(`peer ${peer} has already joined`);
    if (this.#rotation.size === 0) this.#deadline = now + this.#options.roundMs;
    this.#unchokedIn.set(peer, never);
    this.#rotation.insert(peer);
  }

  /** A peer not known is ignored. */
  peerLeft(peer: number): void {
    this.#unchokedIn.delete(peer);
    this.#rotation.remove(peer);
    if (this.#rotation.size === 0) this.#deadline = Number.POSITIVE_INFINITY;
  }

  /**
   * Who is to be unchoked. Call it at `deadline`, and besides when an unchoked peer's interest changes, when an unchoked
   * and interested peer has left, and when a choked peer becomes interested while fewer than `slots` interested peers are
   * unchoked. Called before `deadline` it fills slots but does not advance the round. `seeding`: we have all we want.
   * Peers that joined and are not among the candidates are passed over.
   * @throws RangeError when a candidate has not joined.
   */
  decide(candidates: readonly ChokeCandidate[], seeding: boolean, now: number): ChokeDecision {
    const byPeer = new Map(candidates.map((candidate) => [candidate.peer, candidate]));
    for (const peer of byPeer.keys())
      if (!this.#unchokedIn.has(peer)) throw new RangeError(`peer ${peer} is not known`);
    const isRound = now >= this.#deadline;
    if (isRound) this.#nextRound(now);
    if (isRound && !seeding && this.#round % this.#options.optimisticRounds === 0) this.#chooseOptimistic(byPeer);
    const rotation = this.#rotation.peers().flatMap((peer) => byPeer.get(peer) ?? []);
    const decision = seeding ? this.#decideSeeding(rotation, isRound) : this.#decideLeeching(rotation);
    for (const peer of decision.unchoke) if (byPeer.get(peer)?.choked) this.#unchokedIn.set(peer, this.#round);
    return decision;
  }

  /** Rounds that were missed are not made up for. */
  #nextRound(now: number): void {
    this.#round++;
    const next = this.#deadline + this.#options.roundMs;
    this.#deadline = next > now ? next : now + this.#options.roundMs;
  }

  /** The peer in front is the optimistic unchoke; the first one waiting takes its place. */
  #chooseOptimistic(byPeer: ReadonlyMap<number, ChokeCandidate>): void {
    this.#rotation.turnTo((peer) => {
      const candidate = byPeer.get(peer);
      return candidate !== undefined && candidate.choked && canUseSlot(candidate);
    });
  }

  #decideLeeching(rotation: readonly ChokeCandidate[]): ChokeDecision {
    this.#handedOn = 0;
    const { minOptimistic, minUploads } = this.#options;
    return unchokeForLeeching(rotation, { slots: this.#slots, minOptimistic, minUploads });
  }

  #decideSeeding(rotation: readonly ChokeCandidate[], isRound: boolean): ChokeDecision {
    const { unchoke, optimistic, lastServed } = unchokeForSeeding(rotation, {
      slots: this.#slots,
      newUnchokes: isRound ? this.#newUnchokes() : 0,
      unchokedIn: (peer) => this.#unchokedIn.get(peer) ?? never,
      recentFrom: this.#round - this.#options.optimisticRounds + 1,
    });
    this.#handedOn = isRound ? 0 : this.#handedOn + optimistic.length;
    if (lastServed !== undefined) this.#rotation.turnPast(lastServed);
    return { unchoke, optimistic };
  }

  /** A third of the slots, rounded up, in every three rounds: with 4 slots 0, 1 and 1, so a turn lasts 60 s. */
  #newUnchokes(): number {
    const rounds = this.#options.optimisticRounds;
    const inPeriod = Math.floor((this.#slots + rounds - 1) / rounds);
    return Math.max(0, Math.floor((inPeriod + (this.#round % rounds)) / rounds) - this.#handedOn);
  }
}
