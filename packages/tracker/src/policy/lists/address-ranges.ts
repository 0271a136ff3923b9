// Ranges of addresses as sorted, merged intervals, so that a look-up is a binary search however many there are.
// IPv4-mapped IPv6 counts as IPv4 here as everywhere; a range of one family holds nothing of the other. RFC 4291, 4632.
import { parseIp } from '@shoal/tracker-protocol';
import { PolicyListError } from '../../errors.ts';
import { entriesOf, listError, textOf } from './list-lines.ts';

/** Two addresses of one family, 4 or 16 bytes each, `first` not after `last`; both belong to the range. */
export interface AddressRange {
  readonly first: Uint8Array;
  readonly last: Uint8Array;
}

/** A set of ranges that is built once. */
export class AddressRanges {
  readonly #ipv4: Intervals;
  readonly #ipv6: Intervals;

  /** @throws RangeError for a range of mixed families or that ends before it begins */
  constructor(ranges: readonly AddressRange[]) {
    for (const { first, last } of ranges) {
      if ((first.length !== 4 && first.length !== 16) || first.length !== last.length || compare(first, last) > 0) {
        throw new RangeError('a range has two addresses of one family in order');
      }
    }
    this.#ipv4 = intervalsOf(ranges, 4);
    this.#ipv6 = intervalsOf(ranges, 16);
  }

  /** Intervals after merging. */
  get size(): number {
    return this.#ipv4.count + this.#ipv6.count;
  }

  /** Whether an address, 4 or 16 bytes and canonical, lies in one of them. */
  contains(address: Uint8Array): boolean {
    return address.length === 4 ? holds(this.#ipv4, address) : holds(this.#ipv6, address);
  }
}

/**
 * Reads a list of ranges; see list-lines.ts for the form of the file and `parseAddressRange` for that of an entry.
 * @throws PolicyListError for the first entry that is none
 */
export function parseAddressList(content: Uint8Array): AddressRanges {
  const ranges: AddressRange[] = [];
  for (const entry of entriesOf(content)) {
    const range = rangeIn(textOf(entry));
    if (range === undefined) throw listError('not-an-address-range', entry);
    ranges.push(range);
  }
  return new AddressRanges(ranges);
}

/** Reads `192.0.2.1`, `192.0.2.0/24` or `192.0.2.1-192.0.2.9`, and the same in IPv6. @throws PolicyListError */
export function parseAddressRange(text: string): AddressRange {
  const range = rangeIn(text);
  if (range === undefined) throw new PolicyListError('not-an-address-range', 1, 1, text.slice(0, 80));
  return range;
}

/** Intervals that do not touch, ascending; bounds as big-endian bytes, `width` each. */
interface Intervals {
  readonly width: 4 | 16;
  readonly count: number;
  readonly firsts: Uint8Array;
  readonly lasts: Uint8Array;
}

function intervalsOf(ranges: readonly AddressRange[], width: 4 | 16): Intervals {
  const merged: { first: Uint8Array; last: Uint8Array }[] = [];
  const sorted = ranges
    .filter(({ first }) => first.length === width)
    .toSorted((one, other) => compare(one.first, other.first));
  for (const { first, last } of sorted) {
    const previous = merged.at(-1);
    if (previous === undefined || compare(first, previous.last) > 0) merged.push({ first, last });
    else if (compare(last, previous.last) > 0) previous.last = last;
  }
  const [firsts, lasts] = [new Uint8Array(merged.length * width), new Uint8Array(merged.length * width)];
  for (const [index, { first, last }] of merged.entries()) {
    firsts.set(first, index * width);
    lasts.set(last, index * width);
  }
  return { width, count: merged.length, firsts, lasts };
}

function holds({ width, count, firsts, lasts }: Intervals, address: Uint8Array): boolean {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareAt(firsts, middle * width, address) <= 0) low = middle + 1;
    else high = middle;
  }
  return low > 0 && compareAt(lasts, (low - 1) * width, address) >= 0;
}

function compare(one: Uint8Array, other: Uint8Array): number {
  return compareAt(one, 0, other);
}

/** Compares the bytes at `offset` with all of `address`. */
function compareAt(bytes: Uint8Array, offset: number, address: Uint8Array): number {
  for (let at = 0; at < address.length; at++) {
    const difference = bytes[offset + at]! - address[at]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

function rangeIn(text: string): AddressRange | undefined {
  const [from = '', to, ...rest] = text.split('-').map((part) => part.trim());
  if (rest.length > 0) return undefined;
  if (to === undefined) return from.includes('/') ? blockIn(from) : single(parseIp(from));
  const [first, last] = [parseIp(from), parseIp(to)];
  if (first === undefined || last === undefined || first.length !== last.length) return undefined;
  return compare(first, last) <= 0 ? { first, last } : undefined;
}

/** An address and the bits that count. Bits behind them may be set, as routers write them. */
function blockIn(text: string): AddressRange | undefined {
  const [, address = '', written = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const bytes = parseIp(address);
  if (bytes === undefined) return undefined;
  const isMapped = bytes.length === 4 && address.includes(':');
  const bits = Number(written) - (isMapped ? 96 : 0);
  if (bits < 0 || bits > bytes.length * 8) return undefined;
  const [first, last] = [bytes.slice(), bytes.slice()];
  for (let at = 0; at < bytes.length; at++) {
    const free = 0xff >> Math.min(8, Math.max(0, bits - at * 8));
    first[at]! &= ~free;
    last[at]! |= free;
  }
  return { first, last };
}

function single(address: Uint8Array | undefined): AddressRange | undefined {
  return address && { first: address, last: address };
}
