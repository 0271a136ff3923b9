// What an operator decides and changes while announces come: lists as text, as people write them, and numbers, now and
// then out of range; and the announces that are judged by them.
import type { AnnounceEvent } from '@shoal/tracker-protocol';
import type { PolicySettings } from '@shoal/tracker';
import type { Dice } from '../random.ts';
import { hex } from '../model.ts';
import { infoHashes, peerIds, ports, sources } from '../world.ts';

/** Numbers of the settings, and what becomes of private addresses. */
export type Numbers = Omit<
  PolicySettings,
  'allowedTorrents' | 'deniedTorrents' | 'allowedClients' | 'deniedClients' | 'allowedAddresses' | 'bannedAddresses'
>;

/** A list as a file has it, and what its entries are, in hex. */
export interface TextList {
  readonly text: string;
  /** A torrent, the beginning of a peer id, or the first and the last address of a range. */
  readonly entries: readonly (readonly [string, string?])[];
  /** The line that is no entry; undefined for a list in which all are. */
  readonly badLine: number | undefined;
}

export interface Lists {
  readonly allowedTorrents?: TextList;
  readonly deniedTorrents?: TextList;
  readonly allowedClients?: TextList;
  readonly deniedClients?: TextList;
  readonly allowedAddresses?: TextList;
  readonly bannedAddresses?: TextList;
}

export type PolicyInput =
  | {
      readonly type: 'announce';
      readonly at: number;
      /** Indexes in the lists of the world. */
      readonly from: number;
      readonly torrent: number;
      readonly id: number;
      readonly port: number;
      readonly event: AnnounceEvent;
      readonly numWant: number | undefined;
    }
  | { readonly type: 'replace'; readonly at: number; readonly lists: Lists; readonly numbers: Numbers };

const events: readonly AnnounceEvent[] = ['none', 'none', 'started', 'completed', 'stopped', 'paused'];

export function policyInputs(_settings: unknown, dice: Dice): () => PolicyInput {
  let now = dice.below(10_000);
  return () => {
    now += dice.chance(0.01) ? dice.pick([60_000, 600_000, 4_000_000]) : dice.pick([0, 0, 1, 20, 500, 3000]);
    if (dice.chance(0.02)) return { type: 'replace', at: now, lists: someLists(dice), numbers: someNumbers(dice) };
    return {
      type: 'announce',
      at: now,
      from: dice.below(sources.length),
      torrent: dice.below(infoHashes.length),
      id: dice.below(peerIds.length),
      port: dice.chance(0.05) ? 0 : dice.pick(ports),
      event: dice.pick(events),
      numWant: dice.chance(0.3) ? undefined : dice.pick([-1, -5, 0, 1, 50, 999, 4_294_967_295]),
    };
  };
}

function someNumbers(dice: Dice): Numbers {
  const interval = dice.pick([1, 7, 60, 1800, 86_400]);
  const numbers: Numbers = {
    interval,
    ...(dice.chance(0.5) && { jitter: dice.pick([0, 0.1, 0.5]) }),
    ...(dice.chance(0.4) && { targetAnnouncesPerSecond: dice.pick([1, 2.5, 1000]) }),
    ...(dice.chance(0.4) && { maxInterval: dice.pick([interval, 86_400]) }),
    ...(dice.chance(0.4) && { minInterval: dice.below(interval + 1) }),
    ...(dice.chance(0.5) && { numWantDefault: dice.pick([0, 3, 1000]) }),
    ...(dice.chance(0.5) && { numWantLimit: dice.pick([0, 2, 1000]) }),
    ...(dice.chance(0.7) && { privateAddresses: dice.pick(['listed', 'apart', 'refused']) }),
    // A minute and its parts divide into whole milliseconds.
    ...(dice.chance(0.5) && { announceRate: { perMinute: dice.pick([1, 6, 60, 6000]), burst: dice.pick([1, 2, 30]) } }),
  };
  return dice.chance(0.85) ? numbers : { ...numbers, ...dice.pick(wrong) };
}

/** Each of them alone makes settings that must not come into force. */
const wrong: readonly Numbers[] = [
  { interval: 0 },
  { interval: 86_401 },
  { interval: Number.NaN },
  { jitter: 0.51 },
  { jitter: -0.1 },
  { targetAnnouncesPerSecond: 0 },
  { maxInterval: 86_401 },
  { interval: 100, maxInterval: 99 },
  { minInterval: -1 },
  { interval: 100, minInterval: 101 },
  { numWantDefault: 1001 },
  { numWantLimit: -1 },
  { announceRate: { perMinute: 0, burst: 1 } },
  { announceRate: { perMinute: 1, burst: 0.5 } },
];

export function isWrong(numbers: Numbers): boolean {
  return wrong.some((one) =>
    Object.entries(one).every(([name, value]) => isSame(numbers[name as keyof Numbers], value)),
  );
}

function isSame(one: unknown, other: unknown): boolean {
  // What was written down and read again has null for what is no number.
  return JSON.stringify(one) === JSON.stringify(other);
}

function someLists(dice: Dice): Lists {
  return {
    ...(dice.chance(0.2) && { allowedTorrents: listOf(dice, torrentEntry) }),
    ...(dice.chance(0.4) && { deniedTorrents: listOf(dice, torrentEntry) }),
    ...(dice.chance(0.2) && { allowedClients: listOf(dice, clientEntry) }),
    ...(dice.chance(0.4) && { deniedClients: listOf(dice, clientEntry) }),
    ...(dice.chance(0.2) && { allowedAddresses: listOf(dice, addressEntry) }),
    ...(dice.chance(0.4) && { bannedAddresses: listOf(dice, addressEntry) }),
  };
}

interface Entry {
  readonly text: string;
  readonly means: readonly [string, string?];
}

/** Entries, some of them twice, between comments and blank lines, with line ends of all systems. */
function listOf(dice: Dice, entry: (dice: Dice) => Entry): TextList {
  const entries: (readonly [string, string?])[] = [];
  const lines: string[] = [];
  let badLine: number | undefined;
  for (let count = dice.below(8); count > 0; count--) {
    while (dice.chance(0.2)) lines.push(dice.pick(['', '   ', '# nobody', '\t#', '#11.1.2.3']));
    if (dice.chance(0.01)) {
      badLine ??= lines.length + 1;
      lines.push(dice.pick(['?\u00e4', 'x y', '0'.repeat(39), '%zz']));
      continue;
    }
    const { text, means } = entry(dice);
    entries.push(means);
    lines.push(`${dice.pick(['', ' ', '\t'])}${text}${dice.pick(['', '', ' ', '  # why', '\t#'])}`);
  }
  const text = (dice.chance(0.1) ? '\u00ef\u00bb\u00bf' : '') + lines.join(dice.pick(['\n', '\r\n', '\r']));
  return { text: text + dice.pick(['', '\n']), entries, badLine };
}

function torrentEntry(dice: Dice): Entry {
  const digits = hex(dice.chance(0.9) ? dice.pick(infoHashes) : dice.bytes(20));
  return { text: dice.chance(0.5) ? digits : digits.toUpperCase(), means: [digits] };
}

/** The beginning of one that is there, or something like it. */
function clientEntry(dice: Dice): Entry {
  const beginning = dice.pick(peerIds).slice(0, dice.pick([1, 1, 2, 3, 8, 19, 20]));
  if (dice.chance(0.3)) beginning[beginning.length - 1]! += dice.pick([1, 255]);
  const text = Array.from(beginning, (byte) => {
    const isPlain = byte > 0x24 && byte < 0x7f && byte !== 0x25;
    return isPlain && dice.chance(0.9) ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`;
  }).join('');
  return { text, means: [hex(beginning)] };
}

/** One address, a block around one, or a span between two. */
function addressEntry(dice: Dice): Entry {
  const { listed, canonical } = dice.pick(sources);
  if (dice.chance(0.3)) return { text: listed, means: [canonical, canonical] };
  const width = canonical.length * 4;
  if (dice.chance(0.5)) {
    const bits = dice.chance(0.8) ? width - dice.below(20) : dice.below(width + 1);
    return blockOf(BigInt(`0x${canonical}`), width, bits);
  }
  const others = sources.filter((other) => other.canonical.length === canonical.length);
  const ends = [{ listed, canonical }, dice.pick(others)].toSorted((one, other) =>
    one.canonical < other.canonical ? -1 : 1,
  );
  const [first, last] = ends as [(typeof ends)[0], (typeof ends)[0]];
  return { text: `${first.listed}-${last.listed}`, means: [first.canonical, last.canonical] };
}

function blockOf(address: bigint, width: number, bits: number): Entry {
  const size = 1n << BigInt(width - bits);
  const first = (address / size) * size;
  const digits = (value: bigint): string => value.toString(16).padStart(width / 4, '0');
  return { text: `${written(digits(first))}/${bits}`, means: [digits(first), digits(first + size - 1n)] };
}

/** An address without any shortening. */
function written(digits: string): string {
  if (digits.length === 8) return (digits.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)).join('.');
  return (digits.match(/..../g) ?? []).join(':');
}
