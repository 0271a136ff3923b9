// What an operator's settings mean, from what they are said to mean: lists are looked through, allowances are counted.
// BEP 3, 31; packages/tracker/README.md, "Policies".
import type { AnnounceRequest } from '@shoal/tracker-protocol';
import type { RefusalCode } from '@shoal/tracker';
import { hex } from '../model.ts';
import type { Source } from '../world.ts';
import type { Lists, Numbers, TextList } from './inputs.ts';

export interface ModelRefusal {
  readonly code: RefusalCode;
  /** Undefined where it is the usual one. */
  readonly interval?: number;
}

const day = 86_400;

export class PolicyModel {
  #lists: Lists = {};
  #numbers: Numbers = {};
  /** By network, when its allowance is whole again (ms). */
  readonly #wholeAt = new Map<string, number>();
  /** What clients were told, and until when they wait (ms). */
  #told: { readonly interval: number; readonly until: number }[] = [];

  replace(lists: Lists, numbers: Numbers): void {
    this.#lists = lists;
    this.#numbers = numbers;
  }

  refusal(request: AnnounceRequest, source: Source, now: number): ModelRefusal | undefined {
    if (request.event === 'stopped') return undefined;
    const { allowedAddresses, bannedAddresses, allowedClients, deniedClients } = this.#lists;
    if (bannedAddresses && isIn(bannedAddresses, source.canonical)) return { code: 'address-banned' };
    if (allowedAddresses && !isIn(allowedAddresses, source.canonical)) return { code: 'address-not-served' };
    if (request.port === 0) return { code: 'port-unreachable' };
    if (source.reach === 'unreachable') return { code: 'address-unreachable' };
    if (source.reach === 'private' && this.#numbers.privateAddresses === 'refused') return { code: 'address-private' };
    const id = hex(request.peerId);
    const begins = ({ entries }: TextList): boolean => entries.some(([beginning]) => id.startsWith(beginning));
    if ((deniedClients && begins(deniedClients)) || (allowedClients && !begins(allowedClients)))
      return { code: 'client-denied', interval: day };
    return this.#rateRefusal(request, source, now) ?? this.torrentRefusal(hex(request.infoHash));
  }

  torrentRefusal(infoHash: string): ModelRefusal | undefined {
    const { allowedTorrents, deniedTorrents } = this.#lists;
    const names = ({ entries }: TextList): boolean => entries.some(([digits]) => digits === infoHash);
    if (deniedTorrents && names(deniedTorrents)) return { code: 'torrent-denied', interval: day };
    return allowedTorrents && !names(allowedTorrents) ? { code: 'torrent-not-served' } : undefined;
  }

  listing({ reach }: Source): 'public' | 'private' {
    // Who is nowhere to be reached is never listed, and counts among the private.
    return this.#numbers.privateAddresses === 'apart' && reach !== 'fine' ? 'private' : 'public';
  }

  wanted(numWant: number | undefined): number {
    const { numWantDefault = 50, numWantLimit = 200 } = this.#numbers;
    return Math.min(numWant === undefined || numWant < 0 ? numWantDefault : numWant, numWantLimit);
  }

  get minInterval(): number {
    return this.#numbers.minInterval ?? Math.min(60, this.#numbers.interval ?? 1800);
  }

  /** The shortest and the longest that a client may be told, in seconds. */
  get intervals(): readonly [number, number] {
    const { interval = 1800, jitter = 0.1, targetAnnouncesPerSecond, maxInterval } = this.#numbers;
    const least = Math.max(1, Math.floor(interval * (1 - jitter)));
    const most = Math.round(interval * (1 + jitter));
    if (targetAnnouncesPerSecond === undefined) return [least, most];
    return [least, Math.max(most, maxInterval ?? Math.min(2 * interval, day))];
  }

  /** Notes what a client was told; the longest that anybody waits for now. */
  told(interval: number, now: number): number {
    this.#told = this.#told.filter(({ until }) => until > now);
    this.#told.push({ interval, until: now + interval * 1000 });
    if (this.#told.length > mostWaiting) this.#told.shift();
    return Math.max(...this.#told.map((one) => one.interval));
  }

  /** An allowance of `burst` announces that refills steadily; a completed download may be on credit, once over. */
  #rateRefusal({ event }: AnnounceRequest, { canonical }: Source, now: number): ModelRefusal | undefined {
    const { announceRate } = this.#numbers;
    if (announceRate === undefined) return undefined;
    // A subscriber has 64 bits of IPv6.
    const network = canonical.length === 8 ? canonical : canonical.slice(0, 16);
    const eachMs = 60_000 / announceRate.perMinute;
    const wholeAt = Math.max(this.#wholeAt.get(network) ?? 0, now) + eachMs;
    const credit = announceRate.burst * (event === 'completed' ? 2 : 1);
    const waitMs = wholeAt - now - credit * eachMs;
    if (waitMs > 0) return { code: 'too-often', interval: Math.max(60, Math.ceil(waitMs / 1000)) };
    this.#wholeAt.set(network, wholeAt);
    return undefined;
  }
}

/** Enough to notice who is forgotten, few enough to look through. */
const mostWaiting = 200;

function isIn({ entries }: TextList, address: string): boolean {
  // Digits of one length are in order as the numbers are.
  return entries.some(
    ([first, last = first]) => first.length === address.length && first <= address && address <= last,
  );
}
