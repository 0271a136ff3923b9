// Where to look: every transport that a tracker of this URL may have, at every address of its host.
import { lookup } from 'node:dns/promises';
import { isIP, isIPv6 } from 'node:net';
import type { IpFamily } from '@shoal/tracker-protocol';

export type Transport = 'http' | 'https' | 'udp' | 'ws' | 'wss';

/** One way to reach a tracker. */
export interface Target {
  readonly transport: Transport;
  readonly family: IpFamily;
  /** The first address of that family. */
  readonly address: string;
  readonly url: string;
  /** Named on the command line; the others are tried because trackers often have them. */
  readonly isNamed: boolean;
}

/** A URL that no tracker can have, or a host without address. */
export class TargetError extends Error {
  readonly reason: 'url' | 'unresolved';

  constructor(reason: 'url' | 'unresolved', message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TargetError';
    this.reason = reason;
  }
}

/** Who is tried beside each: the same port, where trackers by habit serve everything. */
const companions: Readonly<Record<Transport, readonly Transport[]>> = {
  http: ['http', 'udp', 'ws'],
  udp: ['udp', 'http', 'ws'],
  ws: ['ws', 'http', 'udp'],
  https: ['https', 'udp', 'wss'],
  wss: ['wss', 'https', 'udp'],
};

/** Every target of `url`. @throws TargetError */
export async function targetsOf(url: string, onlyNamed: boolean): Promise<readonly Target[]> {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const named = (Object.keys(companions) as Transport[]).find((transport) => `${transport}:` === parsed?.protocol);
  if (parsed === undefined || named === undefined || parsed.hostname === '') {
    throw new TargetError('url', `${url} is not the URL of a tracker: it begins with http, https, udp, ws or wss`);
  }
  if (named === 'udp' && parsed.port === '') throw new TargetError('url', `${url} must say its port`);
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
  const addresses = await addressesOf(host);
  const transports = onlyNamed ? [named] : companions[named];
  return transports.flatMap((transport) =>
    addresses.map(({ family, address }) => {
      const isNamed = transport === named;
      return { transport, family, address, url: urlFor(transport, parsed, isNamed), isNamed };
    }),
  );
}

/** The first address of each family. */
async function addressesOf(host: string): Promise<readonly { family: IpFamily; address: string }[]> {
  if (isIP(host) !== 0) return [{ family: isIPv6(host) ? 6 : 4, address: host }];
  try {
    const found = await lookup(host, { all: true });
    return ([4, 6] as const).flatMap((family) =>
      found
        .filter((one) => one.family === family)
        .slice(0, 1)
        .map(({ address }) => ({ family, address })),
    );
  } catch (cause) {
    throw new TargetError('unresolved', `${host} has no address`, { cause });
  }
}

/** The URL of another transport, without rewriting the one that was given. */
function urlFor(transport: Transport, given: URL, isNamed: boolean): string {
  const path = given.pathname === '/' || given.pathname === '' ? '/announce' : given.pathname;
  if (isNamed && path === given.pathname) return given.href;
  // UDP has no port of its own, so that of the given protocol is tried.
  const port = given.port === '' && transport === 'udp' ? defaultPorts[given.protocol] : given.port;
  return `${transport}://${given.hostname}${port ? `:${port}` : ''}${path}${given.search}`;
}

const defaultPorts: Readonly<Record<string, string>> = { 'http:': '80', 'ws:': '80', 'https:': '443', 'wss:': '443' };
