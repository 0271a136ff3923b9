// What parsing a large torrent costs, beside its parts that no parser can leave out; and making one. Prints, asserts nothing.
// Run: node packages/metainfo/bench/parse.bench.ts
import { decode, encode } from '@shoal/bencode';
import { hash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMetainfo, parseMetainfo } from '../src/index.ts';

const pieceLength = 262_144;

function torrent(fileCount: number, pieceCount: number): Uint8Array {
  const files = Array.from({ length: fileCount }, (_, i) => ({
    length: (pieceLength * pieceCount) / fileCount,
    path: [`folder ${Math.floor(i / 100)}`, 'inner folder', `some file number ${i} of the torrent.ext`],
  }));
  const pieces = new Uint8Array(20 * pieceCount);
  return encode({ info: { files, name: 'large', 'piece length': pieceLength, pieces } });
}

/** Milliseconds: the fastest and the median of many, since the machine may be busy. */
function report(name: string, run: () => unknown): void {
  const times = Array.from({ length: 100 }, () => {
    const started = performance.now();
    run();
    return performance.now() - started;
  }).toSorted((a, b) => a - b);
  console.log(
    `${name.padEnd(44)} ${(times[0] ?? 0).toFixed(2).padStart(8)} ${(times[50] ?? 0).toFixed(2).padStart(8)}`,
  );
}

console.log(`${'milliseconds'.padEnd(44)} ${'fastest'.padStart(8)} ${'median'.padStart(8)}`);
for (const [fileCount, pieceCount] of [
  [1, 4000],
  [200, 4000],
  [10_000, 40_000],
] as const) {
  const bytes = torrent(fileCount, pieceCount);
  report(`parse ${fileCount} files, ${pieceCount} pieces`, () => parseMetainfo(bytes));
  report('  of which bencode', () => decode(bytes));
  report('  of which SHA-1', () => hash('sha1', bytes));
}

const folder = await mkdtemp(join(tmpdir(), 'shoal-bench-'));
try {
  const content = Buffer.alloc(268_435_456, 'content that is no zeros');
  await writeFile(join(folder, 'file'), content);
  for (const length of [16_384, pieceLength, 4_194_304, 16_777_216]) {
    const started = performance.now();
    const before = performance.eventLoopUtilization();
    await createMetainfo(join(folder, 'file'), { pieceLength: length });
    const { utilization } = performance.eventLoopUtilization(before);
    const seconds = (performance.now() - started) / 1000;
    const rate = `${(content.length / seconds / 1e6).toFixed(0)} MB/s`;
    console.log(
      `make, 256 MiB in pieces of ${length / 1024} KiB: ${rate}, main thread busy ${(utilization * 100).toFixed(0)} %`,
    );
  }
  const started = performance.now();
  hash('sha1', content);
  console.log(`SHA-1 alone, one thread: ${(content.length / (performance.now() - started) / 1e3).toFixed(0)} MB/s`);
} finally {
  await rm(folder, { recursive: true });
}
