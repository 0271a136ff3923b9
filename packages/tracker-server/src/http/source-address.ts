// Whose announce is it? The socket's address, or behind a trusted proxy the rightmost forwarded address that is not
// a trusted proxy itself; a claimed `ip=` counts only on local networks and only where the operator says so. BEP 3.
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { type AnnounceRequest, formatIp, ipScope, parseEndpoint, parseIp } from '@shoal/tracker-protocol';

export interface SourceOptions {
  /** Addresses and CIDR ranges of proxies whose `X-Forwarded-For` is believed. Default: none. */
  readonly trustedProxies?: readonly string[];
  /** Believe `ip=` from loopback and private addresses, for clients behind the same NAT as the tracker. Default false. */
  readonly trustIpParameter?: boolean;
}

/** Finds the address an announce speaks for. */
export class SourceAddress {
  readonly #proxies = new BlockList();
  readonly #hasProxies: boolean;
  readonly #trustIpParameter: boolean;

  /** @throws RangeError for a proxy that is neither address nor CIDR range */
  constructor(options: SourceOptions) {
    this.#hasProxies = (options.trustedProxies ?? []).length > 0;
    this.#trustIpParameter = options.trustIpParameter ?? false;
    for (const proxy of options.trustedProxies ?? []) addRange(this.#proxies, proxy);
  }

  /** What finds the address for an announce of a connection, 4 or 16 bytes; undefined when a trusted proxy did not say whom it forwards. */
  finder(
    remoteAddress: string | undefined,
    forwardedFor: string | undefined,
  ): (request: AnnounceRequest) => Uint8Array | undefined {
    return (request) => this.#find(remoteAddress ?? '', forwardedFor, request);
  }

  #find(remoteAddress: string, forwardedFor: string | undefined, request: AnnounceRequest): Uint8Array | undefined {
    const remote = parseIp(withoutZone(remoteAddress));
    if (remote === undefined) return undefined;
    const forwarded = this.#hasProxies && this.#isProxy(formatIp(remote));
    const address = forwarded ? this.#forwarded(forwardedFor ?? '') : remote;
    if (address === undefined || !this.#trustIpParameter || request.ip === undefined) return address;
    const scope = ipScope(address);
    return scope === 'loopback' || scope === 'private' || scope === 'link-local' ? parseIp(request.ip) : address;
  }

  /** From the right: each hop was written by the one after it, so the first untrusted one is the client. */
  #forwarded(header: string): Uint8Array | undefined {
    const hops = header.split(',').toReversed();
    for (const hop of hops) {
      const ip = parseEndpoint(hop.trim(), 0)?.ip;
      if (ip === undefined) return undefined;
      if (!this.#isProxy(ip)) return parseIp(ip);
    }
    return undefined;
  }

  #isProxy(ip: string): boolean {
    return this.#proxies.check(ip, isIPv6(ip) ? 'ipv6' : 'ipv4');
  }
}

function addRange(list: BlockList, range: string): void {
  const [address = '', prefix] = range.split('/');
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  const bits = prefix === undefined ? undefined : Number(prefix);
  const most = family === 'ipv4' ? 32 : 128;
  if (family === 'ipv6' && !isIPv6(address)) throw new RangeError(`not an address or CIDR range: ${range}`);
  if (bits === undefined) list.addAddress(address, family);
  else if (Number.isInteger(bits) && bits >= 0 && bits <= most) list.addSubnet(address, bits, family);
  else throw new RangeError(`not an address or CIDR range: ${range}`);
}

function withoutZone(address: string): string {
  const zone = address.indexOf('%');
  return zone < 0 ? address : address.slice(0, zone);
}
