// Buffers that hold whole pieces on their way to or from a disk. Decides how much memory they may take together and
// reuses them, so that a steady download allocates nothing. Must not know what is in them: contents are not cleared.
import { defaults } from './defaults.ts';
import { requirePositive } from './operation-queue.ts';

export interface SlabPoolOptions {
  /** Bytes of all slabs together, lent and idle; default 32 MiB. One larger slab is lent when no other is. */
  readonly limitBytes?: number;
  /** Bytes of slabs kept for reuse while they are not lent; default all of them. */
  readonly idleBytes?: number;
}

/**
 * A bounded pool of buffers, each on a `SharedArrayBuffer` of its own, so that a `HashPool` hashes them where they are.
 * Files read and write such memory like any other; to fill a slab by hand use `copyBytes`, not `set`.
 */
export class SlabPool {
  readonly limitBytes: number;
  readonly idleLimitBytes: number;
  #lentBytes = 0;
  #idleBytes = 0;
  readonly #lent: Set<ArrayBufferLike> = new Set();
  /** Idle buffers by their capacity. */
  readonly #idle: Map<number, SharedArrayBuffer[]> = new Map();
  readonly #waiting: Set<Request> = new Set();

  /** @throws RangeError when a limit is no positive whole number. */
  constructor(options: SlabPoolOptions = {}) {
    this.limitBytes = options.limitBytes ?? defaults.slabLimitBytes;
    requirePositive('limitBytes', this.limitBytes);
    this.idleLimitBytes = options.idleBytes ?? this.limitBytes;
    requirePositive('idleBytes', this.idleLimitBytes);
  }

  /** Bytes of memory behind the slabs that are out. */
  get lentBytes(): number {
    return this.#lentBytes;
  }

  /** Bytes of memory the pool holds in all. */
  get bytes(): number {
    return this.#lentBytes + this.#idleBytes;
  }

  /**
   * A slab of exactly `length` bytes with arbitrary content, or undefined while the limit does not allow it or others
   * wait for one.
   * @throws RangeError when `length` is no positive whole number.
   */
  take(length: number): Uint8Array<SharedArrayBuffer> | undefined {
    requirePositive('length', length);
    return this.#waiting.size > 0 ? undefined : this.#lend(length);
  }

  /** Like `take`, but waits, in the order of the calls, until the limit allows it. Rejects with the signal's reason. */
  async acquire(length: number, signal?: AbortSignal): Promise<Uint8Array<SharedArrayBuffer>> {
    signal?.throwIfAborted();
    const slab = this.take(length);
    if (slab !== undefined) return slab;
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.delete(request);
        reject(signal?.reason);
        this.#serve();
      };
      const grant = (granted: Uint8Array<SharedArrayBuffer>): void => {
        signal?.removeEventListener('abort', abort);
        resolve(granted);
      };
      const request: Request = { length, grant };
      this.#waiting.add(request);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /**
   * Takes back a slab, or any view on its buffer. It must not be touched after that.
   * @throws TypeError when it is not out: returned twice, or another pool's.
   */
  give(slab: Uint8Array<SharedArrayBuffer>): void {
    const { buffer } = slab;
    if (!this.#lent.delete(buffer)) throw new TypeError('the slab is not one that this pool has lent');
    this.#lentBytes -= buffer.byteLength;
    if (buffer.byteLength + this.#idleBytes <= this.idleLimitBytes) {
      this.#idleBytes += buffer.byteLength;
      const idle = this.#idle.get(buffer.byteLength);
      if (idle === undefined) this.#idle.set(buffer.byteLength, [buffer]);
      else idle.push(buffer);
    }
    this.#serve();
  }

  /** Lets go of the memory of all slabs that are not out. */
  trim(): void {
    this.#idle.clear();
    this.#idleBytes = 0;
  }

  #serve(): void {
    for (const request of this.#waiting) {
      const slab = this.#lend(request.length);
      if (slab === undefined) return;
      this.#waiting.delete(request);
      request.grant(slab);
    }
  }

  #lend(length: number): Uint8Array<SharedArrayBuffer> | undefined {
    const capacity = capacityFor(length);
    if (this.#lent.size > 0 && this.#lentBytes + capacity > this.limitBytes) return undefined;
    const buffer = this.#takeIdle(capacity) ?? this.#allocate(capacity);
    this.#lent.add(buffer);
    this.#lentBytes += capacity;
    return new Uint8Array(buffer, 0, length);
  }

  #takeIdle(capacity: number): SharedArrayBuffer | undefined {
    const buffer = this.#idle.get(capacity)?.pop();
    if (buffer !== undefined) this.#idleBytes -= capacity;
    return buffer;
  }

  /** Idle slabs of other sizes make room first. */
  #allocate(capacity: number): SharedArrayBuffer {
    if (this.bytes + capacity > this.limitBytes) this.trim();
    return new SharedArrayBuffer(capacity);
  }
}

interface Request {
  readonly length: number;
  readonly grant: (slab: Uint8Array<SharedArrayBuffer>) => void;
}

/** One block: no piece in the wild is shorter, except a last one. */
const smallestCapacity = 16384;

/** The power of two that holds `length`: pieces are powers of two, and a torrent's last piece fits its others' slabs. */
function capacityFor(length: number): number {
  let capacity = smallestCapacity;
  while (capacity < length) capacity *= 2;
  return capacity;
}
