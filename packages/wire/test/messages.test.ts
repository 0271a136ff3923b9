import { describe, expect, test } from 'vitest';
import {
  decodeMessage,
  encodeMessage,
  type PeerMessage,
  pieceHeaderLength,
  type WireError,
  writePieceHeader,
} from '../src/index.ts';
import { raw } from './peers.ts';

const vectors: readonly [PeerMessage, string][] = [
  [{ type: 'keep-alive' }, '00000000'],
  [{ type: 'choke' }, '0000000100'],
  [{ type: 'unchoke' }, '0000000101'],
  [{ type: 'interested' }, '0000000102'],
  [{ type: 'not-interested' }, '0000000103'],
  [{ type: 'have', piece: 0x01020304 }, '000000050401020304'],
  [{ type: 'bitfield', bits: new Uint8Array([0xff, 0x80]) }, '0000000305ff80'],
  [{ type: 'request', piece: 1, begin: 0x4000, length: 0x4000 }, '0000000d06000000010000400000004000'],
  [{ type: 'piece', piece: 1, begin: 0x4000, data: new Uint8Array([7, 8]) }, '0000000b0700000001000040000708'],
  [{ type: 'cancel', piece: 0xffffffff, begin: 0, length: 1 }, '0000000d08ffffffff0000000000000001'],
  [{ type: 'port', port: 6881 }, '00000003091ae1'],
  [{ type: 'suggest', piece: 2 }, '000000050d00000002'],
  [{ type: 'have-all' }, '000000010e'],
  [{ type: 'have-none' }, '000000010f'],
  [{ type: 'reject', piece: 1, begin: 2, length: 3 }, '0000000d10000000010000000200000003'],
  [{ type: 'allowed-fast', piece: 2 }, '000000051100000002'],
  [{ type: 'extended', id: 3, payload: new Uint8Array([0x64, 0x65]) }, '0000000414036465'],
];

describe('BEP 3, 5, 6 and 10: every message', () => {
  test.each(vectors)('$type is written and read as its bytes say', (message, hex) => {
    expect(hexOf(encodeMessage(message))).toBe(hex);
    expect(decodeMessage(bytesOf(hex))).toEqual(message);
  });

  test('the header of a piece is written in place, anywhere', () => {
    const block = { piece: 1, begin: 0x4000, length: 2 };
    const target = new Uint8Array(20).fill(0xee);
    writePieceHeader(target, 3, block);
    const whole = encodeMessage({ type: 'piece', piece: 1, begin: 0x4000, data: new Uint8Array([7, 8]) });
    expect(target.subarray(3, 3 + pieceHeaderLength)).toEqual(whole.subarray(0, pieceHeaderLength));
    expect([target[2], target[16]]).toEqual([0xee, 0xee]);
  });
});

describe('what is not one whole message', () => {
  test.each([
    ['nothing', new Uint8Array(0), 'truncated'],
    ['half a prefix', new Uint8Array(2), 'truncated'],
    ['a prefix alone', new Uint8Array([0, 0, 0, 1]), 'truncated'],
    ['half a message', bytesOf('000000050400'), 'truncated'],
    ['bytes after a message', bytesOf('0000000100ff'), 'trailing-bytes'],
    ['bytes after a keep-alive', new Uint8Array(5), 'trailing-bytes'],
    ['a choke with a payload', bytesOf('0000000200ff'), 'wrong-length'],
    ['a piece over 16 KiB', raw(7, new Uint8Array(8 + 16_385)), 'message-too-long'],
    ['an id that we do not know', bytesOf('0000000163'), 'unknown-message'],
    ['a prefix of 4 GiB', bytesOf('ffffffff63'), 'message-too-long'],
  ])('%s is refused with a code', (_, bytes, code) => {
    expect(() => decodeMessage(bytes)).toThrow(expect.objectContaining({ name: 'WireError', code }) as WireError);
  });
});

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../gu) ?? [], (pair) => Number.parseInt(pair, 16));
}
