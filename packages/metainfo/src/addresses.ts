/**
 * Tracker and web seed addresses of a torrent or magnet: which are kept, in what order, and how many. Opens no connection, so
 * it does not decide which hosts may be reached. BEP 12, 19.
 */
import { quoted, type Warnings } from './warnings.ts';

/** More trackers than any torrent needs, each of which costs sockets and timers; web seeds likewise. */
export const maxAddresses = 500;
/** Longer than any passkey URL; what browsers and servers commonly stop at. */
const maxAddressLength = 2048;

const trackerSchemes: ReadonlySet<string> = new Set(['http:', 'https:', 'udp:', 'ws:', 'wss:']);
const webSeedSchemes: ReadonlySet<string> = new Set(['http:', 'https:', 'ftp:']);

/** Why a text is no address of a tracker, to end a sentence with; undefined when it is one. */
export function trackerFault(text: string): string | undefined {
  return addressFault(text, trackerSchemes, 'http, https, udp, ws or wss');
}

/** The same for a web seed. */
export function webSeedFault(text: string): string | undefined {
  return addressFault(text, webSeedSchemes, 'http, https or ftp');
}

/** Tiers without junk, white space around URLs, repetitions and empty tiers; what is dropped is warned of. */
export function cleanTiers(tiers: readonly (readonly string[])[], warnings: Warnings): string[][] {
  const keep = keeper('tracker', trackerFault, warnings);
  return tiers.map((tier) => cleanAddresses(tier, keep)).filter((tier) => tier.length > 0);
}

/** Web seeds without junk, white space around them, and repetitions; what is dropped is warned of. */
export function cleanWebSeeds(urls: readonly string[], warnings: Warnings): string[] {
  return cleanAddresses(urls, keeper('web seed', webSeedFault, warnings));
}

function cleanAddresses(urls: readonly string[], keep: (url: string) => boolean): string[] {
  return urls.map((url) => url.trim()).filter(keep);
}

function keeper(
  noun: string,
  fault: (text: string) => string | undefined,
  warnings: Warnings,
): (url: string) => boolean {
  const seen = new Set<string>();
  let junk = 0;
  let isFull = false;
  return (url) => {
    if (url === '' || isFull || seen.has(url)) return false;
    const reason = fault(url);
    if (reason !== undefined) {
      // Nothing good comes after that much junk, and looking at each costs.
      isFull = ++junk >= maxAddresses;
      warnings.add(() => `${noun} ${quoted(url)} is left out: ${reason}`);
      return false;
    }
    isFull = seen.size === maxAddresses;
    if (isFull) warnings.add(() => `only the first ${maxAddresses} ${noun}s are kept`);
    else seen.add(url);
    return !isFull;
  };
}

function addressFault(text: string, schemes: ReadonlySet<string>, names: string): string | undefined {
  if (text.length > maxAddressLength) return `it is longer than ${maxAddressLength} characters`;
  const url = URL.parse(text);
  if (url === null) return 'it is no URL';
  if (!schemes.has(url.protocol)) return `its scheme is not ${names}`;
  return url.hostname === '' ? 'it names no host' : undefined;
}
