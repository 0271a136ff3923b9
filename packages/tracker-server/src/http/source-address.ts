// Whose announce is it? The socket's address (which a PROXY header may have set), or behind a trusted proxy the
// rightmost forwarded address that is not a trusted proxy itself; a claimed `ip=` counts only on local networks and
// only where the operator says so. What is trusted may change at any time, and how proxies say it. BEP 3.
import { AddressRanges, PolicyListError, parseAddressRange } from '@shoal/tracker';
import { type AnnounceRequest, ipScope, parseEndpoint, parseIp } from '@shoal/tracker-protocol';

export interface SourceOptions {
  /** Addresses and CIDR ranges of proxies whose `X-Forwarded-For` or PROXY header is believed. Default: none. */
  readonly trustedProxies?: readonly string[];
  /**
   * Trusted proxies begin every connection with a PROXY header, version 1 or 2, and every datagram with one of version 2 or
   * a simple one, and must. Default false. A change concerns what comes afterwards.
   */
  readonly proxyProtocol?: boolean;
  /** Believe `ip=` from loopback and private addresses, for clients behind the same NAT as the tracker. Default false. */
  readonly trustIpParameter?: boolean;
}

/** Finds the address an announce speaks for. */
export class SourceAddress {
  #proxies: AddressRanges;
  #trustIpParameter: boolean;
  #proxyProtocol: boolean;
  #options: SourceOptions;
  readonly #listeners = new Set<(options: SourceOptions) => void>();

  /** @throws RangeError for a proxy that is neither address nor CIDR range */
  constructor(options: SourceOptions) {
    this.#proxies = rangesOf(options);
    this.#trustIpParameter = options.trustIpParameter ?? false;
    this.#proxyProtocol = options.proxyProtocol ?? false;
    this.#options = options;
  }

  /** What is trusted now, for threads that judge by themselves. */
  get options(): Required<SourceOptions> {
    const { trustedProxies = [], trustIpParameter = false, proxyProtocol = false } = this.#options;
    return { trustedProxies, trustIpParameter, proxyProtocol };
  }

  /** Calls back with what is trusted, now and each time that changes, until what it returns is disposed. */
  onOptions(hear: (options: SourceOptions) => void): Disposable {
    // Its own, so that one function may listen twice.
    const listener = (options: SourceOptions): void => hear(options);
    this.#listeners.add(listener);
    listener(this.options);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Trusts others from the next request on. @throws RangeError as above; then nothing changes */
  replace(options: SourceOptions): void {
    this.#proxies = rangesOf(options);
    this.#trustIpParameter = options.trustIpParameter ?? false;
    this.#proxyProtocol = options.proxyProtocol ?? false;
    this.#options = options;
    for (const listener of this.#listeners) listener(this.options);
  }

  /** Whether what comes from an address, as a socket writes it, begins with a PROXY header. */
  sendsHeader(remoteAddress: string): boolean {
    return this.#proxyProtocol && this.isProxy(remoteAddress);
  }

  /** Whether an address, as a socket writes it, is that of a trusted proxy. */
  isProxy(remoteAddress: string): boolean {
    const address = socketAddress(remoteAddress);
    return address !== undefined && this.#proxies.contains(address);
  }

  /** What finds the address for an announce of a connection, 4 or 16 bytes; undefined when a trusted proxy did not say whom it forwards. */
  finder(
    remoteAddress: string | undefined,
    forwardedFor: string | undefined,
  ): (request: AnnounceRequest) => Uint8Array | undefined {
    return (request) => this.find(socketAddress(remoteAddress), forwardedFor, request);
  }

  /** As what `finder` gives, for a connection whose `socketAddress` is known. */
  find(
    remote: Uint8Array | undefined,
    forwardedFor: string | undefined,
    request: AnnounceRequest,
  ): Uint8Array | undefined {
    if (remote === undefined) return undefined;
    const address = this.#proxies.contains(remote) ? this.#forwarded(forwardedFor ?? '') : remote;
    if (address === undefined || !this.#trustIpParameter || request.ip === undefined) return address;
    const scope = ipScope(address);
    const isLocal = scope === 'loopback' || scope === 'private' || scope === 'link-local';
    return isLocal ? (parseIp(request.ip) ?? address) : address;
  }

  /** From the right: each hop was written by the one after it, so the first untrusted one is the client. */
  #forwarded(header: string): Uint8Array | undefined {
    for (let end = header.length; end > 0;) {
      const comma = header.lastIndexOf(',', end - 1);
      const hop = withoutZone(header.slice(comma + 1, end).trim());
      const address = parseIp(parseEndpoint(hop, 0)?.ip ?? '');
      if (address === undefined || !this.#proxies.contains(address)) return address;
      end = comma;
    }
    return undefined;
  }
}

/** The bytes of an address as a socket writes it, 4 or 16; undefined when it has none. */
export function socketAddress(remoteAddress: string | undefined): Uint8Array | undefined {
  return remoteAddress === undefined ? undefined : parseIp(withoutZone(remoteAddress));
}

function rangesOf({ trustedProxies = [] }: SourceOptions): AddressRanges {
  try {
    return new AddressRanges(trustedProxies.map(parseAddressRange));
  } catch (cause) {
    if (cause instanceof PolicyListError) {
      throw new RangeError(`not an address or CIDR range: ${cause.entry}`, { cause });
    }
    throw cause;
  }
}

/** Without the zone of a link-local address, which `[…]` and a port may follow. */
function withoutZone(address: string): string {
  return address.includes('%') ? address.replace(/%[^\]]*/, '') : address;
}
