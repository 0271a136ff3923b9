// Finds out who can be connected to: looks at announcers one by one, so many at once and no more, remembers what it
// found, and never looks anywhere but at the very address that announced. What follows from it is decided in
// checked-service.ts. Founding notes: "the tracker tries to connect back to the downloader".
import { AnnounceRates } from '@shoal/tracker';
import { formatIp, ipScope, parseIp } from '@shoal/tracker-protocol';
import { type ProbeResult, type Target, probe } from './probe.ts';
import { type Verdict, Verdicts } from './verdicts.ts';

/** `warn`: who cannot be reached is told so. `require`: and is not listed, and gets no peers. */
export type NatCheckMode = 'off' | 'warn' | 'require';

export interface NatCheckOptions {
  /** Default `off`, as in the founding notes: it is for downloads whose people can mostly be reached. */
  readonly mode?: NatCheckMode;
  /** Uniform in [0, 1): keys a table. Default `Math.random`. */
  readonly random?: () => number;
  /** Monotonic milliseconds. Default `performance.now`. */
  readonly clock?: () => number;
  /** How long one look may take, in ms. Default 3000: time for a lost first packet to be sent again. */
  readonly timeoutMs?: number;
  /** Looks at once. Default 100. */
  readonly concurrency?: number;
  /** Announcers that wait for a look. Default 1000; further ones are not looked at for now. */
  readonly queueLength?: number;
  /** Announcers that are remembered, about 200 bytes each. Default 100,000. */
  readonly remembered?: number;
  /**
   * Look at private and loopback addresses too. Default false: they count as reachable. Behind a proxy that is not
   * trusted every announcer seems to have such an address, and would have us connect to our own services.
   */
  readonly localAddresses?: boolean;
}

/** What was found since the start. */
export interface NatCheckCounts {
  readonly reachable: number;
  readonly unreachable: number;
  /** Looks that our own machine could not take. */
  readonly failed: number;
  /** Looks that were not taken because too many waited, or one address asked for too many. */
  readonly skipped: number;
  /** Looks that are going on or waiting. */
  readonly pending: number;
  readonly remembered: number;
}

const defaults = {
  timeoutMs: 3000,
  concurrency: 100,
  queueLength: 1000,
  remembered: 100_000,
  localAddresses: false,
} satisfies NatCheckOptions;

/** Looks for one address: a client that changes its port has more than enough, and nobody can use us to knock everywhere. */
const looksPerAddress = { perMinute: 10, burst: 20 };

/** Announces that may wait for looks: all together, 5 MB, and for one of them, that nobody takes all the places. */
const mostWaiting = 10_000;
const mostWaitingForOne = 1000;

interface Waiting {
  readonly infoHash: Uint8Array;
  readonly done: (result: ProbeResult) => void;
}

interface Look {
  readonly target: Target;
  readonly waiting: Waiting[];
}

/** Looks at announcers. Disposing ends all looks; who waited hears that they failed. */
export class NatChecker implements Disposable {
  /** May be changed at any time. */
  mode: NatCheckMode;
  readonly #options: Required<Pick<NatCheckOptions, keyof typeof defaults>>;
  readonly #clock: () => number;
  readonly #verdicts: Verdicts;
  readonly #rates: AnnounceRates;
  /** By endpoint: looks that are waiting, in order, and those that go on. */
  readonly #queue = new Map<string, Look>();
  readonly #running = new Map<string, Look & { readonly abort: () => void }>();
  #waiting = 0;
  readonly #counts = { reachable: 0, unreachable: 0, failed: 0, skipped: 0 };
  #isDisposed = false;

  constructor(options: NatCheckOptions = {}) {
    this.mode = options.mode ?? 'off';
    this.#options = { ...defaults, ...options };
    this.#clock = options.clock ?? ((): number => performance.now());
    this.#verdicts = new Verdicts(this.#options.remembered);
    this.#rates = new AnnounceRates(options.random ?? Math.random, 16_384);
  }

  get counts(): NatCheckCounts {
    const pending = this.#queue.size + this.#running.size;
    return { ...this.#counts, pending, remembered: this.#verdicts.size };
  }

  /** Whether an address (4 or 16 bytes, canonical) is looked at at all. */
  concerns(address: Uint8Array): boolean {
    if (this.mode === 'off') return false;
    const scope = ipScope(address);
    if (scope === 'public') return true;
    return this.#options.localAddresses && (scope === 'private' || scope === 'loopback' || scope === 'link-local');
  }

  /** What is known of an announcer of a torrent. */
  verdict(address: Uint8Array, port: number, infoHash: Uint8Array, now: number): Verdict {
    return this.#verdicts.of(nameOf(formatIp(address), port), infoHash, now);
  }

  /**
   * Looks at an announcer, whose address must be proven to be its own, and calls back later, once. False when it cannot
   * look now; then it does not call back. Several torrents of one announcer share a look.
   */
  look(
    address: Uint8Array,
    port: number,
    infoHash: Uint8Array,
    now: number,
    done?: (result: ProbeResult) => void,
  ): boolean {
    const ip = formatIp(address);
    const name = nameOf(ip, port);
    const target = { ip, port, infoHash: new Uint8Array(infoHash) };
    const pending = this.#running.get(name) ?? this.#queue.get(name);
    const hasPlace = done === undefined || this.#waiting < mostWaiting;
    const isPossible =
      pending === undefined
        ? hasPlace && this.#queue.size < this.#options.queueLength && this.#mayLook(address, now)
        : hasPlace && pending.waiting.length < mostWaitingForOne;
    if (this.#isDisposed || !isPossible) {
      this.#counts.skipped++;
      return false;
    }
    const waiting = done === undefined ? [] : [{ infoHash: target.infoHash, done }];
    this.#waiting += waiting.length;
    if (pending === undefined) this.#queue.set(name, { target, waiting });
    else pending.waiting.push(...waiting);
    this.#proceed();
    return true;
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    const looks = [...this.#running.values(), ...this.#queue.values()];
    for (const { abort } of this.#running.values()) abort();
    this.#running.clear();
    this.#queue.clear();
    for (const { waiting } of looks) this.#tell(waiting, 'failed');
  }

  #mayLook(address: Uint8Array, now: number): boolean {
    return this.#rates.take(address, looksPerAddress, 0, now) === 0;
  }

  #proceed(): void {
    for (const [name, look] of this.#queue) {
      if (this.#running.size >= this.#options.concurrency) return;
      this.#queue.delete(name);
      const abort = probe(look.target, this.#options.timeoutMs, (result) => this.#conclude(name, look, result));
      this.#running.set(name, { ...look, abort });
    }
  }

  #conclude(name: string, { target, waiting }: Look, result: ProbeResult): void {
    this.#running.delete(name);
    this.#verdicts.judge(name, target.infoHash, result, this.#clock());
    if (result === 'reachable' || result === 'failed') this.#counts[result]++;
    else this.#counts.unreachable++;
    // No answer for one torrent says nothing about the others.
    const isTold = ({ infoHash }: Waiting): boolean => result !== 'no-handshake' || isSame(infoHash, target.infoHash);
    const others = waiting.filter((one) => !isTold(one));
    this.#tell(waiting.filter(isTold), result);
    if (others.length > 0) this.#lookAgain(name, target, others);
    this.#proceed();
  }

  /** A look for those who waited for one at another torrent. */
  #lookAgain(name: string, { ip, port }: Target, waiting: Waiting[]): void {
    const address = parseIp(ip);
    const isPending = this.#queue.has(name) || this.#running.has(name);
    if (address === undefined || isPending || this.#isDisposed || !this.#mayLook(address, this.#clock())) {
      this.#counts.skipped++;
      this.#tell(waiting, 'no-handshake');
      return;
    }
    this.#queue.set(name, { target: { ip, port, infoHash: waiting[0]!.infoHash }, waiting });
  }

  #tell(waiting: readonly Waiting[], result: ProbeResult): void {
    this.#waiting -= waiting.length;
    for (const { done } of waiting) done(result);
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.every((byte, at) => byte === other[at]);
}

function nameOf(ip: string, port: number): string {
  return `${ip} ${port}`;
}
