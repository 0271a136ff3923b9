// What a hashing thread does: takes jobs on shared memory and answers each with its digests. Decides nothing. Others
// import only its types: loading it makes the thread that it runs in a hashing thread.
import { parentPort } from 'node:worker_threads';
import { digestsOf } from './digests.ts';

/** Bytes to hash in parts of `partLength`, which stay as they are until the answer. */
export interface HashJob {
  readonly id: number;
  readonly buffer: SharedArrayBuffer;
  readonly offset: number;
  readonly length: number;
  readonly partLength: number;
}

export interface HashAnswer {
  readonly id: number;
  /** 20 bytes a part. */
  readonly digests: Uint8Array;
}

parentPort?.on('message', ({ id, buffer, offset, length, partLength }: HashJob) => {
  const answer: HashAnswer = { id, digests: digestsOf(new Uint8Array(buffer, offset, length), partLength) };
  parentPort?.postMessage(answer);
});
