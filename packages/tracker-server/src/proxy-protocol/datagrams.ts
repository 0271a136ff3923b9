// What proxies put before the datagrams that they forward: a PROXY header of version 2 for datagrams, or the 38 bytes
// of the Simple Proxy Protocol, which must stand before every answer too. Knows no sockets.
// proxy-protocol.txt of HAProxy, section 2.2; developers.cloudflare.com, "Simple Proxy Protocol Header".
import { type Endpoint, formatIp } from '@shoal/tracker-protocol';
import { readProxyHeader } from './header.ts';

/** A datagram that a proxy forwarded. */
export interface ProxiedDatagram {
  readonly source: Endpoint;
  /** Where in the datagram the client's own begins. */
  readonly start: number;
  /** Bytes that go before every answer; none for PROXY, whose answers go back as they are. */
  readonly answerHead: Uint8Array;
}

/** Cloudflare: magic number, client and proxy address of 16 bytes each, client and proxy port. */
const simpleBytes = 38;
const simpleMagic = [0x56, 0xec];

const noHead = new Uint8Array(0);

/** Reads what a proxy put before a datagram; undefined when it is nothing of the kind, or the proxy's own. */
export function readProxiedDatagram(bytes: Uint8Array): ProxiedDatagram | undefined {
  if (bytes[0] === simpleMagic[0] && bytes[1] === simpleMagic[1]) return readSimple(bytes);
  const header = readProxyHeader(bytes, bytes.length, 2);
  if (typeof header === 'string' || header.source === undefined) return undefined;
  return { source: header.source, start: header.length, answerHead: noHead };
}

function readSimple(bytes: Uint8Array): ProxiedDatagram | undefined {
  if (bytes.length < simpleBytes) return undefined;
  const source = { ip: formatIp(bytes, 2, 16), port: (bytes[34]! << 8) | bytes[35]! };
  return { source, start: simpleBytes, answerHead: new Uint8Array(bytes.subarray(0, simpleBytes)) };
}
