// Threads that share a UDP port, seen from the thread that owns the swarms: starting and ending them, carrying bells and
// counters. What a thread does is in udp-thread.ts; why the swarms have one owner in docs/decisions/0012.
import { randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { Endpoint } from '@shoal/tracker-protocol';
import { TrackerServerError } from '../errors.ts';
import type { SwarmService } from '../swarm-service.ts';
import type { UdpTraffic } from '../traffic.ts';
import type { ConnectionIdMode } from '../udp/address-proof.ts';
import type { UdpListener } from '../udp/listener.ts';
import { RingReader, RingWriter, ringMemory } from './ring.ts';
import { SwarmOwner } from './swarm-owner.ts';
import type { FromThread, ThreadStart, ToThread } from './udp-thread.ts';

export interface ThreadsOptions {
  readonly host: string;
  readonly port: number;
  readonly receiveBufferBytes: number;
  /** Over all threads. */
  readonly errorsPerSecond: number;
  readonly connectionIds: ConnectionIdMode | undefined;
  readonly connectionSecret: Uint8Array | undefined;
  /** Trusted proxies, where they say whom they forward. */
  readonly proxies: readonly string[] | undefined;
  readonly workers: number;
  readonly clock: () => number;
  /** What the threads count is added a few times a second. */
  readonly traffic: UdpTraffic;
}

/** Questions of at most 8 KB, of which most have a hundred bytes: room for thousands. */
const questionBytes = 1 << 20;

/** Answers of at most 80 KB, of which most have a few hundred bytes. */
const answerBytes = 4 << 20;

/** Starts the threads; resolves when all of them listen. @throws TrackerServerError when the address cannot be bound */
export async function listenInThreads(service: SwarmService, options: ThreadsOptions): Promise<UdpListener> {
  const { host, port, workers } = options;
  const shared = { ...options, connectionSecret: options.connectionSecret ?? randomBytes(8) };
  const threads: Thread[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(threads.map((thread) => thread.close()));
  };
  try {
    // The first one finds the port, where any would do.
    const first = new Thread(service, shared, port);
    threads.push(first);
    const address = await first.listening;
    for (let count = 1; count < workers; count++) threads.push(new Thread(service, shared, address.port));
    await Promise.all(threads.map(({ listening }) => listening));
    return { address, [Symbol.asyncDispose]: close };
  } catch (cause) {
    await close();
    throw cause instanceof TrackerServerError ? cause : new TrackerServerError('udp', host, port, cause);
  }
}

class Thread {
  readonly listening: Promise<Endpoint>;
  readonly #worker: Worker;
  readonly #owner: SwarmOwner;
  readonly #closed: Promise<void>;

  constructor(
    service: SwarmService,
    options: ThreadsOptions & { readonly connectionSecret: Uint8Array },
    port: number,
  ) {
    const { clock, traffic, workers, ...socket } = options;
    const [questions, answers] = [ringMemory(questionBytes), ringMemory(answerBytes)];
    const start: ThreadStart = {
      ...socket,
      port,
      errorsPerSecond: Math.ceil(options.errorsPerSecond / workers),
      questions,
      answers,
    };
    this.#worker = new Worker(threadModule, { name: 'shoal-udp', execArgv: conditions(), workerData: start });
    this.#owner = new SwarmOwner(
      service,
      clock,
      new RingReader(questions),
      new RingWriter(answers, () => this.#tell('bell')),
    );
    const { promise, resolve, reject } = Promise.withResolvers<Endpoint>();
    this.listening = promise;
    this.#worker.on('message', (message: FromThread) => {
      if (message === 'bell') this.#owner.serve();
      else if ('listening' in message) resolve(message.listening);
      else if ('failed' in message) reject(failureOf(message.failed, options.host, port));
      else for (const [name, count] of Object.entries(message.counted)) traffic[name as keyof UdpTraffic] += count;
    });
    this.#closed = new Promise((closed) => this.#worker.once('exit', () => closed()));
    // A mistake of ours; it ends a tracker of one thread too.
    this.#worker.once('error', (cause) => {
      reject(cause instanceof Error ? cause : new TypeError('a thread failed', { cause }));
      throw cause;
    });
  }

  async close(): Promise<void> {
    this.#tell('close');
    await this.#closed;
    this.#owner.close();
  }

  #tell(message: ToThread): void {
    this.#worker.postMessage(message);
  }
}

/** In the workspace the sources run as they are; a published package has the compiled module beside this one. */
const threadModule: URL = new URL(
  import.meta.url.endsWith('.ts') ? './udp-thread.ts' : './udp-thread.js',
  import.meta.url,
);

/** The conditions of this process and nothing else: some arguments, such as `--input-type`, would keep a module from being loaded. */
function conditions(): string[] {
  return process.execArgv.flatMap((argument, index, all) => {
    if (argument.startsWith('--conditions=')) return [argument];
    const value = all[index + 1];
    return (argument === '-C' || argument === '--conditions') && value !== undefined ? [`--conditions=${value}`] : [];
  });
}

function failureOf(
  { code, message }: { code: string; message: string },
  host: string,
  port: number,
): TrackerServerError {
  return new TrackerServerError('udp', host, port, Object.assign(new Error(message), { code }));
}
