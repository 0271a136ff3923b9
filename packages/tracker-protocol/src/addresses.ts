// IP addresses: canonical text to bytes and back, and which part of the address space they belong to.
// IPv4-mapped IPv6 (::ffff:a.b.c.d) is unwrapped everywhere, so one host has one text. RFC 4291, 5952, 6890.

/** Which part of the address space an address belongs to. */
export type IpScope = 'public' | 'private' | 'loopback' | 'link-local' | 'multicast' | 'unspecified' | 'reserved';

/**
 * Bytes of an address given as text: 4 or 16, undefined when the text is not an address.
 * IPv4-mapped IPv6 gives 4 bytes. No brackets, no zone, no octal or hexadecimal IPv4.
 */
export function parseIp(text: string): Uint8Array | undefined {
  // 45 characters is the longest form: eight groups whose last two are a dotted IPv4.
  if (text.length > 45) return undefined;
  if (!text.includes(':')) return parseIpv4(text);
  const bytes = parseIpv6(text);
  return bytes !== undefined && isMapped(bytes, 0) ? bytes.slice(12) : bytes;
}

/**
 * Writes the address of a dotted IPv4 text into the first four bytes of `target`; false when it is no such text.
 * For servers that read the address of every datagram.
 */
export function parseIpv4Into(target: Uint8Array, text: string): boolean {
  let at = 0;
  for (let part = 0; part < 4; part++) {
    if (part > 0 && text.charCodeAt(at++) !== 0x2e) return false;
    const start = at;
    let value = 0;
    for (; at < text.length && isDigit(text.charCodeAt(at)); at++) value = value * 10 + text.charCodeAt(at) - 0x30;
    // A leading zero is refused: some systems read it as octal, so two hosts could share one text.
    if (at === start || at - start > 3 || value > 255 || (at - start > 1 && text.charCodeAt(start) === 0x30))
      return false;
    target[part] = value;
  }
  return at === text.length;
}

/** Canonical text of the `length` (4 or 16) bytes at `offset`. */
export function formatIp(bytes: Uint8Array, offset = 0, length: number = bytes.length): string {
  if (length === 4) return formatIpv4(bytes, offset);
  if (length !== 16) throw new RangeError('An IP address has 4 or 16 bytes');
  return isMapped(bytes, offset) ? formatIpv4(bytes, offset + 12) : formatIpv6(bytes, offset);
}

/** The canonical text of an address written in any way, or undefined. */
export function canonicalIp(text: string): string | undefined {
  const bytes = parseIp(text);
  return bytes && formatIp(bytes);
}

/** 4 or 6 for a canonical address text. */
export function ipFamily(ip: string): 4 | 6 {
  return ip.includes(':') ? 6 : 4;
}

/**
 * An address with an optional port as BEP 7 writes it: `1.2.3.4`, `1.2.3.4:80`, `2001:db8::1`, `[2001:db8::1]:80`.
 * Without a port `defaultPort` is taken. Undefined when it is neither.
 */
export function parseEndpoint(text: string, defaultPort: number): { ip: string; port: number } | undefined {
  const bracketed = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(text);
  const dotted = bracketed ?? /^([^:]*):(\d{1,5})$/.exec(text);
  const ip = canonicalIp(dotted?.[1] ?? text);
  const port = dotted?.[2] === undefined ? defaultPort : Number(dotted[2]);
  return ip === undefined || port > 65_535 ? undefined : { ip, port };
}

/** What `parseEndpoint` reads, and the authority of a URL: `1.2.3.4:80`, `[2001:db8::1]:80`; a name stands as it is. */
export function formatEndpoint({ ip, port }: { readonly ip: string; readonly port: number }): string {
  return `${ip.includes(':') ? `[${ip}]` : ip}:${port}`;
}

/** The scope of an address given as text or bytes; text that is no address is `reserved`. */
export function ipScope(ip: string | Uint8Array): IpScope {
  const bytes = typeof ip === 'string' ? parseIp(ip) : ip;
  if (bytes?.length === 4) return scopeOfIpv4(bytes, 0);
  if (bytes?.length !== 16) return 'reserved';
  return isMapped(bytes, 0) ? scopeOfIpv4(bytes, 12) : scopeOfIpv6(bytes);
}

/** Reachable from the whole internet. */
export function isPublicIp(ip: string | Uint8Array): boolean {
  return ipScope(ip) === 'public';
}

/** RFC 1918, RFC 6598 (carrier NAT), RFC 4193 unique local, or link-local. */
export function isPrivateIp(ip: string | Uint8Array): boolean {
  const scope = ipScope(ip);
  return scope === 'private' || scope === 'link-local';
}

/** 127.0.0.0/8 or ::1. */
export function isLoopbackIp(ip: string | Uint8Array): boolean {
  return ipScope(ip) === 'loopback';
}

/** 224.0.0.0/4 or ff00::/8. */
export function isMulticastIp(ip: string | Uint8Array): boolean {
  return ipScope(ip) === 'multicast';
}

function parseIpv4(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(4);
  return parseIpv4Into(bytes, text) ? bytes : undefined;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = groupBytes(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? groupBytes(halves[1]!, true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const gap = 16 - head.length - tail.length;
  // `::` stands for at least one group of zeros.
  if (halves.length === 1 ? gap !== 0 : gap < 2) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(head, 0);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

function groupBytes(text: string, mayEndDotted: boolean): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [index, group] of groups.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
      continue;
    }
    const dotted = mayEndDotted && index === groups.length - 1 ? parseIpv4(group) : undefined;
    if (dotted === undefined) return undefined;
    bytes.push(...dotted);
  }
  return bytes.length <= 16 ? bytes : undefined;
}

function formatIpv4(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

// RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups becomes `::`.
function formatIpv6(bytes: Uint8Array, offset: number): string {
  const groups: number[] = [];
  for (let at = offset; at < offset + 16; at += 2) groups.push((bytes[at]! << 8) | bytes[at + 1]!);
  let start = -1;
  let longest = 1;
  for (let at = 0; at < 8; at++) {
    let run = 0;
    while (at + run < 8 && groups[at + run] === 0) run++;
    if (run > longest) [start, longest] = [at, run];
    at += run;
  }
  const text = groups.map((group) => group.toString(16));
  if (start < 0) return text.join(':');
  return `${text.slice(0, start).join(':')}::${text.slice(start + longest).join(':')}`;
}

function isMapped(bytes: Uint8Array, offset: number): boolean {
  for (let at = 0; at < 10; at++) if (bytes[offset + at] !== 0) return false;
  return bytes[offset + 10] === 0xff && bytes[offset + 11] === 0xff;
}

function scopeOfIpv4(bytes: Uint8Array, at: number): IpScope {
  const [first, second, third, last] = [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!];
  // 0.0.0.0/8 is "this network": Linux connects 0.0.0.0 to the local host.
  if (first === 0) return 'unspecified';
  if (first === 127) return 'loopback';
  if (first === 10 || (first === 172 && second >> 4 === 1) || (first === 192 && second === 168)) return 'private';
  if (first === 100 && second >> 6 === 1) return 'private';
  if (first === 169 && second === 254) return 'link-local';
  if (first >= 224 && first <= 239) return 'multicast';
  if (first >= 240) return 'reserved';
  // 192.0.0.0/24 is protocol assignments, of which .9 and .10 alone are global (RFC 7723, 8155).
  if (first === 192 && second === 0 && third === 0 && last !== 9 && last !== 10) return 'reserved';
  return 'public';
}

function scopeOfIpv6(bytes: Uint8Array): IpScope {
  const [first, second] = [bytes[0]!, bytes[1]!];
  if (first === 0xff) return 'multicast';
  if (first === 0xfe && second >> 6 === 2) return 'link-local';
  // fec0::/10 is the deprecated site-local range.
  if (first >> 1 === 0x7e || (first === 0xfe && second >> 6 === 3)) return 'private';
  for (let at = 0; at < 12; at++) if (bytes[at] !== 0) return translatedScope(bytes);
  const tail = bytes[12]! | bytes[13]! | bytes[14]!;
  if (tail === 0 && bytes[15] === 1) return 'loopback';
  return tail === 0 && bytes[15] === 0 ? 'unspecified' : 'reserved';
}

// NAT64 (64:ff9b::/96, RFC 6052) and 6to4 (2002::/16, RFC 3056) carry an IPv4 address that decides.
function translatedScope(bytes: Uint8Array): IpScope {
  if (bytes[0] === 0x20 && bytes[1] === 0x02) return scopeOfIpv4(bytes, 2);
  const nat64 = bytes[0] === 0 && bytes[1] === 0x64 && bytes[2] === 0xff && bytes[3] === 0x9b;
  return nat64 ? scopeOfIpv4(bytes, 12) : 'public';
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
