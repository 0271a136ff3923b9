// A clock, hungry flows and a tree of limits around the pure throttle, and what a perfect one would have given each.
import { segmentBytes, type RateLimit } from '../src/rate-limit/limiter.ts';
import { Throttle, type Flow } from '../src/rate-limit/throttle.ts';

/** A flow that asks for `chunkBytes` again as soon as it has them, from `startMs` on. */
export interface Hungry {
  readonly limit: RateLimit;
  readonly chunkBytes: number;
  readonly startMs?: number;
  /** Not hungrier than this: it asks only when its chunk is due. */
  readonly bytesPerSecond?: number;
}

export class Swarm {
  readonly throttle: Throttle<Hungry> = new Throttle(() => {});
  readonly moved = new Map<Hungry, number>();
  readonly #flows = new Map<Hungry, Flow<Hungry>>();
  /** When each asks next; of those who wait, none. */
  readonly #asks = new Map<Hungry, number>();
  readonly #lateMs: () => number;
  readonly #onMoved: (limit: RateLimit, bytes: number, now: number) => void;
  now = 0;

  /** `lateMs` is how late each timer is. */
  constructor(
    lateMs: () => number = () => 0,
    onMoved: (limit: RateLimit, bytes: number, now: number) => void = () => {},
  ) {
    this.#lateMs = lateMs;
    this.#onMoved = onMoved;
  }

  get root(): RateLimit {
    return this.throttle.root;
  }

  add(hungry: Hungry): void {
    this.moved.set(hungry, 0);
    this.#flows.set(hungry, this.throttle.open(hungry.limit, hungry));
    this.#asks.set(hungry, Math.max(this.now, hungry.startMs ?? 0));
  }

  remove(hungry: Hungry): void {
    this.throttle.withdraw(this.#flows.get(hungry)!);
    this.#flows.delete(hungry);
    this.#asks.delete(hungry);
  }

  /** Bytes moved by all. */
  get total(): number {
    return [...this.moved.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  runUntil(end: number): void {
    for (;;) {
      const timer = this.throttle.deadline === Infinity ? Infinity : this.throttle.deadline + this.#lateMs();
      let next: Hungry | undefined;
      for (const [hungry, at] of this.#asks)
        if (at <= timer && (next === undefined || at < this.#asks.get(next)!)) next = hungry;
      const at = next === undefined ? timer : this.#asks.get(next)!;
      if (at > end) break;
      this.now = Math.max(this.now, at);
      if (next === undefined) this.#advance();
      else this.#ask(next);
    }
    this.now = end;
  }

  #advance(): void {
    for (const flow of this.throttle.advance(this.now)) {
      const bytes = flow.granted;
      flow.granted = 0;
      this.#move(flow.owner, bytes);
      if (flow.wanted === 0) this.#asks.set(flow.owner, this.#due(flow.owner));
    }
  }

  #ask(hungry: Hungry): void {
    const granted = this.throttle.request(this.#flows.get(hungry)!, hungry.chunkBytes, this.now);
    this.#asks.delete(hungry);
    this.#move(hungry, granted);
    if (granted === hungry.chunkBytes) this.#asks.set(hungry, this.#due(hungry));
  }

  #due(hungry: Hungry): number {
    if (hungry.bytesPerSecond === undefined) return this.now;
    const ahead = this.moved.get(hungry)! + hungry.chunkBytes;
    return Math.max(this.now, (hungry.startMs ?? 0) + (ahead / hungry.bytesPerSecond) * 1000);
  }

  #move(hungry: Hungry, bytes: number): void {
    if (bytes === 0) return;
    this.moved.set(hungry, this.moved.get(hungry)! + bytes);
    for (let node: RateLimit | undefined = hungry.limit; node !== undefined; node = node.parent)
      this.#onMoved(node, bytes, this.now);
  }
}

/** Says when a bucket moved more than its rate and what it may save allow, in any span of time. */
export class Auditor {
  readonly #levels = new Map<RateLimit, { level: number; at: number }>();
  /** The worst found: bytes above what was allowed, of any bucket. */
  excess = 0;

  moved(limit: RateLimit, bytes: number, now: number): void {
    const { level, at } = this.#levels.get(limit) ?? { level: 0, at: now };
    const rate = limit.bytesPerSecond;
    const after = Math.max(0, level - (rate * (now - at)) / 1000) + bytes;
    this.#levels.set(limit, { level: after, at: now });
    if (rate !== Infinity) this.excess = Math.max(this.excess, after - (segmentBytes + rate / 10));
  }
}

/** Max-min fair rates: everybody's grows alike until a limit on its path, or what it wants, holds it. */
export function fairRates(all: readonly Hungry[]): Map<Hungry, number> {
  const rates = new Map(all.map((hungry) => [hungry, 0]));
  const growing = new Set(all);
  const nodes = new Set(all.flatMap(({ limit }) => pathOf(limit)));
  while (growing.size > 0) {
    let step = Infinity;
    for (const hungry of growing) step = Math.min(step, (hungry.bytesPerSecond ?? Infinity) - rates.get(hungry)!);
    for (const node of nodes) {
      const below = all.filter(({ limit }) => pathOf(limit).includes(node));
      const count = below.filter((hungry) => growing.has(hungry)).length;
      const used = below.reduce((sum, hungry) => sum + rates.get(hungry)!, 0);
      if (count > 0) step = Math.min(step, (node.bytesPerSecond - used) / count);
    }
    if (step === Infinity) throw new Error('nothing limits these flows');
    for (const hungry of growing) rates.set(hungry, rates.get(hungry)! + step);
    for (const hungry of growing) {
      const isFull = pathOf(hungry.limit).some((node) => {
        const below = all.filter(({ limit }) => pathOf(limit).includes(node));
        return below.reduce((sum, other) => sum + rates.get(other)!, 0) >= node.bytesPerSecond * (1 - 1e-9);
      });
      if (isFull || rates.get(hungry)! >= (hungry.bytesPerSecond ?? Infinity) * (1 - 1e-9)) growing.delete(hungry);
    }
  }
  return rates;
}

function pathOf(limit: RateLimit): RateLimit[] {
  return limit.parent === undefined ? [limit] : [limit, ...pathOf(limit.parent)];
}
