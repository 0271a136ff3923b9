// What the beginning of a connection or a datagram says about whom it is forwarded for, read in the plainest way.
// proxy-protocol.txt of HAProxy, sections 2.1 and 2.2.
import { isIPv4, isIPv6 } from 'node:net';

/** Length, then the client's address and port where one is named. */
export type Reading = 'incomplete' | 'invalid' | readonly [length: number, ip?: string, port?: number];

const signature = '\r\n\r\n\0\r\nQUIT\n';

/** Addresses of a family, both with their ports: the length of the first, and of all. */
const widths = [undefined, [4, 12], [16, 36], [0, 216]] as const;

export function readReference(bytes: Uint8Array, transport: 1 | 2): Reading {
  const text = Buffer.from(bytes).toString('latin1');
  if (text === '') return 'incomplete';
  if (text.startsWith(signature)) return readBinary(bytes, transport);
  if (signature.startsWith(text)) return 'incomplete';
  return transport === 1 ? readText(text) : 'invalid';
}

function readText(text: string): Reading {
  // Section 2.1: 107 characters at most.
  const line = /^([^\n]*)\n/.exec(text.slice(0, 107))?.[1];
  if (line === undefined) {
    const isBeginning = text.startsWith('PROXY ') || 'PROXY '.startsWith(text);
    return isBeginning && text.length < 107 ? 'incomplete' : 'invalid';
  }
  const length = line.length + 1;
  if (/^PROXY UNKNOWN( .*)?\r$/s.test(line)) return [length];
  const named = /^PROXY TCP([46]) (\S+) (\S+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})\r$/.exec(line);
  if (named === null) return 'invalid';
  const [, family, from = '', to = '', port, toPort] = named;
  const isIp = family === '4' ? isIPv4 : isIPv6;
  if (!isIp(from) || !isIp(to) || Number(port) > 65_535 || Number(toPort) > 65_535) return 'invalid';
  return [length, from, Number(port)];
}

function readBinary(bytes: Uint8Array, transport: 1 | 2): Reading {
  if (bytes.length < 16) return 'incomplete';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [command, protocol, length] = [view.getUint8(12), view.getUint8(13), 16 + view.getUint16(14)];
  const [family, kind] = [protocol >> 4, protocol & 15];
  if ((command !== 0x20 && command !== 0x21) || family > 3 || kind > 2 || length > 536) return 'invalid';
  if (bytes.length < length) return 'incomplete';
  const width = widths[family];
  if (command === 0x20 || width === undefined || kind === 0) return [length];
  if (kind !== transport || length - 16 < width[1]) return 'invalid';
  if (family === 3) return [length];
  return [length, Buffer.from(bytes.subarray(16, 16 + width[0])).toString('hex'), view.getUint16(16 + 2 * width[0])];
}
