// Who may open a WebSocket: by path, by the origin of the page, and by how many there are already. Refusals are statuses
// of HTTP, because nothing is upgraded yet. RFC 6455.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { formatIp } from '@shoal/tracker-protocol';

export interface GateSettings {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
}

/** The paths that WebTorrent trackers are known by: the root, and those of announces over HTTP. */
const paths = /^\/(?:[^/?]+\/)?(?:announce(?:\.php)?(?:\/[^/?]*)?\/?)?(?:\?|$)/i;

/** Counts who is in and says who may come. */
export class Gate {
  readonly #settings: GateSettings;
  #origins: ReadonlySet<string> | undefined;
  readonly #networks = new Map<string, number>();
  #inside = 0;

  constructor(settings: GateSettings, origins: readonly string[] | 'all') {
    this.#settings = settings;
    this.allow(origins);
  }

  /** Lets pages of these origins in from now on. */
  allow(origins: readonly string[] | 'all'): void {
    this.#origins = origins === 'all' ? undefined : new Set(origins.map((origin) => origin.toLowerCase()));
  }

  /** The status of a refusal; undefined lets it in. */
  refusal({ url = '', headers }: IncomingMessage, address: Uint8Array | undefined): number | undefined {
    const { maxConnections, maxConnectionsPerAddress } = this.#settings;
    if (!paths.test(url)) return 404;
    const { origin } = headers;
    if (origin !== undefined && this.#origins?.has(origin.toLowerCase()) === false) return 403;
    // A trusted proxy that does not say whom it forwards.
    if (address === undefined) return 400;
    if (this.#inside >= maxConnections) return 503;
    return (this.#networks.get(networkOf(address)) ?? 0) >= maxConnectionsPerAddress ? 429 : undefined;
  }

  enter(address: Uint8Array): void {
    const network = networkOf(address);
    this.#networks.set(network, (this.#networks.get(network) ?? 0) + 1);
    this.#inside++;
  }

  leave(address: Uint8Array): void {
    const network = networkOf(address);
    const others = (this.#networks.get(network) ?? 1) - 1;
    if (others === 0) this.#networks.delete(network);
    else this.#networks.set(network, others);
    this.#inside--;
  }
}

/** Answers an upgrade with a status, and ends the connection. */
export function refuse(socket: Duplex, status: number): void {
  // Whatever else it sends is not read.
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${reasons[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
};

/** A host has a /64 of IPv6 at least (RFC 6177). */
function networkOf(address: Uint8Array): string {
  return address.length === 4 ? formatIp(address) : address.subarray(0, 8).join('.');
}
