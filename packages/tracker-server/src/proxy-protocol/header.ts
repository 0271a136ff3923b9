// The PROXY protocol, versions 1 and 2: the bytes in which a proxy says whom it forwards before it forwards anything.
// Strict, so that nothing else is taken for them; knows no sockets. proxy-protocol.txt of HAProxy, sections 2.1 and 2.2.
import { type Endpoint, formatIp, parseIp } from '@shoal/tracker-protocol';

/** What a proxy said. */
export interface ProxyHeader {
  /** Bytes of the header; what follows is the client's. */
  readonly length: number;
  /** Who connected to the proxy; undefined where it speaks for itself or does not know: then it is the sender. */
  readonly source: Endpoint | undefined;
}

/** `incomplete`: what is there may be the beginning of a header. `invalid`: it is not, whatever follows. */
export type ProxyHeaderResult = ProxyHeader | 'incomplete' | 'invalid';

/** Longest header of version 1: section 2.1. */
const textLimit = 107;

/** Longest header of version 2 that is taken: section 2.2 has proxies fit it into a segment that all networks carry. */
export const proxyHeaderLimit = 536;

/** Section 2.2. */
const signature = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const fixedBytes = 16;

/** Bytes of both addresses and ports, by the number of the family. */
const addressBytes: Readonly<Record<number, number>> = { 1: 12, 2: 36, 3: 216 };

/** Reads the header at the start of a stream (1) or of a datagram (2), from the first `length` bytes. */
export function readProxyHeader(bytes: Uint8Array, length: number, transport: 1 | 2): ProxyHeaderResult {
  if (length === 0) return 'incomplete';
  if (bytes[0] === signature[0]) return readBinary(bytes, length, transport);
  return transport === 1 && bytes[0] === 0x50 ? readText(bytes, length) : 'invalid';
}

function readText(bytes: Uint8Array, length: number): ProxyHeaderResult {
  const seen = Math.min(length, textLimit);
  let text = '';
  for (let at = 0; at < seen; at++) {
    if (bytes[at] === 0x0a) return text.endsWith('\r') ? fromText(text.slice(0, -1), at + 1) : 'invalid';
    text += String.fromCharCode(bytes[at]!);
  }
  const isBeginning = text.startsWith(textStart) || textStart.startsWith(text);
  return isBeginning && seen < textLimit ? 'incomplete' : 'invalid';
}

const textStart = 'PROXY ';

function fromText(text: string, length: number): ProxyHeaderResult {
  // What follows UNKNOWN is to be ignored up to the end of the line.
  if (text === 'PROXY UNKNOWN' || text.startsWith('PROXY UNKNOWN ')) return { length, source: undefined };
  const [word, family, from = '', to = '', fromPort = '', toPort = '', ...rest] = text.split(' ');
  const isKnown = family === 'TCP4' || family === 'TCP6';
  if (word !== 'PROXY' || !isKnown || rest.length > 0) return 'invalid';
  const isOfFamily = (ip: string): boolean => ip.includes(':') === (family === 'TCP6');
  const source = parseIp(from);
  if (source === undefined || parseIp(to) === undefined || !isOfFamily(from) || !isOfFamily(to)) return 'invalid';
  if (!isPort(fromPort) || !isPort(toPort)) return 'invalid';
  return { length, source: { ip: formatIp(source), port: Number(fromPort) } };
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function readBinary(bytes: Uint8Array, length: number, transport: 1 | 2): ProxyHeaderResult {
  const seen = Math.min(length, signature.length);
  for (let at = 0; at < seen; at++) if (bytes[at] !== signature[at]) return 'invalid';
  if (length < fixedBytes) return 'incomplete';
  const [version, command] = [bytes[12]! >> 4, bytes[12]! & 0xf];
  const [family, protocol] = [bytes[13]! >> 4, bytes[13]! & 0xf];
  const total = fixedBytes + ((bytes[14]! << 8) | bytes[15]!);
  if (version !== 2 || command > 1 || family > 3 || protocol > 2 || total > proxyHeaderLimit) return 'invalid';
  if (length < total) return 'incomplete';
  // LOCAL: the proxy's own connection, say to see whether we are alive; addresses are to be ignored.
  if (command === 0 || family === 0 || protocol === 0) return { length: total, source: undefined };
  if (protocol !== transport || total - fixedBytes < addressBytes[family]!) return 'invalid';
  return { length: total, source: family === 3 ? undefined : sourceAt(bytes, fixedBytes, family === 1 ? 4 : 16) };
}

/** Source and destination addresses, then both ports. */
function sourceAt(bytes: Uint8Array, at: number, width: 4 | 16): Endpoint {
  const port = at + 2 * width;
  return { ip: formatIp(bytes, at, width), port: (bytes[port]! << 8) | bytes[port + 1]! };
}
