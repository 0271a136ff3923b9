// Which tracker is asked: a URL taken apart and its name resolved once, so that every case speaks to one address.
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { ConformanceError } from './errors.ts';
import type { Transport } from './conformance-case.ts';

/** A tracker's address. */
export interface Target {
  /** As given. */
  readonly url: string;
  readonly transport: Transport;
  /** As the URL writes it, for the Host header and TLS. */
  readonly host: string;
  /** Numeric address: the only one that is ever spoken to. */
  readonly ip: string;
  readonly family: 4 | 6;
  readonly port: number;
  /** The tracker's address in the other family; undefined where none is known. */
  readonly otherIp: string | undefined;
  /** Path and query of announces; `/announce` when the URL has none, over WebSocket `/`. */
  readonly path: string;
  /** Another address of this machine that reaches the tracker, where one is known. */
  readonly secondAddress: string | undefined;
}

/** Takes a URL apart. @throws TypeError when it is not the URL of a tracker */
export function parseTrackerUrl(url: string): { transport: Transport; host: string; port: number; path: string } {
  const { protocol, hostname, port, pathname, search } = new URL(url);
  const transport = protocol.slice(0, -1);
  if (!isTransport(transport)) throw new TypeError(`Not http, https, udp, ws or wss: ${url}`);
  // BEP 15 knows no default port.
  if (transport === 'udp' && port === '') throw new TypeError(`A UDP tracker needs a port: ${url}`);
  return {
    transport,
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? (transport === 'https' || transport === 'wss' ? 443 : 80) : Number(port),
    path: `${pathname === '/' || pathname === '' ? rootOf(transport) : pathname}${search}`,
  };
}

function isTransport(scheme: string): scheme is Transport {
  return ['http', 'https', 'udp', 'ws', 'wss'].includes(scheme);
}

function rootOf(transport: Transport): string {
  return transport === 'ws' || transport === 'wss' ? '/' : '/announce';
}

/**
 * Resolves a tracker's name. `also`: its address in the other family, where the name does not say.
 * @throws TypeError for a bad URL, RangeError for a bad `also`, ConformanceError bad-host for a name without address
 */
export async function resolveTarget(url: string, also?: string): Promise<Target> {
  const { transport, host, port, path } = parseTrackerUrl(url);
  const addresses = await lookup(host, { all: true }).catch((cause: unknown) => {
    throw new ConformanceError('bad-host', `${host} has no address`, cause);
  });
  const ip = addresses[0]!.address;
  const family = isIP(ip) === 6 ? 6 : 4;
  if (also !== undefined && isIP(also) !== 10 - family)
    throw new RangeError(`not an address of the other family: ${also}`);
  const otherIp = also ?? addresses.find(({ address }) => isIP(address) !== family)?.address;
  return { url, transport, host, ip, family, port, path, otherIp, secondAddress: secondAddressFor(ip) };
}

/** Linux answers for all of 127.0.0.0/8; elsewhere a second source address would be a guess. */
function secondAddressFor(ip: string): string | undefined {
  return process.platform === 'linux' && ip.startsWith('127.') ? '127.77.0.2' : undefined;
}
