import { type Endpoint, parseIp } from '@shoal/tracker-protocol';

/** A header of version 1. */
export function textHeader(source: Endpoint, to: Endpoint = source): Buffer {
  const family = source.ip.includes(':') ? 'TCP6' : 'TCP4';
  return Buffer.from(`PROXY ${family} ${source.ip} ${to.ip} ${source.port} ${to.port}\r\n`, 'latin1');
}

export interface BinaryFields {
  readonly version?: number;
  readonly command?: number;
  readonly family?: number;
  readonly transport?: number;
  /** Addresses and ports. */
  readonly addresses?: Uint8Array;
  /** What follows them: type, length and value. */
  readonly extra?: Uint8Array;
}

/** A header of version 2, of a stream over IPv4 unless said otherwise. */
export function binaryHeader(fields: BinaryFields): Buffer {
  const { version = 2, command = 1, family = 1, transport = 1 } = fields;
  const { addresses = new Uint8Array(12), extra = new Uint8Array(0) } = fields;
  const length = addresses.length + extra.length;
  const start = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
  const fixed = [(version << 4) | command, (family << 4) | transport, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([...start, ...fixed]), addresses, extra]);
}

/** The same for a client. */
export function binaryHeaderOf(source: Endpoint, transport = 1, extra: Uint8Array = new Uint8Array(0)): Buffer {
  const family = source.ip.includes(':') ? 2 : 1;
  return binaryHeader({ family, transport, addresses: addressesOf(source), extra });
}

function addressesOf({ ip, port }: Endpoint): Buffer {
  const address = parseIp(ip) ?? new Uint8Array(4);
  const ports = Buffer.from([port >> 8, port & 0xff, 0x1a, 0xe1]);
  return Buffer.concat([address, address, ports]);
}
