// Headers in which a proxy says whom it forwards, as they should be and as they should not, and what each of them means.
// proxy-protocol.txt of HAProxy, sections 2.1 and 2.2.
import type { Dice } from '../random.ts';
import { sources } from '../world.ts';

/** A header as it is sent. */
export interface Header {
  readonly bytes: Uint8Array;
  readonly kind: string;
  /** Index in `sources`; `unknown`: the proxy speaks for itself; `refused`: it is no header. */
  readonly source: number | 'unknown' | 'refused';
  readonly port: number;
}

/** Those of whom a proxy would say that it forwards them; it is none itself. */
const forwarded: readonly number[] = sources.flatMap(({ text, reach }, index) =>
  /%|^::ffff/.test(text) || text === '127.0.0.1' || reach === 'unreachable' ? [] : [index],
);

const signature = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];

/** A header before a connection (1) or a datagram (2). */
export function someHeader(dice: Dice, transport: 1 | 2): Header {
  if (transport === 1 && dice.chance(0.4)) return dice.chance(0.75) ? textHeader(dice) : badText(dice);
  return dice.chance(0.75) ? binaryHeader(dice, transport) : badBinary(dice, transport);
}

function textHeader(dice: Dice): Header {
  const port = dice.below(65_536);
  if (dice.chance(0.15)) {
    const line = dice.pick(['PROXY UNKNOWN', 'PROXY UNKNOWN ', 'PROXY UNKNOWN ffff::1 x 99999 \u00e4']);
    return { bytes: latin1(`${line}\r\n`), kind: 'text, unknown', source: 'unknown', port: 0 };
  }
  const source = dice.pick(forwarded);
  const { text, family } = sources[source]!;
  const [name, to] = family === 'IPv4' ? ['TCP4', '192.0.2.1'] : ['TCP6', dice.pick(['::', '2a00:FF::1'])];
  const line = `PROXY ${name} ${text} ${to} ${port} ${dice.below(65_536)}\r\n`;
  return { bytes: latin1(line), kind: 'text', source, port };
}

function badText(dice: Dice): Header {
  const bytes = latin1(dice.pick(badLines));
  return { bytes, kind: 'text, wrong', source: 'refused', port: 0 };
}

/** Whatever follows them, they are no headers. */
const badLines: readonly string[] = [
  'GET / HTTP/1.1\r\n',
  'PROXY\r\n',
  'PROXY TCP4\r\n',
  'PROXY TCP5 11.1.2.3 192.0.2.1 1 2\r\n',
  'PROXY TCP4 11.1.2.3 192.0.2.1 1\r\n',
  'PROXY TCP4 11.1.2.3 192.0.2.1 1 2 3\r\n',
  'PROXY TCP4 11.1.2.3 192.0.2.1 01 2\r\n',
  'PROXY TCP4 11.1.2.3 192.0.2.1 1 65536\r\n',
  'PROXY TCP4 11.1.2.3 192.0.2.1 -1 2\r\n',
  'PROXY TCP4 11.1.2.300 192.0.2.1 1 2\r\n',
  'PROXY TCP4 2a00::1 192.0.2.1 1 2\r\n',
  'PROXY TCP6 11.1.2.3 2a00::1 1 2\r\n',
  'PROXY TCP6 2a00::1 11.1.2.3 1 2\r\n',
  'PROXY TCP4  11.1.2.3 192.0.2.1 1 2\r\n',
  'PROXY TCP4 11.1.2.3 192.0.2.1 1 2\n',
  'proxy TCP4 11.1.2.3 192.0.2.1 1 2\r\n',
  'PROXYTCP4 11.1.2.3 192.0.2.1 1 2\r\n',
  'PROXY UNKNOWNX\r\n',
  `PROXY UNKNOWN ${'x'.repeat(100)}\r\n`,
  '\r\nPROXY TCP4 11.1.2.3 192.0.2.1 1 2\r\n',
];

function binaryHeader(dice: Dice, transport: 1 | 2): Header {
  const port = dice.below(65_536);
  if (dice.chance(0.2)) {
    // Its own connection, of no family, of no transport, or of a Unix socket: nobody is named, whatever else it says.
    const [command, family, least] = dice.pick([
      [0x20, 0x10 * dice.below(4) + dice.below(3), 0],
      [0x21, dice.below(3), 0],
      [0x21, 0x10 * dice.below(4), 0],
      [0x21, 0x30 + transport, 216],
    ] as const);
    const rest = [...dice.bytes(least), ...vectors(dice, 500 - least)];
    return { bytes: binary(command, family, rest), kind: 'binary, unknown', source: 'unknown', port: 0 };
  }
  const source = dice.pick(forwarded);
  const { family, canonical } = sources[source]!;
  const from = Uint8Array.from(Buffer.from(canonical, 'hex'));
  const ports = [port >> 8, port & 255, ...dice.bytes(2)];
  const rest = [...from, ...dice.bytes(from.length), ...ports, ...vectors(dice, 400)];
  const bytes = binary(0x21, (family === 'IPv4' ? 0x10 : 0x20) + transport, rest);
  return { bytes, kind: rest.length > 4 + 2 * from.length ? 'binary with more' : 'binary', source, port };
}

function badBinary(dice: Dice, transport: 1 | 2): Header {
  const addresses = Array.from(dice.bytes(12));
  const bytes = dice.pick([
    // Of other versions, commands, families and transports.
    () => binary(dice.pick([0x01, 0x11, 0x31, 0xf1]), 0x10 + transport, addresses),
    () => binary(dice.pick([0x22, 0x2f]), 0x10 + transport, addresses),
    () => binary(0x21, dice.pick([0x41, 0xf1, 0x13, 0x1f]), addresses),
    () => binary(0x21, 0x10 + (transport === 1 ? 2 : 1), addresses),
    // Shorter than what it has to say, longer than anything is read.
    () => binary(0x21, 0x10 + transport, addresses.slice(0, dice.below(12))),
    () => binary(0x21, 0x20 + transport, dice.bytes(dice.below(36))),
    () => binary(0x21, 0x30 + transport, dice.bytes(dice.below(216))),
    () => binary(0x21, 0x10 + transport, dice.bytes(dice.pick([521, 600, 65_535]))),
    () => {
      const bytes = binary(0x21, 0x10 + transport, addresses);
      bytes[dice.below(12)]! ^= 1 << dice.below(8);
      // A text would begin with this.
      return bytes[0] === 0x50 ? new Uint8Array(16) : bytes;
    },
  ])();
  return { bytes, kind: 'binary, wrong', source: 'refused', port: 0 };
}

/** Further facts that a proxy may add: type, length, value. Nobody here knows any of them. */
function vectors(dice: Dice, most: number): number[] {
  const all: number[] = [];
  while (dice.chance(0.4)) {
    const value = dice.bytes(dice.pick([0, 4, 32, 100]));
    const [type, length] = [dice.below(256), dice.chance(0.9) ? value.length : dice.below(65_536)];
    if (all.length + 3 + value.length <= most) all.push(type, length >> 8, length & 255, ...value);
  }
  return all;
}

function binary(command: number, family: number, rest: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(16 + rest.length);
  bytes.set([...signature, command, family, rest.length >> 8, rest.length & 255]);
  bytes.set(Array.from(rest), 16);
  return bytes;
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}
