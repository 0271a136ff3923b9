import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  blockAt,
  blockCountAt,
  blockIndexOf,
  blockLength,
  blockLengthAt,
  blocksOf,
  FileMap,
  type FileSpan,
  geometryOf,
  isBlock,
  isWithinPiece,
  offsetAt,
  pieceLengthAt,
} from '../src/index.ts';

/** Totals and piece lengths of every kind, with few enough pieces and blocks to look at each. */
const geometry = fc
  .oneof(
    fc.record({
      pieceLength: fc.integer({ min: 1, max: 300_000 }),
      pieces: fc.double({ min: 0, max: 20, noNaN: true }),
    }),
    fc.record({
      pieceLength: fc.constantFrom(16_384, 32_768, 2 ** 18),
      pieces: fc.double({ min: 0, max: 9, noNaN: true }),
    }),
  )
  .map(({ pieceLength, pieces }) => geometryOf(Math.floor(pieceLength * pieces), pieceLength));

/** Files of any size, many of them empty, in runs too. */
const lengths = fc.array(
  fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 70_000 })),
  {
    maxLength: 40,
  },
);

test('pieces tile the torrent: in order, without gap, overlap or empty piece', () => {
  fc.assert(
    fc.property(geometry, (g) => {
      let end = 0;
      for (let piece = 0; piece < g.pieceCount; piece += 1) {
        expect(offsetAt(g, piece)).toBe(end);
        expect(pieceLengthAt(g, piece)).toBeGreaterThan(0);
        expect(pieceLengthAt(g, piece)).toBeLessThanOrEqual(g.pieceLength);
        end += pieceLengthAt(g, piece);
      }
      expect(end).toBe(g.totalLength);
    }),
  );
});

test('blocks tile every piece, and all ways to name them agree', () => {
  fc.assert(
    fc.property(geometry, (g) => {
      for (let piece = 0; piece < g.pieceCount; piece += 1) {
        const blocks = blocksOf(g, piece);
        let end = 0;
        for (const [index, block] of blocks.entries()) {
          expect(block).toEqual({ piece, begin: end, length: blockLengthAt(g, piece, index) });
          expect(blockAt(g, piece, index)).toEqual(block);
          expect(blockIndexOf(block.begin)).toBe(index);
          expect(isBlock(g, piece, block.begin, block.length)).toBe(true);
          if (index < blocks.length - 1) expect(block.length).toBe(blockLength);
          end += block.length;
        }
        expect(blocks).toHaveLength(blockCountAt(g, piece));
        expect(end).toBe(pieceLengthAt(g, piece));
      }
    }),
    { numRuns: 60 },
  );
});

test('any range is within a piece exactly when every byte of it is, and never throws', () => {
  fc.assert(
    fc.property(geometry, fc.integer(), fc.integer(), fc.integer(), (g, piece, begin, length) => {
      const within = isWithinPiece(g, piece, begin, length);
      const exists = piece >= 0 && piece < g.pieceCount && begin >= 0 && length > 0;
      expect(within).toBe(exists && begin + length <= pieceLengthAt(g, piece));
      expect(isBlock(g, piece, begin, length) && !within).toBe(false);
    }),
  );
});

test('file spans tile exactly the range asked for, byte for byte', () => {
  fc.assert(
    fc.property(lengths, fc.nat(), fc.nat(), (files, from, size) => {
      const map = new FileMap(files);
      const offset = from % (map.totalLength + 1);
      const length = size % (map.totalLength - offset + 1);
      const spans = map.spans(offset, length);
      let position = 0;
      let previous = -1;
      for (const span of spans) {
        expect(span.file).toBeGreaterThan(previous);
        expect(span.position).toBe(position);
        expect(span.length).toBeGreaterThan(0);
        expect(map.offsetOf(span.file) + span.offset).toBe(offset + position);
        expect(span.offset + span.length).toBeLessThanOrEqual(files[span.file]!);
        position += span.length;
        previous = span.file;
      }
      expect(position).toBe(length);
    }),
  );
});

test('the spans of all pieces together are all files, and each file knows its pieces', () => {
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 70_000 }), (files, pieceLength) => {
      const map = new FileMap(files);
      // Keeps the number of pieces small enough to look at each.
      const g = geometryOf(map.totalLength, Math.max(pieceLength, Math.ceil(map.totalLength / 200)));
      const written = files.map(() => 0);
      const seen: (readonly [number, number] | undefined)[] = files.map(() => undefined);
      for (let piece = 0; piece < g.pieceCount; piece += 1) {
        for (const { file, offset, length } of map.spans(
          offsetAt(g, piece),
          pieceLengthAt(g, piece),
        ) satisfies FileSpan[]) {
          expect(offset).toBe(written[file]);
          written[file] = offset + length;
          seen[file] = [seen[file]?.[0] ?? piece, piece];
        }
      }
      expect(written).toEqual(files);
      for (const [file, range] of seen.entries()) {
        expect(map.piecesOf(file, g.pieceLength)).toEqual(range && { first: range[0], last: range[1] });
      }
    }),
  );
});
