// What is known of a peer when slots are given out, and the orders a strategy may put peers in.
// All sorts are stable: peers that rank the same stay in the order of the rotation.

/** One connected peer, as the torrent sees it at the moment of the decision. */
export interface ChokeCandidate {
  /** The key it joined under. */
  readonly peer: number;
  /** It wants something from us. */
  readonly interested: boolean;
  /** It has sent no block for a while though we asked: 30 s in mainline since 2003, 60 s before. */
  readonly snubbed: boolean;
  /** We choke it now. */
  readonly choked: boolean;
  /** Bytes per second from it. */
  readonly downloadRate: number;
  /** Bytes per second to it. */
  readonly uploadRate: number;
  /** It has every piece: it is never unchoked, whatever it says. */
  readonly isSeed: boolean;
  /** It has requests queued and its socket is drained: it is held up only by us; default false. */
  readonly hasQueue?: boolean;
  /** Its socket takes more bytes at once; default true. A clogged one is no place for a new unchoke while seeding. */
  readonly isDrained?: boolean;
}

/** Who is to be unchoked; everybody else is to be choked. */
export interface ChokeDecision {
  readonly unchoke: ReadonlySet<number>;
  /** Of those, the interested ones that did not earn it: optimistic while downloading, newly served while seeding. */
  readonly optimistic: readonly number[];
}

/** Whether a slot can be of use to it. */
export function canUseSlot(candidate: ChokeCandidate): boolean {
  return candidate.interested && !candidate.isSeed;
}

/** Fastest givers first. */
export function byDownloadRate(candidates: readonly ChokeCandidate[]): ChokeCandidate[] {
  return candidates.toSorted((a, b) => b.downloadRate - a.downloadRate);
}

/**
 * Those whose turn has just begun or who wait only for us, latest unchoke first and then fastest; after them the rest,
 * fastest takers first. `unchokedIn` tells the round a peer was unchoked in.
 */
export function byTurn(
  candidates: readonly ChokeCandidate[],
  unchokedIn: (peer: number) => number,
  recentFrom: number,
): ChokeCandidate[] {
  const turn = (candidate: ChokeCandidate): number => {
    const round = unchokedIn(candidate.peer);
    return round >= recentFrom || candidate.hasQueue === true ? round : Number.NEGATIVE_INFINITY;
  };
  return candidates.toSorted((a, b) => compare(turn(b), turn(a)) || b.uploadRate - a.uploadRate);
}

/** Two infinities have no difference, so no subtraction. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
