// How fast a check reads and hashes, and what it leaves of the main thread, beside one core of crypto.hash alone.
// Prints, asserts nothing.
// usage: node bench/check.bench.ts [DIRECTORY [THREADS]]   (128 MiB there; default the system's temporary folder)
import { hash, randomFillSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { geometryOf } from '@shoal/pieces';
import { FileStorage, HashPool } from '../src/index.ts';
import { measure, row } from './rates.ts';

const totalLength = 128 * 1024 * 1024;
const rounds = 5;

await main(process.argv[2] ?? tmpdir(), process.argv[3]);

async function main(parent: string, threads: string | undefined): Promise<void> {
  const content = randomFillSync(new Uint8Array(totalLength));
  const directory = await mkdtemp(path.join(parent, 'shoal-bench-'));
  try {
    await using pool = new HashPool(threads === undefined ? {} : { concurrency: Number(threads) });
    console.log(`${totalLength / 2 ** 20} MiB in ${parent}, ${pool.concurrency} threads; median of ${rounds};`);
    console.log('MB/s (10^6), CPU s of the main thread per GiB, worst delay of the main thread in ms');
    console.log('piece      |            crypto.hash |            checkPieces');
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
  const alone = await measure(totalLength, rounds, async () => hashAll(content, pieceLength, hashes));
  const checked = await measure(totalLength, rounds, async () => {
    const good = await pool.checkPieces(storage, geometry, hashes);
    if (!good.isFull) throw new Error(`${geometry.pieceCount - good.count} pieces are wrong`);
  });
  console.log(row(`${pieceLength / 1024} KiB`, [alone, checked]));
}

function hashAll(content: Uint8Array, pieceLength: number, hashes: Uint8Array): void {
  for (let offset = 0; offset < content.length; offset += pieceLength) {
    hashes.set(hash('sha1', content.subarray(offset, offset + pieceLength), 'buffer'), (offset / pieceLength) * 20);
  }
}
