import { idText } from '@shoal/tracker-protocol';
import {
  type MemberName,
  type RelayedSignal,
  decodeMemberNames,
  decodeSignalBatch,
  encodeMemberName,
  encodeRelayedSignal,
  encodeSignalBatch,
} from '@shoal/tracker';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const bytesOf = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const id = bytesOf(20).map(idText);
const memberName: fc.Arbitrary<MemberName> = fc.record({
  node: bytesOf(8).map((bytes) => String.fromCharCode(...bytes)),
  connection: fc.nat({ max: 2 ** 48 - 1 }),
  peerId: id,
});
const signal: fc.Arbitrary<RelayedSignal> = fc.record({
  action: fc.constantFrom('offer', 'answer'),
  infoHash: bytesOf(20),
  from: memberName,
  to: memberName,
  offerId: id,
  text: fc.string({ unit: 'binary', maxLength: 300 }),
});

test('names of members survive being packed', () => {
  fc.assert(
    fc.property(fc.array(memberName, { maxLength: 5 }), (names) => {
      const packed = Uint8Array.from(names.flatMap((name) => [...encodeMemberName(name)]));
      expect(decodeMemberNames(packed)).toEqual(names);
    }),
  );
});

test('signals survive their way in a batch, wherever it lies in memory', () => {
  fc.assert(
    fc.property(fc.array(signal, { maxLength: 5 }), fc.nat({ max: 7 }), (signals, offset) => {
      const batch = encodeSignalBatch(signals.map(encodeRelayedSignal));
      const elsewhere = new Uint8Array(batch.length + offset);
      elsewhere.set(batch, offset);
      expect(decodeSignalBatch(elsewhere.subarray(offset))).toEqual(signals);
    }),
  );
});

test('a batch that is cut gives the signals that are whole', () => {
  fc.assert(
    fc.property(fc.array(signal, { minLength: 1, maxLength: 4 }), fc.nat(), (signals, at) => {
      const batch = encodeSignalBatch(signals.map(encodeRelayedSignal));
      const found = decodeSignalBatch(batch.subarray(0, at % batch.length));
      expect(found).toEqual(signals.slice(0, found.length));
      expect(found.length).toBeLessThan(signals.length);
    }),
  );
});

test('any bytes are a batch of nothing or of signals, and never more than fit', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      const found = decodeSignalBatch(Uint8Array.of(1, ...bytes));
      expect(found.length).toBeLessThanOrEqual(bytes.length / 113);
      expect(decodeSignalBatch(Uint8Array.of(2, ...bytes))).toEqual([]);
    }),
  );
});
