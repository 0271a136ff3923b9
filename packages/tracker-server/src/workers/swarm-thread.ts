// Threads that share a port, seen from the thread that owns the swarms: starting and ending them, carrying bells,
// counters and what is trusted. Knows no transport. Why the swarms have one owner: docs/decisions/0012.
import { Worker } from 'node:worker_threads';
import type { Endpoint } from '@shoal/tracker-protocol';
import { TrackerServerError } from '../errors.ts';
import type { SourceOptions } from '../http/source-address.ts';
import type { SwarmService } from '../swarm-service.ts';
import type { UdpChanges } from '../udp/listener.ts';
import type { OutgoingDatagram, Relay } from '../udp/outlet.ts';
import { type RingMemory, RingReader, RingWriter, ringMemory } from './ring.ts';
import { SwarmOwner } from './swarm-owner.ts';

/** How a thread reaches the swarms. */
export interface Rings {
  readonly questions: RingMemory;
  readonly answers: RingMemory;
}

/**
 * `bell`: answers are there. `trust`, `udp`: who is a trusted proxy, and what else holds, from now on. `drain`: take nothing
 * new, and answer for so many ms at most. `send`: an answer of a process before.
 */
export type ToThread =
  | 'bell'
  | 'close'
  | { readonly trust: SourceOptions }
  | { readonly udp: UdpChanges }
  | { readonly drain: number }
  | { readonly send: OutgoingDatagram };

/** Counters by name. */
export type Counted = Readonly<Record<string, number>>;

/** `bell`: questions are there. `drained`: all that was taken is answered; `relay`: by another socket, if need be. `counted`: since it was last said. `fault`: a failure of our own, for which a client heard that the tracker failed. */
export type FromThread =
  | 'bell'
  | 'drained'
  | { readonly relay: OutgoingDatagram }
  | { readonly listening: Endpoint }
  | { readonly failed: { readonly code: string; readonly message: string } }
  | { readonly counted: Counted }
  | { readonly fault: Error };

export interface SwarmThreadsOptions<Start> {
  readonly workers: number;
  readonly service: SwarmService;
  readonly clock: () => number;
  readonly transport: 'http' | 'udp';
  /** The name of the module that a thread runs, in this folder and without its ending. */
  readonly module: string;
  /** What a thread is started with, on the port that it shall take, or with the number of a socket that listens there. */
  readonly start: (port: number, descriptor: number | undefined) => Start;
  /** Numbers of sockets that listen already: for one thread each, as far as they go. */
  readonly descriptors?: readonly number[] | undefined;
  readonly host: string;
  readonly port: number;
  /** Takes what threads counted, a few times a second. */
  readonly count: (counted: Counted) => void;
  /** Hears of failures of our own, in threads and in `service`. */
  readonly onError: (error: unknown) => void;
}

/** Threads that listen. Disposing closes their sockets and ends them. */
export interface SwarmThreads extends AsyncDisposable {
  readonly address: Endpoint;
  tell(message: ToThread): void;
  /** Has one thread send a datagram. */
  send(datagram: OutgoingDatagram): void;
  /**
   * Leaves the sockets to another process; resolves when what was taken from them is answered, or after `limitMs`. What
   * comes too late for a socket goes to `relay`.
   */
  drain(limitMs: number, relay?: Relay): Promise<void>;
}

/** More threads than any machine here has cores are a mistake. */
const mostWorkers = 64;

/** The number of threads asked for, 1 by default. @throws RangeError */
export function checkedWorkers(workers = 1): number {
  if (Number.isInteger(workers) && workers >= 1 && workers <= mostWorkers) return workers;
  throw new RangeError(`workers must be 1 to ${mostWorkers}`);
}

/** Questions of at most 8 KB, of which most have a hundred bytes: room for thousands. */
const questionBytes = 1 << 20;

/** Answers of at most 80 KB, of which most have a few hundred bytes. */
const answerBytes = 4 << 20;

/** Starts threads; resolves when all of them listen. @throws TrackerServerError when the address cannot be bound */
export async function startThreads<Start extends object>(options: SwarmThreadsOptions<Start>): Promise<SwarmThreads> {
  const threads: SwarmThread<Start>[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(threads.map((thread) => thread.close()));
  };
  try {
    // The first one finds the port, where any would do.
    const first = new SwarmThread(options, options.port, 0);
    threads.push(first);
    const address = await first.listening;
    for (let count = 1; count < options.workers; count++) threads.push(new SwarmThread(options, address.port, count));
    await Promise.all(threads.map(({ listening }) => listening));
    return {
      address,
      tell: (message) => {
        for (const thread of threads) thread.tell(message);
      },
      send: (datagram) => first.tell({ send: datagram }),
      async drain(limitMs, relay) {
        await Promise.all(threads.map((thread) => thread.drain(limitMs, relay)));
      },
      [Symbol.asyncDispose]: close,
    };
  } catch (cause) {
    await close();
    throw cause instanceof TrackerServerError
      ? cause
      : new TrackerServerError(options.transport, options.host, options.port, cause);
  }
}

class SwarmThread<Start extends object> {
  readonly listening: Promise<Endpoint>;
  readonly #worker: Worker;
  readonly #owner: SwarmOwner;
  readonly #ended: Promise<void>;
  readonly #drained = Promise.withResolvers<void>();
  #relay: Relay | undefined;

  constructor(options: SwarmThreadsOptions<Start>, port: number, index: number) {
    const { service, clock, transport, module, start, host, count, onError, descriptors } = options;
    const rings: Rings = { questions: ringMemory(questionBytes), answers: ringMemory(answerBytes) };
    const workerData: Start & Rings = { ...start(port, descriptors?.[index]), ...rings };
    this.#worker = new Worker(moduleUrl(module), { name: `shoal-${transport}`, execArgv: conditions(), workerData });
    const answers = new RingWriter(rings.answers, () => this.tell('bell'));
    this.#owner = new SwarmOwner(service, clock, new RingReader(rings.questions), answers, onError);
    const { promise, resolve, reject } = Promise.withResolvers<Endpoint>();
    this.listening = promise;
    this.#worker.on('message', (message: FromThread) => {
      if (message === 'bell') this.#owner.serve();
      else if (message === 'drained') this.#drained.resolve();
      else if ('relay' in message) this.#relay?.(message.relay);
      else if ('listening' in message) resolve(message.listening);
      else if ('failed' in message) reject(failureOf(message.failed, transport, host, port));
      else if ('counted' in message) count(message.counted);
      else onError(message.fault);
    });
    this.#ended = new Promise((ended) => this.#worker.once('exit', () => ended()));
    // A mistake of ours: it ends a tracker of one thread too.
    this.#worker.once('error', (cause) => {
      throw cause;
    });
  }

  drain(limitMs: number, relay: Relay | undefined): Promise<void> {
    this.#relay = relay;
    this.tell({ drain: limitMs });
    // A thread that ends meanwhile has nothing more to answer.
    return Promise.race([this.#drained.promise, this.#ended]);
  }

  async close(): Promise<void> {
    this.tell('close');
    await this.#ended;
    this.#owner.close();
  }

  tell(message: ToThread): void {
    this.#worker.postMessage(message);
  }
}

/** In the workspace the sources run as they are; a published package has the compiled module beside this one. */
function moduleUrl(name: string): URL {
  return new URL(`./${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
}

/** The conditions of this process and nothing else: some arguments, such as `--input-type`, would keep a module from being loaded. */
function conditions(): string[] {
  return process.execArgv.flatMap((argument, index, all) => {
    if (argument.startsWith('--conditions=')) return [argument];
    const value = all[index + 1];
    return (argument === '-C' || argument === '--conditions') && value !== undefined ? [`--conditions=${value}`] : [];
  });
}

function failureOf(
  { code, message }: { readonly code: string; readonly message: string },
  transport: 'http' | 'udp',
  host: string,
  port: number,
): TrackerServerError {
  return new TrackerServerError(transport, host, port, Object.assign(new Error(message), { code }));
}
