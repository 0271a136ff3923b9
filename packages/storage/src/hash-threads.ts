// Threads that hash shared memory. Decides when a thread starts, which one gets a job, and what becomes of the jobs of
// one that dies. Must not know whether a job is worth a thread or whose turn it is; that is hash-pool.ts.
import { Worker } from 'node:worker_threads';
import { defaults } from './defaults.ts';
import { StorageError } from './errors.ts';
import type { HashAnswer, HashJob } from './hash-worker.ts';

/**
 * Threads, each started when all others have work. An idle one does not keep the process alive, and ends after a while:
 * it holds 13 MB, and the shared memory of its past jobs until its own garbage is collected.
 */
export class HashThreads {
  readonly #threads: Set<HashThread> = new Set();
  #closed: Promise<void> | undefined;

  /** @throws StorageError `closed`. */
  requireOpen(): void {
    if (this.#closed !== undefined) throw closedError();
  }

  /**
   * The SHA-1 of each part of `bytes`, 20 bytes a part. A thread is started for it only while there are fewer than `limit`.
   * @throws StorageError `closed`; `thread` when the thread died over it or could not be started.
   */
  async digests(bytes: Uint8Array<SharedArrayBuffer>, partLength: number, limit: number): Promise<Uint8Array> {
    this.requireOpen();
    return this.#leastLoaded(limit).digests(bytes, partLength);
  }

  /** Ends all threads. Jobs without an answer reject as `closed`. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.all(Array.from(this.#threads, (thread) => thread.close()));
  }

  #leastLoaded(limit: number): HashThread {
    let best: HashThread | undefined;
    for (const thread of this.#threads) if (best === undefined || thread.load < best.load) best = thread;
    if (best !== undefined && (best.load === 0 || this.#threads.size >= limit)) return best;
    const started = new HashThread(() => this.#threads.delete(started));
    this.#threads.add(started);
    return started;
  }
}

/** One thread and the jobs that it has not answered. */
class HashThread {
  readonly #worker: Worker;
  readonly #jobs: Map<number, PendingJob> = new Map();
  readonly #ended: () => void;
  #nextId = 0;
  #isClosing = false;
  #idleTimer: NodeJS.Timeout | undefined;

  /** `ended` is called when no further job may be given to it. */
  constructor(ended: () => void) {
    this.#ended = ended;
    this.#worker = startWorker();
    this.#worker.unref();
    this.#worker.on('message', (answer: HashAnswer) => this.#answered(answer));
    this.#worker.on('error', (cause) => this.#end(deathError(cause)));
    this.#worker.on('exit', (status) => this.#end(deathError(new Error(`the thread ended with status ${status}`))));
  }

  /** Jobs that wait for an answer. */
  get load(): number {
    return this.#jobs.size;
  }

  digests(bytes: Uint8Array<SharedArrayBuffer>, partLength: number): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const id = this.#nextId++;
    // Who awaits an answer wants the process to live until then.
    if (this.#jobs.size === 0) this.#worker.ref();
    clearTimeout(this.#idleTimer);
    this.#jobs.set(id, { resolve, reject });
    const job: HashJob = { id, buffer: bytes.buffer, offset: bytes.byteOffset, length: bytes.length, partLength };
    this.#worker.postMessage(job);
    return promise;
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#idleTimer);
    await this.#worker.terminate();
  }

  #answered({ id, digests }: HashAnswer): void {
    this.#jobs.get(id)?.resolve(digests);
    this.#jobs.delete(id);
    if (this.#jobs.size > 0) return;
    this.#worker.unref();
    this.#idleTimer = setTimeout(() => {
      this.#ended();
      void this.close();
    }, defaults.idleThreadMs).unref();
  }

  #end(death: StorageError): void {
    clearTimeout(this.#idleTimer);
    this.#ended();
    const reason = this.#isClosing ? closedError() : death;
    for (const job of this.#jobs.values()) job.reject(reason);
    this.#jobs.clear();
  }
}

interface PendingJob {
  readonly resolve: (digests: Uint8Array) => void;
  readonly reject: (reason: StorageError) => void;
}

/** In the workspace the sources run as they are; a published package has the compiled module beside this one. */
const workerModule: URL = new URL(
  import.meta.url.endsWith('.ts') ? './hash-worker.ts' : './hash-worker.js',
  import.meta.url,
);

/** Without the process's own arguments: some, such as `--input-type`, would keep a module from being loaded. */
function startWorker(): Worker {
  try {
    return new Worker(workerModule, { name: 'shoal-hash', execArgv: [] });
  } catch (cause) {
    throw deathError(cause);
  }
}

function deathError(cause: unknown): StorageError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StorageError('thread', `cannot hash: a hashing thread failed; try again (${reason})`, { cause });
}

function closedError(): StorageError {
  return new StorageError('closed', 'the hash pool is closed');
}
