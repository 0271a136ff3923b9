// Other decoders as oracles: npm `bencode` where it is right, and libtorrent's, which is lenient as our lenient mode is.
import { spawnSync } from 'node:child_process';
import npmBencode from 'bencode';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BencodeValue, decode, encode, latin1 } from '../src/index.ts';
import { bytes, refusalOf } from './bytes.ts';

type Simple = number | Uint8Array | Simple[] | { [key: string]: Simple };

/** Keys of ASCII and integers below 2^53: where npm `bencode` is right. */
const { simple } = fc.letrec<{ simple: Simple }>((tie) => ({
  simple: fc.oneof(
    { maxDepth: 5, depthSize: 'medium' },
    fc.maxSafeInteger(),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie('simple'), { maxLength: 6 }),
    fc.dictionary(fc.stringMatching(/^[a-z][a-z .-]{0,11}$/), tie('simple'), { maxKeys: 6 }),
  ),
}));

describe('npm bencode', () => {
  test('writes the same bytes', () => {
    fc.assert(
      fc.property(simple, (value) => {
        expect(encode(value)).toEqual(npmBencode.encode(value));
      }),
    );
  });

  test('reads the same values', () => {
    fc.assert(
      fc.property(simple, (value) => {
        const input = encode(value);
        expect(plain(decode(input))).toEqual(npmBencode.decode(input));
      }),
    );
  });
});

/** Reads hexadecimal documents, a line each; answers each with JSON, bytes as hexadecimal, or with null. */
const libtorrentScript = `
import sys, json, libtorrent
def plain(value):
    if isinstance(value, bytes): return value.hex()
    if isinstance(value, int): return str(value)
    if isinstance(value, list): return [plain(item) for item in value]
    return {'keys': [[key.hex(), plain(value[key])] for key in sorted(value)]}
for line in sys.stdin:
    try: print(json.dumps({'value': plain(libtorrent.bdecode(bytes.fromhex(line.strip())))}))
    except RuntimeError: print('null')
`;
const python = '/usr/bin/python3';
const hasLibtorrent = spawnSync(python, ['-c', 'import libtorrent']).status === 0;
if (!hasLibtorrent) {
  console.warn('SKIPPED: bencode against libtorrent, because the Debian package python3-libtorrent is not installed');
}

/** What libtorrent reads in each input; undefined where it refuses. */
function readByLibtorrent(inputs: readonly Uint8Array[]): readonly unknown[] {
  const input = inputs.map((document) => `${Buffer.from(document).toString('hex')}\n`).join('');
  const { stdout, status, stderr } = spawnSync(python, ['-c', libtorrentScript], { input, encoding: 'utf8' });
  if (status !== 0) throw new Error(`libtorrent did not run: ${stderr}`);
  const lines = stdout.trimEnd().split('\n');
  return lines.map((line) => (JSON.parse(line) as { value: unknown } | null)?.value);
}

describe('libtorrent', () => {
  test.skipIf(!hasLibtorrent)('accepts what lenient decoding accepts, reads the same, and refuses the rest', () => {
    const inputs = [...wellKnown.map(bytes), ...fc.sample(nearlyBencode, { numRuns: 4000, seed: 3 })];
    const theirs = readByLibtorrent(inputs);
    let accepted = 0;
    for (const [index, input] of inputs.entries()) {
      const refusal = refusalOf(() => decode(input, { lenient: true }));
      const ours = refusal === undefined ? comparable(decode(input, { lenient: true })) : undefined;
      expect({ input: latin1(input), value: ours }).toEqual({ input: latin1(input), value: theirs[index] });
      if (ours !== undefined) accepted += 1;
    }
    expect(accepted).toBeGreaterThan(500);
  });
});

/** Each input that the strict mode's table of refusals names and libtorrent has an opinion on. */
const wellKnown: readonly string[] = [
  'i-0e,i03e,ie,i-e,i+5e,i1.5e,i1.xyze,i9007199254740993e,i-9223372036854775807e,03:abc,+3:abc,3.9:abc,10:abc',
  '99999999999:abc,-1:a,l-3:e,i1ei2e,,d1:b0:1:a0:e,d1:a0:1:a1:xe,d9:__proto__i1ee,d2:\xff\xfei1ee,d1:ae,di1ei2ee',
  'e,lee,x,l,d',
].flatMap((line) => line.split(','));

/** Integers of at most 18 digits: libtorrent reads 64 bits, ours any length. */
const nearlyBencode = fc
  .array(
    fc.constantFrom(
      'i',
      'e',
      'l',
      'd',
      '0:',
      '1:a',
      '1:b',
      '2:xy',
      'i0e',
      'i-7e',
      'de',
      'le',
      'd1:ai1ee',
      'l1:xi03ee',
      '1',
      '-',
    ),
    { maxLength: 12 },
  )
  .map((parts) => bytes(`${parts.join('')}eeee`));

function plain(value: BencodeValue): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  return value;
}

/** A value in the form in which the script above prints libtorrent's. */
function comparable(value: BencodeValue): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(comparable);
  if (!(value instanceof Map)) return String(value);
  const keys = [...value].map(([key, item]) => [Buffer.from(key, 'latin1').toString('hex'), comparable(item)] as const);
  return { keys: keys.sort(([a], [b]) => (a < b ? -1 : 1)) };
}
