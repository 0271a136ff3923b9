// Whether a long campaign leaves something behind: the heap after a collection, early and late.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Episodes between two looks; after the first so many, code is compiled and tables have grown. */
const lookEvery = 50;

/** Code that is compiled later and lists of what was seen. A leak of one byte an input is more in ten million. */
const allowedBytes = 8 * 1024 * 1024;

export class HeapWatch {
  #first: number | undefined;
  #last = 0;

  /** Looks, once warm. */
  look(episodes: number): void {
    if (episodes === 0 || episodes % lookEvery !== 0) return;
    this.#last = heapBytes();
    this.#first ??= this.#last;
  }

  /** What has been added since the first look, in bytes; 0 before there were two. */
  get growth(): number {
    return this.#first === undefined ? 0 : this.#last - this.#first;
  }

  get isFlat(): boolean {
    return this.growth <= allowedBytes;
  }
}

/** Live bytes: the first sweep runs finalizers, the second takes what they let go. */
function heapBytes(): number {
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
