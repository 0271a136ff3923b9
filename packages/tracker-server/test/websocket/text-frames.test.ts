import { expect, test } from 'vitest';
import { textFrames } from '../../src/websocket/text-frames.ts';

/** The texts of whole, unmasked text frames, read as RFC 6455 §5.2 draws them. */
function readBack(bytes: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < bytes.length;) {
    expect(bytes[at]).toBe(0x81);
    const short = bytes[at + 1]!;
    const [head, length] =
      short < 126
        ? [2, short]
        : short === 126
          ? [4, bytes.readUInt16BE(at + 2)]
          : [10, Number(bytes.readBigUInt64BE(at + 2))];
    found.push(bytes.toString('utf8', at + head, at + head + length));
    at += head + length;
  }
  return found;
}

test.each([0, 1, 125, 126, 127, 65_535, 65_536, 70_000])('a client reads a text of %i bytes as it is', (length) => {
  const text = 'x'.repeat(length);
  expect(readBack(textFrames([text]))).toEqual([text]);
});

test.each([
  ['é'.repeat(63), 126],
  ['一'.repeat(50), 150],
  ['🦈'.repeat(20_000), 80_000],
])('lengths are those of UTF-8', (text, bytes) => {
  const frame = textFrames([text]);
  expect(frame.length - bytes).toBe(bytes < 65_536 ? 4 : 10);
  expect(readBack(frame)).toEqual([text]);
});

test('several texts are frames in one piece, read one by one', () => {
  const texts = ['a', '', 'é', 'x'.repeat(126), '🦈'.repeat(20_000), 'b'];
  expect(readBack(textFrames(texts))).toEqual(texts);
});
