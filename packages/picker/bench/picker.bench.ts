// What the picker costs in a large torrent with many peers, in processor time. Asserts nothing.
// Run: node --expose-gc bench/picker.bench.ts [pieces]
import { Bitfield, geometryOf } from '@shoal/pieces';
import { Picker } from '../src/index.ts';

const peerCount = 200;
/** 1 MiB, as large torrents are cut. */
const blocksPerPiece = 64;

let before = 0;

const sizes = process.argv[2] === undefined ? [200_000, 2_000_000] : [Number(process.argv[2])];
for (const pieceCount of sizes) {
  console.log(`\n${pieceCount.toLocaleString('en')} pieces of ${blocksPerPiece} blocks, ${peerCount} peers`);
  seeds(pieceCount);
  halves(pieceCount);
}

/** All peers have everything: no bitfield is kept. */
function seeds(pieceCount: number): void {
  console.log(' all of them seeds');
  const picker = pickerOf(pieceCount);
  const full = Bitfield.full(pieceCount);
  timed('join', peerCount, () => {
    for (let peer = 0; peer < peerCount; peer++) join(picker, peer, full);
  });
  timed('first pick', 1, () => picker.pick(0, 1));
  memory('in arrays with the peers');
  blocks(picker, 'pick 1, receive 1, verify pieces', 400_000, 1);
  blocks(picker, 'pick 16, receive 16, verify pieces', 400_000, 16);
}

/** Each peer has a random half of the pieces, and tells of more as it gets them. */
function halves(pieceCount: number): void {
  console.log(' each with a random half');
  const random = seeded(1);
  const picker = pickerOf(pieceCount);
  const known = Array.from({ length: 8 }, () => randomHalf(pieceCount, random).bytes);
  timed('join', peerCount, () => {
    for (let peer = 0; peer < peerCount; peer++) join(picker, peer, turned(known[peer % 8] as Uint8Array, peer * 97));
  });
  timed('first pick, which sorts', 1, () => picker.pick(0, 1));
  memory('in arrays with the peers');
  const haves = 200_000;
  for (const name of ['have, cold', 'have, warm']) {
    const announced = Int32Array.from({ length: haves }, () => Math.floor(random() * pieceCount));
    timed(name, haves, () => {
      for (let index = 0; index < haves; index++) picker.peerHas(index % peerCount, announced[index] as number);
    });
  }
  timed('interesting', 1_000_000, () => {
    let count = 0;
    for (let index = 0; index < 1_000_000; index++) if (picker.interesting(index % peerCount)) count++;
    return count;
  });
  blocks(picker, 'pick 1, receive 1, verify pieces', 400_000, 1);
  blocks(picker, 'pick 16, receive 16, verify pieces', 400_000, 16);
  fewPieces(picker, pieceCount);
  let next = 0;
  const ahead = () => picker.setDeadline(next++, next);
  for (let piece = 0; piece < 64; piece++) ahead();
  blocks(picker, 'pick 1, receive 1, 64 deadlines ahead', 400_000, 1, ahead);
  picker.clearDeadlines();
  picker.sequential = true;
  blocks(picker, 'pick 1, receive 1, in sequence', 400_000, 1);
  picker.sequential = false;
  states(picker, pieceCount, random);
}

/** What users and checks change. */
function states(picker: Picker, pieceCount: number, random: () => number): void {
  const priorities = Uint8Array.from(
    { length: pieceCount },
    (_, piece) => [1, 4, 7, 0][((piece * 8) / pieceCount) & 3] as number,
  );
  timed('setPriorities, in eight files', 1, () => picker.setPriorities(priorities));
  timed('the next pick, which sorts', 1, () => picker.pick(0, 1));
  blocks(picker, 'pick 1, receive 1, with priorities', 400_000, 1);
  timed('hold a random half', 1, () => picker.hold(randomHalf(pieceCount, random)));
  picker.pick(0, 1);
  const checks = Math.min(100_000, pieceCount);
  timed('unhold or verify', checks, () => {
    for (let piece = 0; piece < checks; piece++) {
      if (piece % 2 === 0) picker.unhold(piece);
      else picker.verified(piece);
    }
  });
}

/** Every peer in turn asks for some blocks and sends them; `verified` is told of each whole piece. */
function blocks(picker: Picker, name: string, total: number, count: number, verified?: () => void): void {
  timed(name, total, () => {
    for (let done = 0, peer = 0; done < total; peer = (peer + 1) % peerCount) {
      for (const { piece, begin } of picker.pick(peer, count, done)) {
        done++;
        if (picker.received(peer, piece, begin) !== 'completed') continue;
        picker.verified(piece);
        verified?.();
      }
    }
  });
}

/** The walk at its worst: the peer has little, and all of it is more common than the rest. */
function fewPieces(picker: Picker, pieceCount: number): void {
  const bits = new Bitfield(pieceCount);
  for (let piece = 0; piece < 20; piece++) bits.add(pieceCount - 1 - piece * 7);
  for (let peer = 1000; peer < 1250; peer++) join(picker, peer, bits);
  const runs = 200;
  timed('start a piece for a peer with 20 common ones', runs, () => {
    for (let run = 0; run < runs; run++) {
      picker.pick(1001, 1);
      picker.releaseAll(1001);
    }
  });
  for (let peer = 1000; peer < 1250; peer++) picker.peerLeft(peer);
  picker.pick(0, 1);
}

function pickerOf(pieceCount: number): Picker {
  const geometry = geometryOf(pieceCount * blocksPerPiece * 16_384, blocksPerPiece * 16_384);
  const have = new Bitfield(pieceCount);
  before = arrayBytes();
  return timed('create', 1, () => new Picker({ geometry, have, random: seeded(2), randomFirstPieces: 0 }));
}

function join(picker: Picker, peer: number, bits: Bitfield): void {
  picker.peerJoined(peer);
  picker.peerPieces(peer, bits);
}

/** Processor time of the whole process: other work on the machine does not count, collecting garbage does. */
function timed<Result>(name: string, calls: number, work: () => Result): Result {
  const start = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(start);
  const nanoseconds = ((user + system) * 1000) / calls;
  const [value, unit] = nanoseconds < 1e5 ? [nanoseconds, 'ns'] : [nanoseconds / 1e6, 'ms'];
  console.log(`  ${value.toFixed(unit === 'ns' ? 0 : 1).padStart(9)} ${unit}   ${name}`);
  return result;
}

function memory(name: string): void {
  console.log(`  ${((arrayBytes() - before) / 2 ** 20).toFixed(1).padStart(9)} MiB  ${name}`);
}

/** After collections, when there are any to ask for: node --expose-gc. */
function arrayBytes(): number {
  for (let time = 0; time < 3; time++) globalThis.gc?.();
  return process.memoryUsage().arrayBuffers;
}

function randomHalf(length: number, random: () => number): Bitfield {
  const bytes = new Uint8Array(Math.ceil(length / 8));
  for (let index = 0; index < bytes.length; index++) bytes[index] = Math.floor(random() * 256);
  return new Bitfield(length, bytes);
}

/** The same bits from another byte on, so that no two peers have the same pieces. */
function turned(bytes: Uint8Array, by: number): Bitfield {
  const start = by % bytes.length;
  const result = new Uint8Array(bytes.length);
  result.set(bytes.subarray(start));
  result.set(bytes.subarray(0, start), bytes.length - start);
  return new Bitfield(bytes.length * 8, result);
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
