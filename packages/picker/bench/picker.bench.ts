// What the picker costs, per call, in a large torrent with many peers. Asserts nothing. Run: node bench/picker.bench.ts
import { Bitfield, geometryOf } from '@shoal/pieces';
import { Picker } from '../src/index.ts';

const peerCount = 200;
/** 1 MiB, as large torrents are cut. */
const blocksPerPiece = 64;

for (const pieceCount of [200_000, 2_000_000]) {
  console.log(`\n${pieceCount.toLocaleString('en')} pieces of ${blocksPerPiece} blocks, ${peerCount} peers`);
  measure(pieceCount);
}

function measure(pieceCount: number): void {
  const random = seeded(1);
  const geometry = geometryOf(pieceCount * blocksPerPiece * 16_384, blocksPerPiece * 16_384);
  const have = new Bitfield(pieceCount);
  const before = memory();
  const picker = timed('create', 1, () => new Picker({ geometry, have, random, randomFirstPieces: 0 }));
  console.log(
    `  ${((memory() - before) / 2 ** 20).toFixed(1).padStart(9)} MiB in arrays, whatever the number of peers`,
  );
  const bases = Array.from({ length: 8 }, (_, index) => randomBits(pieceCount, 0.1 + index / 10, random).bytes);
  const bitfields = Array.from({ length: peerCount }, (_, peer) => turned(bases[peer % 8] as Uint8Array, peer * 97));
  for (let peer = 0; peer < peerCount; peer++) picker.peerJoined(peer);
  timed('join with a bitfield (10 to 80 % of all pieces)', peerCount - 20, () => {
    for (let peer = 20; peer < peerCount; peer++) picker.peerPieces(peer, bitfields[peer] as Bitfield);
  });
  const full = Bitfield.full(pieceCount);
  timed('join as a seed', 20, () => {
    for (let peer = 0; peer < 20; peer++) picker.peerPieces(peer, full);
  });
  timed('first pick after bitfields (sorts)', 1, () => picker.pick(50, 1));

  const haves = 200_000;
  const announced = Array.from({ length: haves }, () => Math.floor(random() * pieceCount));
  timed('have', haves, () => {
    for (let index = 0; index < haves; index++) picker.peerHas(20 + (index % 180), announced[index] as number);
  });
  blocks(picker, 'pick 1 and receive 1, pieces verified, 200 peers', 200_000, 1);
  blocks(picker, 'pick 16 and receive 16, pieces verified, 200 peers', 400_000, 16);
  timed('interesting', 1_000_000, () => {
    let count = 0;
    for (let index = 0; index < 1_000_000; index++) if (picker.interesting(index % peerCount)) count++;
    return count;
  });
  fewPieces(picker, pieceCount);
}

/** Every peer in turn asks for some blocks and sends them. */
function blocks(picker: Picker, name: string, total: number, count: number): void {
  timed(name, total, () => {
    for (let done = 0, peer = 0; done < total; peer = (peer + 1) % peerCount) {
      for (const { piece, begin } of picker.pick(peer, count, done)) {
        if (picker.received(peer, piece, begin) === 'completed') picker.verified(piece);
        done++;
      }
    }
  });
}

/** The walk at its worst: the peer has little, and all of it is more common than the rest. */
function fewPieces(picker: Picker, pieceCount: number): void {
  const bits = new Bitfield(pieceCount);
  for (let piece = 0; piece < 20; piece++) bits.add(pieceCount - 1 - piece * 7);
  for (let peer = 1000; peer < 1250; peer++) {
    picker.peerJoined(peer);
    picker.peerPieces(peer, bits);
  }
  const runs = 200;
  timed('start a piece for a peer with 20 common ones', runs, () => {
    for (let run = 0; run < runs; run++) {
      picker.pick(1001, 1);
      picker.releaseAll(1001);
    }
  });
}

function timed<Result>(name: string, calls: number, work: () => Result): Result {
  const start = process.hrtime.bigint();
  const result = work();
  const nanoseconds = Number(process.hrtime.bigint() - start) / calls;
  const [value, unit] = nanoseconds < 1e5 ? [nanoseconds, 'ns'] : [nanoseconds / 1e6, 'ms'];
  console.log(`  ${value.toFixed(unit === 'ns' ? 0 : 1).padStart(9)} ${unit}  ${name}`);
  return result;
}

function memory(): number {
  return process.memoryUsage().arrayBuffers;
}

/** The same bits from another byte on, so that no two peers have the same pieces. */
function turned(bytes: Uint8Array, by: number): Bitfield {
  const start = by % bytes.length;
  const result = new Uint8Array(bytes.length);
  result.set(bytes.subarray(start));
  result.set(bytes.subarray(0, start), bytes.length - start);
  return new Bitfield(bytes.length * 8, result);
}

function randomBits(length: number, share: number, random: () => number): Bitfield {
  const bits = new Bitfield(length);
  for (let index = 0; index < length; index++) if (random() < share) bits.add(index);
  return bits;
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
