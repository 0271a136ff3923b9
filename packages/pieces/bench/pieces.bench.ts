// What the arithmetic costs: nanoseconds a call (median of rounds). Run: node packages/pieces/bench/pieces.bench.ts
import { Bitfield, blockLengthAt, FileMap, geometryOf, isBlock } from '../src/index.ts';

const rounds = 15;
const pieceCount = 2_000_000;
const bitfieldBytes = Uint8Array.from({ length: pieceCount / 8 }, (_, index) => (index * 167) & 0xff);
const bitfield = new Bitfield(pieceCount, bitfieldBytes);
const geometry = geometryOf(2 ** 40 + 12_345, 2 ** 20);
const map = new FileMap(Array.from({ length: 100_000 }, (_, index) => (index * 7919) % 100_000));

report('construct a bitfield of 2 000 000 bits', 20, () => new Bitfield(pieceCount, bitfieldBytes).count);
report('list its 1 000 000 indices', 1, () => {
  let sum = 0;
  for (const index of bitfield.indices()) sum += index;
  return sum;
});
report('has', 1_000_000, (call) => (bitfield.has((call * 7919) % pieceCount) ? 1 : 0));
report('add, then remove', 1_000_000, (call) => {
  const index = (call * 7919) % pieceCount;
  return Number(bitfield.add(index) ? bitfield.remove(index) : bitfield.has(index));
});
report('length of a block', 1_000_000, (call) => blockLengthAt(geometry, call & 0xf_ffff, call & 63));
report('is this range a block', 1_000_000, (call) =>
  Number(isBlock(geometry, call & 0xf_ffff, (call & 63) << 14, 16_384)),
);
report(
  'spans of 16 KiB among 100 000 files',
  100_000,
  (call) => map.spans((call * 7919 * 64) % (map.totalLength - 16_384), 16_384).length,
);

function report(name: string, calls: number, run: (call: number) => number): void {
  const times: number[] = [];
  let sum = 0;
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    for (let call = 0; call < calls; call += 1) sum += run(call);
    times.push(((performance.now() - start) * 1e6) / calls);
  }
  // The sum is used, so that no call can be left out as without effect.
  if (Number.isNaN(sum)) throw new Error('not a number');
  console.log(
    `${name.padEnd(42)}${times
      .toSorted((a, b) => a - b)
      [rounds >> 1]!.toFixed(1)
      .padStart(14)} ns`,
  );
}
