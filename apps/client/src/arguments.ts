// Values of the command line as people write them: sizes, addresses, ports, seeding limits.
import { isIP } from 'node:net';
import { lookup } from 'node:dns/promises';
import { InvalidArgumentError } from 'commander';
import { CommandError } from './exit-codes.ts';

const unitBytes: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/** `16KiB`, `4M`, `1.5GiB`, `16384`: bytes. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?$/i.exec(text.trim());
  const bytes = match === null ? NaN : Number(match[1]) * (unitBytes[(match[2] ?? '').toUpperCase()] ?? NaN);
  if (!Number.isSafeInteger(bytes) || bytes <= 0)
    throw new InvalidArgumentError('A size looks like 16KiB, 4M or 1.5GiB.');
  return bytes;
}

export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new InvalidArgumentError('A port is a number from 0 (any free one) to 65535.');
  return port;
}

export function parseAddress(text: string): string {
  if (isIP(text) === 0)
    throw new InvalidArgumentError('An address of this computer is wanted, such as 192.0.2.7 or ::1.');
  return text;
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, `[2001:db8::1]:port`. */
export function parseHostPort(text: string): HostPort {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || !(port > 0 && port <= 65_535))
    throw new InvalidArgumentError('A peer is HOST:PORT, an IPv6 address in brackets.');
  return { host, port };
}

/** @throws CommandError `network` when a name has no address. */
export async function resolvePeers(peers: readonly HostPort[]): Promise<{ ip: string; port: number }[]> {
  return Promise.all(
    peers.map(async ({ host, port }) => {
      if (isIP(host) !== 0) return { ip: host, port };
      try {
        return { ip: (await lookup(host)).address, port };
      } catch (error) {
        throw new CommandError('network', `--peer ${host}:${port}: the name has no address`, { cause: error });
      }
    }),
  );
}

export interface SeedLimits {
  /** Bytes sent per byte of content. */
  readonly ratio?: number;
  readonly seconds?: number;
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `ratio=1.5`, `time=2h`, or both with a comma; whichever comes first ends the seeding. */
export function parseSeedLimits(text: string): SeedLimits {
  let limits: SeedLimits = {};
  for (const part of text.split(',')) {
    const [key, value = ''] = part.split('=');
    const time = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(value);
    if (key === 'ratio' && /^\d+(\.\d+)?$/.test(value)) limits = { ...limits, ratio: Number(value) };
    else if (key === 'time' && time !== null)
      limits = { ...limits, seconds: Number(time[1]) * (unitSeconds[time[2] || 's'] ?? 1) };
    else throw new InvalidArgumentError('Limits look like ratio=1.5, time=2h (s, m, h, d), or both with a comma.');
  }
  return limits;
}
