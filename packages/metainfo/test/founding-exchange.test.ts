// The .torrent file of the exchange captured on 30 September 2003: its first 169 bytes were printed, and how many followed.
import { createHash } from 'node:crypto';
import { bytesOf, decode, encode, latin1 } from '@shoal/bencode';
import { describe, expect, test } from 'vitest';
import { encodeMetainfo, parseMetainfo } from '../src/index.ts';

/** As printed, with the octal escapes as bytes; the line ends where the first hash has a line feed. */
const printed = bytesOf(
  'd8:announce30:http://127.0.0.1:6969/announce13:creation datei1064759973e4:infod6:lengthi22169e4:name14:crop.05:00.jpg' +
    '12:piece lengthi256e6:pieces1740:k\x91\xc2\xdayL\xad\x03_\xc3N\x82\xf89\x85\xe9\x8a\x94\n',
);
/** "Data (1723 bytes)": the rest of the hashes, which nobody wrote down, and the ends of two dictionaries. */
const following = 1723;
/** From the head of the answer that carried it. */
const head = { contentLength: 1892, etag: '8286-764-3f76f304', lastModified: 'Sun, 28 Sep 2003 14:41:08 GMT' };
const firstHash = bytesOf('k\x91\xc2\xdayL\xad\x03_\xc3N\x82\xf89\x85\xe9\x8a\x94\n');

function completed(): Uint8Array {
  const rest = new Uint8Array(following).fill(0x2e, 0, following - 2).fill(0x65, following - 2);
  return new Uint8Array([...printed, ...rest]);
}

describe('founding exchange: the .torrent file', () => {
  test('what was printed and what was counted is its whole length, by header and by entity tag', () => {
    expect(printed.length + following).toBe(head.contentLength);
    const [, size, modified] = head.etag.split('-').map((field) => Number.parseInt(field, 16));
    expect(size).toBe(head.contentLength);
    expect((modified ?? 0) * 1000).toBe(Date.parse(head.lastModified));
  });

  test('reads as its author used it: 22,169 bytes in 87 pieces of 256', () => {
    const metainfo = parseMetainfo(completed(), { replaceWindowsCharacters: false });
    expect(metainfo).toMatchObject({
      name: 'crop.05:00.jpg',
      isMultiFile: false,
      geometry: { totalLength: 22_169, pieceLength: 256, pieceCount: 87 },
      announceTiers: [['http://127.0.0.1:6969/announce']],
      creationDate: 1_064_759_973,
      warnings: [],
    });
    expect(metainfo.files).toMatchObject([{ path: ['crop.05:00.jpg'], length: 22_169 }]);
    expect(metainfo.unknown.size).toBe(0);
    expect(new Date(1000 * (metainfo.creationDate ?? 0)).toISOString()).toBe('2003-09-28T14:39:33.000Z');
  });

  test('shows nineteen of the twenty bytes of the first hash, among 1740 of hashes', () => {
    const { pieceHashes } = parseMetainfo(completed());
    expect(pieceHashes).toHaveLength(1740);
    expect(pieceHashes.subarray(0, 19)).toEqual(firstHash);
  });

  test('its info-hash is of its own bytes, from the d after info to the last e but one', () => {
    const { infoHash } = parseMetainfo(completed());
    const info = completed().subarray(latin1(printed).indexOf('4:info') + 6, -1);
    expect(infoHash).toBe(createHash('sha1').update(info).digest('hex'));
  });

  test('is cut where the printing stops, and refused as that', () => {
    expect(() => parseMetainfo(printed)).toThrow(expect.objectContaining({ code: 'not-bencoded' }) as Error);
  });

  test('is written by us byte for byte as it was written then', () => {
    const root = decode(completed()) as Map<string, Parameters<typeof encode>[0]>;
    const bytes = encodeMetainfo(encode(root.get('info') ?? ''), {
      announceTiers: [['http://127.0.0.1:6969/announce']],
      creationDate: 1_064_759_973,
    });
    expect(bytes).toEqual(completed());
  });
});
