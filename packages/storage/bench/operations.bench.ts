// What one operation costs the main thread: reads of 512 KiB into 32 blocks, as seeding does, writes of pieces of 1 MiB,
// and small ones of 16 KiB. `node bench/operations.bench.ts DIRECTORY`; best a directory in memory (tmpfs).
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { FileStorage } from '@shoal/storage';

const size = 64 * 1024 * 1024;
const rounds = 7;
const operationsPerRound = 2000;
/** Under way at once, as in a busy session. */
const lanes = 4;

const root = await mkdtemp(path.join(process.argv[2] ?? '/dev/shm', 'shoal-bench-'));
try {
  await using storage = await FileStorage.open({ directory: root, files: [{ path: ['content'], length: size }] });
  const shared = (length: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(length)).fill(7);
  const [piece, block] = [shared(1_048_576), shared(16_384)];
  const blocks = Array.from({ length: 32 }, () => shared(16_384));
  for (let at = 0; at < size; at += piece.length) await storage.write(at, piece);
  const rows: readonly (readonly [string, number, (offset: number) => Promise<void>])[] = [
    ['read 32 blocks', 524_288, (offset) => storage.read(offset, blocks)],
    ['read 16 KiB', 16_384, (offset) => storage.read(offset, [block])],
    ['write 1 MiB', piece.length, (offset) => storage.write(offset, piece)],
    ['write 16 KiB', block.length, (offset) => storage.write(offset, block)],
  ];
  for (const [name, length, operation] of rows) {
    const costs: number[] = [];
    for (let round = 0; round < rounds; round += 1) costs.push(await costOf(length, operation));
    costs.sort((a, b) => a - b);
    console.log(`${name.padEnd(16)} median ${costs[rounds >> 1]!.toFixed(2)} µs, least ${costs[0]!.toFixed(2)} µs`);
  }
} finally {
  await rm(root, { recursive: true });
}

/** Microseconds of the main thread for each operation. */
async function costOf(length: number, operation: (offset: number) => Promise<void>): Promise<number> {
  const begin = process.threadCpuUsage();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < operationsPerRound) await operation((next++ * length) % (size - length + 1));
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const { user, system } = process.threadCpuUsage(begin);
  return (user + system) / operationsPerRound;
}
