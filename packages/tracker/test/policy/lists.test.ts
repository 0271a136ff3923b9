import { describe, expect, test } from 'vitest';
import {
  AddressRanges,
  ClientPrefixes,
  InfoHashSet,
  PolicyListError,
  amendedInfoHashes,
  parseAddressList,
  parseAddressRange,
  parseClientList,
  parseClientPrefix,
  parseInfoHash,
  parseInfoHashList,
  readInfoHashList,
} from '@shoal/tracker';
import { bytesOf, ipOf, peerIdOf } from './requests.ts';

const [ones, twos, zeros] = ['11'.repeat(20), '22'.repeat(20), '00'.repeat(20)];

function errorOf(read: () => unknown): PolicyListError {
  try {
    read();
  } catch (error) {
    if (error instanceof PolicyListError) return error;
  }
  throw new Error('no error of a list');
}

describe('a list of info-hashes', () => {
  test('has one entry a line, comments, blanks, any line ends and a byte order mark', () => {
    const text = `\u00ef\u00bb\u00bf# all of them\r\n\r\n  ${ones}\t# the first\n${ones}\r\t\n${'Ab'.repeat(20)}#no blank`;
    expect(errorOf(() => parseInfoHashList(bytesOf(text)))).toMatchObject({ line: 6, column: 1 });
    const list = parseInfoHashList(bytesOf(text.replace('#no blank', ' #a blank')));
    expect(list.size).toBe(2);
    expect([ones, 'ab'.repeat(20), twos].map((hash) => list.has(parseInfoHash(hash)))).toEqual([true, true, false]);
  });

  test('that is bad in one line is refused whole, naming line, column and what it should be', () => {
    const error = errorOf(() => parseInfoHashList(bytesOf(`${ones}\n\n   ${'zz'.repeat(60)}\n${twos}`)));
    expect(error).toMatchObject({ code: 'not-an-info-hash', line: 3, column: 4, entry: 'zz'.repeat(40) });
    expect(error.message).toBe(`line 3, column 4: an info-hash has 40 hexadecimal digits, not "${'zz'.repeat(40)}"`);
  });

  test('shows nothing of an entry but printable characters', () => {
    expect(errorOf(() => parseInfoHashList(bytesOf('a\u001b[31m\u00ff'))).entry).toBe('a?[31m?');
  });

  test.each([ones.slice(1), `${ones}1`, `${ones.slice(1)}g`, ones.replace('1', '/'), ones.replace('1', '`')])(
    'has no entry %s',
    (entry) => {
      expect(() => parseInfoHashList(bytesOf(entry))).toThrow(PolicyListError);
      expect(() => parseInfoHash(entry)).toThrow(PolicyListError);
    },
  );

  test('can be read in steps while something else goes on', () => {
    const steps = readInfoHashList(bytesOf(`${ones}\n${twos}\n`.repeat(2000)));
    let count = 0;
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) count++;
    expect([count >= 4, step.value.size]).toEqual([true, 2]);
  });

  test('that is empty holds nothing', () => {
    expect(parseInfoHashList(new Uint8Array(0)).size).toBe(0);
    expect(parseInfoHashList(new Uint8Array(0)).has(parseInfoHash(zeros))).toBe(false);
  });

  test('can be amended without being built again', () => {
    const list = amendedInfoHashes(parseInfoHashList(bytesOf(ones)), [parseInfoHash(twos)], [parseInfoHash(ones)]);
    expect([ones, twos, zeros].map((hash) => list.has(parseInfoHash(hash)))).toEqual([false, true, false]);
  });
});

describe('a set of info-hashes', () => {
  test('holds the hash of zeros like any other', () => {
    const set = InfoHashSet.of([parseInfoHash(zeros), parseInfoHash(zeros)]);
    expect([set.size, set.has(parseInfoHash(zeros)), set.has(parseInfoHash(ones))]).toEqual([1, true, false]);
  });

  test('that is full takes what it has, and nothing else', () => {
    const set = InfoHashSet.of([parseInfoHash(ones)]);
    set.add(parseInfoHash(ones));
    expect(() => set.add(parseInfoHash(twos))).toThrow(RangeError);
  });

  test('has room for hashes that all begin with the same words, around its end too', () => {
    const hashes = Array.from({ length: 300 }, (_, at) =>
      parseInfoHash('ff'.repeat(18) + at.toString(16).padStart(4, '0')),
    );
    const set = InfoHashSet.of(hashes);
    expect(hashes.every((hash) => set.has(hash))).toBe(true);
    expect(set.has(parseInfoHash('ff'.repeat(20)))).toBe(false);
  });

  test('takes 30 bytes a hash', () => {
    expect(new InfoHashSet(100_000).byteLength / 100_000).toBeLessThan(30.1);
  });

  test('has hashes of 20 bytes only', () => {
    expect(() => InfoHashSet.of([new Uint8Array(32)])).toThrow(RangeError);
    expect(InfoHashSet.of([parseInfoHash(zeros)]).has(new Uint8Array(32))).toBe(false);
    expect(() => new InfoHashSet(-1)).toThrow(RangeError);
  });
});

describe('a list of clients', () => {
  test('matches the beginnings of peer ids', () => {
    const list = parseClientList(bytesOf('-TR\n-UT3 # old ones\nM7-4-3--\n#not this\n-XX%23%00%2a'));
    const welcome = ['-TR4050-', '-TR', '-UT3', '-UT355W', 'M7-4-3--', '-XX#\0*abc'];
    const others = ['-TS', '-UT2', '-U', 'M7-4-4--', '-XX#\0', 'xTR', '\u00ff'];
    expect(welcome.map((id) => list.matches(peerIdOf(id)))).toEqual(welcome.map(() => true));
    expect(others.map((id) => list.matches(peerIdOf(id)))).toEqual(others.map(() => false));
  });

  test('may name a whole peer id', () => {
    const list = new ClientPrefixes([peerIdOf('-TR4050-one'), peerIdOf('-TR4050-two')]);
    expect(['-TR4050-one', '-TR4050-two', '-TR4050-'].map((id) => list.matches(peerIdOf(id)))).toEqual([
      true,
      true,
      false,
    ]);
  });

  test('keeps of prefixes that contain each other the shorter one', () => {
    const list = new ClientPrefixes(['-AB', '-A', '-ABC', '-B', '-A'].map(bytesOf));
    expect(list.size).toBe(2);
    expect(list.matches(peerIdOf('-AZ'))).toBe(true);
  });

  test.each(['-TR %', '%4', '%zz', 'a'.repeat(21), 'tab\there', 'n\u00e4h'])('has no entry %j', (entry) => {
    expect(errorOf(() => parseClientList(bytesOf(`ok\n${entry}`)))).toMatchObject({
      code: 'not-a-client-prefix',
      line: 2,
      column: 1,
    });
    expect(() => parseClientPrefix(entry)).toThrow(PolicyListError);
  });

  test('has prefixes of 1 to 20 bytes', () => {
    expect(() => new ClientPrefixes([new Uint8Array(0)])).toThrow(RangeError);
    expect(() => new ClientPrefixes([new Uint8Array(21)])).toThrow(RangeError);
    expect(parseClientPrefix('%ff'.repeat(20))).toEqual(new Uint8Array(20).fill(255));
  });
});

describe('a list of addresses', () => {
  test('has addresses, blocks and spans of both families', () => {
    const text = '192.0.2.1\n10.9.8.7/8 # a whole network\n198.51.100.1 - 198.51.100.9\n2001:db8::/32\n::1\n';
    const list = parseAddressList(bytesOf(text));
    expect(list.size).toBe(5);
    const inside = ['192.0.2.1', '10.255.255.255', '198.51.100.9', '2001:db8:ffff::', '::1', '::ffff:10.0.0.0'];
    const outside = ['192.0.2.2', '11.0.0.0', '198.51.100.10', '2001:db9::', '::2'];
    expect(inside.map((ip) => list.contains(ipOf(ip)))).toEqual(inside.map(() => true));
    expect(outside.map((ip) => list.contains(ipOf(ip)))).toEqual(outside.map(() => false));
  });

  test.each([
    '10.0.0.1/33',
    '10.0.0.1/',
    '10.0.0/8',
    '::/129',
    '::ffff:1.2.3.4/95',
    '10.0.0.2-10.0.0.1',
    '10.0.0.1-::1',
    '10.0.0.1-10.0.0.2-10.0.0.3',
    '10.0.0.0/8-11.0.0.0',
    '010.0.0.1',
    'localhost',
    '10.0.0.1:80',
  ])('has no entry %s', (entry) => {
    expect(errorOf(() => parseAddressList(bytesOf(`::1\n\n ${entry}`)))).toMatchObject({
      code: 'not-an-address-range',
      line: 3,
      column: 2,
      entry,
    });
    expect(() => parseAddressRange(entry)).toThrow(PolicyListError);
  });

  test('keeps the families apart: everything of one holds nothing of the other', () => {
    expect(new AddressRanges([parseAddressRange('::/0')]).contains(ipOf('192.0.2.1'))).toBe(false);
    expect(new AddressRanges([parseAddressRange('0.0.0.0/0')]).contains(ipOf('2001:db8::1'))).toBe(false);
  });

  test('refuses ranges that are none', () => {
    expect(() => new AddressRanges([{ first: ipOf('10.0.0.1'), last: ipOf('::1') }])).toThrow(RangeError);
    expect(() => new AddressRanges([{ first: ipOf('10.0.0.1'), last: ipOf('10.0.0.0') }])).toThrow(RangeError);
    expect(() => new AddressRanges([{ first: new Uint8Array(3), last: new Uint8Array(3) }])).toThrow(RangeError);
  });
});
