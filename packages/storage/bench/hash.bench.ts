// What hashing one piece after another costs the main thread: on the spot, by Web Crypto, by threads on shared memory,
// by threads on a copy. Four pieces at a time, as a download has them. Prints, asserts nothing.
// usage: node bench/hash.bench.ts [THREADS]
import { hash, randomFillSync } from 'node:crypto';
import { HashPool } from '../src/index.ts';
import { measure, type Measurement, row } from './rates.ts';

const totalLength = 128 * 1024 * 1024;
const rounds = 3;
const piecesInFlight = 4;

await using pool = new HashPool(process.argv[2] === undefined ? {} : { concurrency: Number(process.argv[2]) });
console.log(
  `${pool.concurrency} threads; median of ${rounds}; MB/s (10^6), CPU s of the main thread per GiB, worst delay in ms`,
);
console.log(
  'piece      |            on the spot |             Web Crypto |        threads, shared |          threads, copy',
);
for (const kibibytes of [16, 32, 64, 128, 256, 1024, 4096, 16_384]) await compare(kibibytes * 1024);

async function compare(pieceLength: number): Promise<void> {
  const shared = slabs(pieceLength, (length) => new Uint8Array(new SharedArrayBuffer(length)));
  const unshared = slabs(pieceLength, (length) => new Uint8Array(length));
  const measurements = [
    await each(unshared, (bytes) => hash('sha1', bytes, 'buffer')),
    await each(unshared, (bytes) => crypto.subtle.digest('SHA-1', bytes)),
    await each(shared, (bytes) => pool.sha1(bytes)),
    await each(unshared, (bytes) => pool.sha1(bytes)),
  ];
  console.log(row(`${pieceLength / 1024} KiB`, measurements));
}

function slabs<Slab extends Uint8Array>(pieceLength: number, make: (length: number) => Slab): Slab[] {
  return Array.from({ length: piecesInFlight }, () => randomFillSync(make(pieceLength)));
}

/** A turn of the event loop between two pieces of a lane: pieces of a download arrive one by one. */
async function each<Slab extends Uint8Array>(
  lanes: readonly Slab[],
  digest: (bytes: Slab) => Promise<unknown> | Uint8Array,
): Promise<Measurement> {
  return measure(totalLength, rounds, async () => {
    let left = totalLength;
    await Promise.all(
      lanes.map(async (slab) => {
        while (left > 0) {
          left -= slab.length;
          await digest(slab);
          await new Promise((resolve) => setImmediate(resolve));
        }
      }),
    );
  });
}
