// Values of the command line as people write them: sizes, counts, addresses, ports, seeding limits.
import { isIP, isIPv6 } from 'node:net';
import { InvalidArgumentError } from 'commander';

const unitBytes: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/** `16KiB`, `4M`, `1.5GiB`, `16384`: bytes. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?$/i.exec(text.trim());
  const bytes = match === null ? NaN : Number(match[1]) * (unitBytes[(match[2] ?? '').toUpperCase()] ?? NaN);
  if (!Number.isSafeInteger(bytes) || bytes <= 0)
    throw new InvalidArgumentError('A size looks like 16KiB, 4M or 1.5GiB.');
  return bytes;
}

/** `500K`, `2MiB`, `2MiB/s`: bytes per second; 0 for no limit, as aria2 has it. */
export function parseRate(text: string): number {
  if (text.trim() === '0') return Infinity;
  try {
    return parseSize(text.trim().replace(/\/s$/i, ''));
  } catch (cause) {
    const shape = 'A rate looks like 500K or 2MiB: bytes per second, 0 for no limit.';
    throw cause instanceof InvalidArgumentError ? new InvalidArgumentError(shape) : cause;
  }
}

/** Longest delay that Node's timers hold; longer ones fire at once. */
const maxCount = 0x7fff_ffff;

/** A whole number from 1. */
export function parseCount(text: string): number {
  const count = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (!(count >= 1 && count <= maxCount)) throw new InvalidArgumentError('A whole number from 1 is wanted.');
  return count;
}

/** More threads than any machine that this runs on has cores: each takes some 10 MB. */
const maxThreads = 256;

export function parseThreads(text: string): number {
  const threads = parseCount(text);
  if (threads > maxThreads) throw new InvalidArgumentError(`At most ${maxThreads} threads.`);
  return threads;
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

/** `host:port`, `192.0.2.7:port`, `[2001:db8::1]:port`. */
export function parseHostPort(text: string): HostPort {
  const match = /^(?:\[([^\]]+)\]|([^\s:/@[\]]+)):(\d{1,5})$/.exec(text);
  const [, bracketed, plain, digits] = match ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  const isBracketedName = bracketed !== undefined && !isIPv6(bracketed);
  if (host === undefined || isBracketedName || !(port > 0 && port <= 65_535))
    throw new InvalidArgumentError('A peer is HOST:PORT, an IPv6 address in brackets.');
  return { host, port };
}

/** One tier: the URL of a tracker over HTTP or UDP, or several with commas between. */
export function parseTier(text: string): string[] {
  const urls = text.split(',').map((url) => url.trim());
  for (const url of urls)
    if (!/^(?:https?|udp):$/.test(URL.parse(url)?.protocol ?? ''))
      throw new InvalidArgumentError('A tracker is a URL that begins with http://, https:// or udp://.');
  return urls;
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
    const [, key, value] = /^(ratio|time)=(.*)$/.exec(part.trim()) ?? [];
    const [, number, unit] = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(value ?? '') ?? [];
    if (number === undefined || (key === 'ratio' && unit !== ''))
      throw new InvalidArgumentError('Limits look like ratio=1.5, time=2h (s, m, h, d), or both with a comma.');
    if (key === 'ratio') limits = { ...limits, ratio: Number(number) };
    else limits = { ...limits, seconds: Number(number) * (unitSeconds[unit || 's'] ?? 1) };
  }
  return limits;
}
