// How fast a check reads and hashes, beside one core of crypto.hash alone. Prints, asserts nothing.
// usage: node bench/check.bench.ts [DIRECTORY]   (256 MiB there; default the system's temporary folder)
import { hash, randomFillSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { geometryOf, pieceLengthAt } from '@shoal/pieces';
import { FileStorage, HashPool } from '../src/index.ts';

const totalLength = 256 * 1024 * 1024;
const rounds = 5;

await main(process.argv[2] ?? tmpdir());

async function main(parent: string): Promise<void> {
  const content = randomFillSync(new Uint8Array(totalLength));
  const directory = await mkdtemp(path.join(parent, 'shoal-bench-'));
  try {
    const pool = new HashPool();
    console.log(
      `MB/s (10^6), median of ${rounds}; ${totalLength / 2 ** 20} MiB in ${parent}, ${pool.concurrency} cores`,
    );
    console.log('piece      crypto.hash  checkPieces  ratio  main thread busy');
    for (const kibibytes of [16, 64, 256, 1024, 4096, 16_384])
      await compare(directory, content, kibibytes * 1024, pool);
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function compare(directory: string, content: Uint8Array, pieceLength: number, pool: HashPool): Promise<void> {
  const geometry = geometryOf(totalLength, pieceLength);
  await using storage = await FileStorage.open({ directory, files: [{ path: ['content'], length: totalLength }] });
  await storage.write(0, content);
  const hashes = new Uint8Array(geometry.pieceCount * 20);
  const alone: number[] = [];
  const checked: number[] = [];
  const busy: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    alone.push(await rateOf(async () => hashAll(content, pieceLength, hashes)));
    const before = performance.eventLoopUtilization();
    checked.push(
      await rateOf(async () => {
        const good = await pool.checkPieces(storage, geometry, hashes);
        if (!good.isFull) throw new Error(`${geometry.pieceCount - good.count} pieces are wrong`);
      }),
    );
    busy.push(performance.eventLoopUtilization(before).utilization * 100);
  }
  const columns = [median(alone).toFixed(0).padStart(8), median(checked).toFixed(0).padStart(13)];
  const ratio = (median(checked) / median(alone)).toFixed(2).padStart(9);
  console.log(
    `${String(pieceLengthAt(geometry, 0) / 1024).padStart(5)} KiB`,
    ...columns,
    ratio,
    `${median(busy).toFixed(0).padStart(10)} %`,
  );
}

function hashAll(content: Uint8Array, pieceLength: number, hashes: Uint8Array): void {
  for (let offset = 0; offset < content.length; offset += pieceLength) {
    hashes.set(hash('sha1', content.subarray(offset, offset + pieceLength), 'buffer'), (offset / pieceLength) * 20);
  }
}

/** Bytes of all content per second, in 10^6. */
async function rateOf(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return totalLength / 1e3 / (performance.now() - start);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
