// Clients by the beginning of their peer ids (BEP 20: `-TR4050-`, `M7-4-3--`), found by binary search: of prefixes
// that contain each other only the shorter one is kept, so at most one can match.
import { PolicyListError } from '../../errors.ts';
import { entriesOf, listError, textOf } from './list-lines.ts';

/** BEP 3: bytes of a peer id. */
const peerIdBytes = 20;

/** A set of beginnings of peer ids. */
export class ClientPrefixes {
  /** Sorted by bytes. */
  readonly #prefixes: readonly Uint8Array[];

  /** @throws RangeError for a prefix that has not 1 to 20 bytes */
  constructor(prefixes: readonly Uint8Array[]) {
    const kept: Uint8Array[] = [];
    for (const prefix of prefixes.toSorted(compare)) {
      if (prefix.length < 1 || prefix.length > peerIdBytes) throw new RangeError('a prefix has 1 to 20 bytes');
      const last = kept.at(-1);
      if (last === undefined || !begins(prefix, last)) kept.push(prefix.slice());
    }
    this.#prefixes = kept;
  }

  /** How many are kept. */
  get size(): number {
    return this.#prefixes.length;
  }

  /** Whether a peer id begins with one of them. */
  matches(peerId: Uint8Array): boolean {
    let [low, high] = [0, this.#prefixes.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(this.#prefixes[middle]!, peerId) <= 0) low = middle + 1;
      else high = middle;
    }
    // The last one that is not after the peer id: every prefix of it is, and nothing kept lies between.
    return low > 0 && begins(peerId, this.#prefixes[low - 1]!);
  }
}

/**
 * Reads a list of prefixes; see list-lines.ts for the form. Bytes other than printable ASCII are written %XX, and so
 * are % and a # that would begin a comment.
 * @throws PolicyListError for the first entry that is none
 */
export function parseClientList(content: Uint8Array): ClientPrefixes {
  const prefixes: Uint8Array[] = [];
  for (const entry of entriesOf(content)) {
    const prefix = prefixIn(textOf(entry));
    if (prefix === undefined) throw listError('not-a-client-prefix', entry);
    prefixes.push(prefix);
  }
  return new ClientPrefixes(prefixes);
}

/** The bytes of one prefix written as text. @throws PolicyListError */
export function parseClientPrefix(text: string): Uint8Array {
  const prefix = prefixIn(text);
  if (prefix === undefined) throw new PolicyListError('not-a-client-prefix', 1, 1, text.slice(0, 80));
  return prefix;
}

function prefixIn(text: string): Uint8Array | undefined {
  if (!/^(?:[!-$&-~]|%[0-9a-f]{2}){1,20}$/i.test(text)) return undefined;
  const tokens = text.match(/%..|./g) ?? [];
  return Uint8Array.from(tokens, (token) =>
    token.length === 3 ? Number.parseInt(token.slice(1), 16) : token.charCodeAt(0),
  );
}

/** By bytes; of two that agree as far as they go the shorter comes first. */
function compare(one: Uint8Array, other: Uint8Array): number {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at++) {
    const difference = one[at]! - other[at]!;
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}

function begins(bytes: Uint8Array, prefix: Uint8Array): boolean {
  if (bytes.length < prefix.length) return false;
  for (let at = 0; at < prefix.length; at++) if (bytes[at] !== prefix[at]) return false;
  return true;
}
