// When a client shall come back: the usual interval with jitter, or later where so many are expected already that they
// would be more than the tracker is meant to answer. Every answer is an appointment in a calendar of seconds: intervals
// grow by themselves until the announces of a second are as many as are wanted, without waves, and shrink with the load.
import { within } from './range.ts';

/** Seconds, unless said otherwise. */
export interface IntervalSettings {
  /** Between regular announces, 1 to 86,400. Default 1800 (opentracker, and the usual answer of BEP 3 trackers). */
  readonly interval?: number;
  /** Share by which an interval may be shorter or longer, 0 to 0.5. Default 0.1: opentracker's 1620 to 1980 s. */
  readonly jitter?: number;
  /** Longest interval under load, up to 86,400. Default: two intervals. */
  readonly maxInterval?: number;
  /** Announces a second, from 1, above which intervals grow. Default: they never do. */
  readonly targetAnnouncesPerSecond?: number;
}

export const intervalDefaults = { interval: 1800, jitter: 0.1 } as const;

/** A day: nobody waits longer for a torrent. */
const longestInterval = 86_400;

/** Makes the appointments. */
export class AnnounceInterval {
  readonly #random: () => number;
  #settings: Settled;
  /** Appointments by second, a ring; empty without a target. */
  #calendar = new Uint32Array(0);
  /** The second that was looked at last; those before it are over. */
  #second = 0;
  /** From the earliest that is given out up to here every second is full. */
  #fullUntil = -1;
  #spell: Spell;

  /** @throws RangeError for settings out of range */
  constructor(random: () => number, settings: IntervalSettings = {}) {
    this.#random = random;
    this.#settings = settled(settings);
    this.#spell = { longest: this.#settings.latest, before: 0, until: 0 };
    this.#plan(new Uint32Array(0));
  }

  /** Goes by other settings from now on; appointments already made are kept. @throws RangeError */
  replace(settings: IntervalSettings): void {
    this.#settings = settled(settings);
    this.#plan(this.#calendar);
  }

  /** Seconds until a client that asks at `now` (ms) shall ask again. */
  next(now: number): number {
    const { earliest, usual, jitter, perSecond } = this.#settings;
    const drawn = Math.max(1, Math.round(usual * (1 + jitter * (2 * this.#random() - 1))));
    const told = perSecond === undefined ? drawn : this.#appoint(Math.max(earliest, drawn), now);
    this.#remember(told, now);
    return told;
  }

  /** The longest interval, in seconds, that somebody who was told one may still be waiting for. */
  get longest(): number {
    return Math.max(this.#spell.longest, this.#spell.before);
  }

  /** The wish if its second has room, else the first second that has, else about the longest there is. */
  #appoint(wish: number, now: number): number {
    const { earliest, latest, perSecond = 0 } = this.#settings;
    const calendar = this.#calendar;
    this.#pass(Math.floor(now / 1000));
    const second = this.#second;
    if (this.#fullUntil < second + earliest - 1) this.#fullUntil = second + earliest - 1;
    while (this.#fullUntil < second + latest && calendar[(this.#fullUntil + 1) % calendar.length]! >= perSecond) {
      this.#fullUntil++;
    }
    let told = wish;
    if (calendar[(second + wish) % calendar.length]! >= perSecond) told = this.#fullUntil + 1 - second;
    if (told > latest) told = this.#overbook(second);
    calendar[(second + told) % calendar.length]!++;
    return told;
  }

  /** Of two late seconds by chance the one with fewer appointments, so that crowds wear off. */
  #overbook(second: number): number {
    const calendar = this.#calendar;
    const [one, other] = [this.#late(), this.#late()];
    const isLess = calendar[(second + one) % calendar.length]! <= calendar[(second + other) % calendar.length]!;
    return isLess ? one : other;
  }

  #late(): number {
    const { latest, jitter } = this.#settings;
    return Math.round(latest * (1 - jitter * this.#random()));
  }

  /** Forgets the seconds that are over. */
  #pass(second: number): void {
    const { length } = this.#calendar;
    const over = Math.min(second - this.#second, length);
    for (let at = 0; at < over; at++) this.#calendar[(this.#second + at) % length] = 0;
    this.#second = Math.max(second, this.#second);
  }

  /** A calendar for the present settings, with the appointments of the one before. */
  #plan(before: Uint32Array): void {
    const { latest, perSecond } = this.#settings;
    this.#calendar = new Uint32Array(perSecond === undefined ? 0 : latest + 1);
    this.#fullUntil = -1;
    const kept = Math.min(before.length, this.#calendar.length);
    for (let ahead = 0; ahead < kept; ahead++) {
      const second = this.#second + ahead;
      this.#calendar[second % this.#calendar.length] = before[second % before.length]!;
    }
  }

  /** Whoever was told something in one spell has come by, or is late, when the next spell is over. */
  #remember(told: number, now: number): void {
    if (now >= this.#spell.until) {
      const before = this.#spell.longest;
      this.#spell = { longest: told, before, until: now + Math.max(before, told) * 1000 };
    } else if (told > this.#spell.longest) this.#spell.longest = told;
  }
}

interface Spell {
  longest: number;
  readonly before: number;
  readonly until: number;
}

/** In whole seconds and appointments. */
interface Settled {
  readonly usual: number;
  readonly jitter: number;
  readonly earliest: number;
  readonly latest: number;
  readonly perSecond: number | undefined;
}

function settled(settings: IntervalSettings): Settled {
  const { interval, jitter } = { ...intervalDefaults, ...settings };
  within('interval', interval, 1, longestInterval);
  within('jitter', jitter, 0, 0.5);
  const target = settings.targetAnnouncesPerSecond;
  const perSecond =
    target === undefined ? undefined : Math.floor(within('targetAnnouncesPerSecond', target, 1, 1_000_000_000));
  const usualLatest = Math.round(interval * (1 + jitter));
  const max = settings.maxInterval ?? Math.min(2 * interval, longestInterval);
  within('maxInterval', max, interval, longestInterval);
  const latest = perSecond === undefined ? usualLatest : Math.max(Math.floor(max), usualLatest);
  return { usual: interval, jitter, earliest: Math.max(1, Math.floor(interval * (1 - jitter))), latest, perSecond };
}
