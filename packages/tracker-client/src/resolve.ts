// Host names to addresses: the system's resolver, or the caller's; and a memory of answers for saying goodbye.
import { lookup as systemLookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { IpFamily } from '@shoal/tracker-protocol';
import { TrackerError } from './errors.ts';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: IpFamily;
}

/** All addresses of a host name, of one family or (0) of both, best first. Rejects when there is none. */
export type Lookup = (host: string, family: IpFamily | 0) => Promise<readonly ResolvedAddress[]>;

/** Resolves as the rest of the system does, hosts file included. */
export const systemResolver: Lookup = async (host, family) => {
  const addresses = await systemLookup(host, { all: true, family });
  return addresses.map(({ address, family: found }) => ({ address, family: found === 6 ? 6 : 4 }));
};

/**
 * The addresses of `host`, an address or a name.
 * @throws TrackerError unresolved
 */
export async function resolveHost(
  url: string,
  host: string,
  family: IpFamily | undefined,
  lookup: Lookup = systemResolver,
): Promise<readonly ResolvedAddress[]> {
  const literal = isIP(host);
  const addresses =
    literal === 0
      ? await ask(url, host, family ?? 0, lookup)
      : [{ address: host, family: literal === 6 ? 6 : 4 } as const];
  const usable = addresses.filter((address) => family === undefined || address.family === family);
  if (usable.length === 0) throw new TrackerError('unresolved', url);
  return usable.slice(0, addressLimit);
}

/** Remembers the last answer for each name; `recall` serves from memory what it can. */
export class RememberedLookup {
  readonly #known = new Map<string, readonly ResolvedAddress[]>();
  readonly #lookup: Lookup;

  constructor(lookup: Lookup = systemResolver) {
    this.#lookup = lookup;
  }

  readonly fresh: Lookup = async (host, family) => {
    const addresses = await this.#lookup(host, family);
    this.#known.set(`${family} ${host}`, addresses);
    if (this.#known.size > nameLimit) this.#known.delete(this.#known.keys().next().value!);
    return addresses;
  };

  readonly recall: Lookup = (host, family) => {
    const known = this.#known.get(`${family} ${host}`);
    return known === undefined ? this.fresh(host, family) : Promise.resolve(known);
  };
}

async function ask(
  url: string,
  host: string,
  family: IpFamily | 0,
  lookup: Lookup,
): Promise<readonly ResolvedAddress[]> {
  try {
    return await lookup(host, family);
  } catch (cause) {
    throw new TrackerError('unresolved', url, { cause });
  }
}

// More than any tracker has; a resolver's answer decides how often we would dial.
const addressLimit = 8;
// One torrent's trackers and where they redirect to.
const nameLimit = 256;
