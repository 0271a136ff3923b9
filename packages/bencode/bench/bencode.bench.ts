// Decoding and encoding beside npm `bencode` 4, in one run: medians of alternating rounds, and of their ratios.
// Run: node packages/bencode/bench/bencode.bench.ts
import npmBencode from 'bencode';
import { type BencodeInput, type BencodeValue, decode, encode, rawValue } from '../src/index.ts';

const rounds = 15;
/** About how long one timed round takes: long enough that each side pays for the garbage it makes. */
const roundMs = 60;

const documents: readonly (readonly [string, BencodeInput])[] = [
  ['torrent of 10 000 files', torrent(10_000, 40_000)],
  ['torrent of 200 files', torrent(200, 4000)],
  ['one file, 200 000 pieces', torrent(1, 200_000)],
  [
    'announce reply, 50 peers',
    { complete: 30, incomplete: 20, interval: 1800, 'min interval': 900, peers: pattern(300) },
  ],
  ['DHT query', { a: { id: pattern(20), info_hash: pattern(20) }, q: 'get_peers', t: 'aa', y: 'q' }],
  ['extension handshake', { m: { ut_metadata: 1, ut_pex: 2 }, metadata_size: 31_235, p: 6881, reqq: 250, v: 'Shoal' }],
  ['list of 20 000 integers', Array.from({ length: 20_000 }, (_, index) => index * 97)],
];

console.log('microseconds a call (median)           npm bencode 4        ours    ratio');
for (const [name, value] of documents) {
  const bytes = encode(value);
  const ours = decode(bytes);
  const theirs = npmBencode.decode(bytes);
  report(
    `decode ${name}`,
    () => npmBencode.decode(bytes),
    () => decode(bytes),
  );
  report(
    `encode ${name}`,
    () => npmBencode.encode(theirs),
    () => encode(ours as BencodeInput),
  );
}
const large = encode(torrent(10_000, 40_000));
// Theirs has no such thing: what its users do is decode, then encode again, and hope.
report(
  'raw info of 10 000 files',
  () => npmBencode.encode(infoOf(npmBencode.decode(large))),
  () => rawValue(large, 'info'),
);

function report(name: string, theirs: () => unknown, ours: () => unknown): void {
  const theirCalls = callsARound(theirs);
  const ourCalls = callsARound(ours);
  const theirTimes: number[] = [];
  const ourTimes: number[] = [];
  // In turns, so that a busy moment of the machine falls on both.
  for (let round = 0; round < rounds; round += 1) {
    theirTimes.push(timeOf(theirs, theirCalls));
    ourTimes.push(timeOf(ours, ourCalls));
  }
  const [their, our] = [median(theirTimes), median(ourTimes)];
  // Of neighbours in time, so that a busy machine makes the figures larger but hardly changes the ratio.
  const ratio = median(theirTimes.map((time, round) => time / ourTimes[round]!));
  const figures = [their.toFixed(1).padStart(14), our.toFixed(1).padStart(12), `${ratio.toFixed(1)}x`.padStart(9)];
  console.log(`${name.padEnd(38)}${figures.join('')}`);
}

function callsARound(call: () => unknown): number {
  const start = performance.now();
  let calls = 0;
  for (; performance.now() - start < 2 * roundMs; calls += 1) call();
  return Math.max(1, Math.ceil(calls / 2));
}

/** Microseconds a call. */
function timeOf(call: () => unknown, calls: number): number {
  const start = performance.now();
  for (let index = 0; index < calls; index += 1) call();
  return ((performance.now() - start) * 1000) / calls;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

function torrent(fileCount: number, pieceCount: number): BencodeInput {
  const files = Array.from({ length: fileCount }, (_, index) => ({
    length: 1000 + index * 37,
    path: [`folder ${index % 100}`, `part ${index % 7}`, `file number ${index}.dat`],
  }));
  const info = { files, name: 'torrent', 'piece length': 262_144, pieces: pattern(20 * pieceCount) };
  return { announce: 'http://tracker.example/announce', 'created by': 'Shoal', 'creation date': 1_700_000_000, info };
}

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 167) & 0xff);
}

function infoOf(value: unknown): BencodeValue {
  return (value as { info: BencodeValue }).info;
}
