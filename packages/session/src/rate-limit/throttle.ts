// Who moves bytes next, in one direction, when a tree of rates cannot let everyone. Segments are granted in turn: who is
// short of its own or its torrent's rate is passed over and keeps its place, so what it cannot use goes to the others
// (max-min fairness between flows). Must not know sockets, timers or the clock.
import { RateLimit, segmentBytes } from './limiter.ts';

/**
 * At most one round of grants in this time: at 100 MB/s a megabyte each, at 500 flows a few thousand steps, and a tenth
 * of what a bucket saves, so that no rate is lost.
 */
const roundMs = 10;

/** One socket's direction. Only the throttle changes it. */
export interface Flow<Owner> {
  readonly owner: Owner;
  /** Its own bucket, below those of its torrent and the session. */
  readonly limit: RateLimit;
  /** Bytes it waits for. */
  wanted: number;
  /** Bytes it was granted in the last `advance` and has not moved. */
  granted: number;
  /** What is left of a turn begun: who used little of it stands in front, as messages between blocks should. */
  turn: number;
  /** While it waits: the bucket it waits for. */
  heldBy: RateLimit | undefined;
}

export class Throttle<Owner> {
  /** The session's bucket. */
  readonly root: RateLimit;
  /** Flows that wait, in the order of turns. */
  #line: Flow<Owner>[] = [];
  #deadline = Infinity;
  #advancedAt = -Infinity;
  #rounds = 0;

  /** `wake` says that `deadline` came nearer because a rate was changed. */
  constructor(wake: () => void) {
    this.root = new RateLimit();
    this.root.watch(() => {
      if (this.#line.length === 0) return;
      this.#deadline = Math.min(this.#deadline, this.#advancedAt + roundMs);
      wake();
    });
  }

  /** When `advance` is wanted; Infinity while nobody waits. */
  get deadline(): number {
    return this.#deadline;
  }

  /** Flows that wait. */
  get waiting(): number {
    return this.#line.length;
  }

  /** @throws TypeError when `limit` is of another tree. */
  open(limit: RateLimit, owner: Owner): Flow<Owner> {
    if (limit.root !== this.root) throw new TypeError('the rate limit is not below the root of this throttle');
    return { owner, limit, wanted: 0, granted: 0, turn: segmentBytes, heldBy: undefined };
  }

  /** Asks for `bytes` more. Returns how many of them may move now; `advance` grants the rest later. */
  request(flow: Flow<Owner>, bytes: number, now: number): number {
    if (flow.wanted > 0) {
      flow.wanted += bytes;
      return 0;
    }
    const granted = this.#atOnce(flow, bytes, now);
    if (granted < bytes) this.#join(flow, bytes - granted, now);
    return granted;
  }

  /** Asks for `bytes` more, none of them now, even if they are there. */
  queue(flow: Flow<Owner>, bytes: number, now: number): void {
    if (flow.wanted > 0) flow.wanted += bytes;
    else if (bytes > 0) this.#join(flow, bytes, now);
  }

  /** It no longer waits, and what it was granted is void. */
  withdraw(flow: Flow<Owner>): void {
    flow.granted = 0;
    if (flow.wanted === 0) return;
    flow.wanted = 0;
    this.#hold(flow, undefined);
    this.#line.splice(this.#line.indexOf(flow), 1);
    if (this.#line.length === 0) this.#deadline = Infinity;
  }

  /** Grants what is there to those who wait. Returns who got something: `granted` says how much. */
  advance(now: number): readonly Flow<Owner>[] {
    this.#advancedAt = now;
    const served: Flow<Owner>[] = [];
    while (this.#round(served, now));
    this.#deadline = Infinity;
    for (const flow of this.#line) this.#hold(flow, undefined);
    for (const flow of this.#line) this.#await(flow, false, now);
    return served;
  }

  /** Without waiting: unless somebody waits for a bucket of this flow already. */
  #atOnce(flow: Flow<Owner>, bytes: number, now: number): number {
    const least = Math.min(bytes, segmentBytes);
    for (const node of pathOf(flow)) if (node.held > 0 || node.available(now) < least) return 0;
    const granted = take(flow, bytes, now);
    flow.turn = Math.max(0, flow.turn - granted);
    return granted;
  }

  #join(flow: Flow<Owner>, bytes: number, now: number): void {
    flow.wanted = bytes;
    const inFront = flow.turn > 0;
    if (inFront) this.#line.unshift(flow);
    else this.#line.push(flow);
    this.#await(flow, inFront, now);
  }

  /** One turn for everyone whose buckets allow it; false when nobody's did. */
  #round(served: Flow<Owner>[], now: number): boolean {
    if (this.#line.length === 0 || this.root.available(now) < 1) return false;
    this.#rounds += 1;
    const passed: Flow<Owner>[] = [];
    const again: Flow<Owner>[] = [];
    const alone = this.#line.length === 1;
    for (const flow of this.#line) {
      if (this.#isPassed(flow, now)) {
        passed.push(flow);
        continue;
      }
      const bytes = take(flow, alone ? flow.wanted : leastOf(flow), now);
      if (flow.granted === 0) served.push(flow);
      flow.granted += bytes;
      flow.wanted -= bytes;
      flow.turn = Math.max(0, turnOf(flow) - bytes);
      if (flow.wanted > 0) again.push(flow);
      else this.#hold(flow, undefined);
    }
    const isProgress = passed.length < this.#line.length;
    for (const flow of again) passed.push(flow);
    this.#line = passed;
    return isProgress;
  }

  /** Short of a bucket, or behind somebody who is: small wishes would keep a bucket from ever holding a whole segment. */
  #isPassed(flow: Flow<Owner>, now: number): boolean {
    const least = leastOf(flow);
    for (const node of pathOf(flow)) {
      if (node.passedIn !== this.#rounds && node.available(now) >= least) continue;
      // The lowest such bucket alone: one above it must stay open to its other flows.
      node.passedIn = this.#rounds;
      return true;
    }
    return false;
  }

  /** Notes for which bucket it waits and, if nobody waits there before it, until when. */
  #await(flow: Flow<Owner>, inFront: boolean, now: number): void {
    const least = leastOf(flow);
    const path = pathOf(flow);
    const heldBy = path.find((node) => node.held > 0 || node.available(now) < least);
    const isNext = inFront || heldBy === undefined || heldBy.held === 0;
    this.#hold(flow, heldBy ?? flow.limit);
    if (!isNext) return;
    let readyAt = this.#advancedAt + roundMs;
    for (const node of path) readyAt = Math.max(readyAt, node.readyAt(least, now));
    this.#deadline = Math.min(this.#deadline, readyAt);
  }

  #hold(flow: Flow<Owner>, by: RateLimit | undefined): void {
    if (flow.heldBy !== undefined) flow.heldBy.held -= 1;
    if (by !== undefined) by.held += 1;
    flow.heldBy = by;
  }
}

function turnOf(flow: Flow<unknown>): number {
  return flow.turn === 0 ? segmentBytes : flow.turn;
}

/** What it must be able to move at once, no crumbs: the rest of its turn, or all it wants. */
function leastOf(flow: Flow<unknown>): number {
  return Math.min(flow.wanted, turnOf(flow));
}

/** The buckets with a limit, its own first. */
function pathOf(flow: Flow<unknown>): RateLimit[] {
  const path: RateLimit[] = [];
  for (let node: RateLimit | undefined = flow.limit; node !== undefined; node = node.parent)
    if (node.isFinite) path.push(node);
  return path;
}

/** Takes up to `bytes` from every bucket of the flow. */
function take(flow: Flow<unknown>, bytes: number, now: number): number {
  const path = pathOf(flow);
  let taken = bytes;
  for (const node of path) taken = Math.min(taken, node.available(now));
  for (const node of path) node.take(taken);
  return taken;
}
