// An HTTP server in several threads that share its port: they answer plain requests, and this one, which owns the swarms,
// everything else, over a socket that only this user can reach. What a thread does is in http-thread.ts.
import type { SourceAddress } from '../http/source-address.ts';
import type { SwarmService } from '../swarm-service.ts';
import type { HttpTraffic } from '../traffic.ts';
import type { HttpStart } from './http-thread.ts';
import { makeInnerFolder } from './inner-folder.ts';
import { type SwarmThreads, startThreads } from './swarm-thread.ts';

export interface HttpThreadsOptions extends Omit<HttpStart, 'trust' | 'inner' | 'descriptor'> {
  readonly source: SourceAddress;
  readonly workers: number;
  /** Numbers of sockets that listen already, in place of such of our own. */
  readonly descriptors?: readonly number[] | undefined;
  readonly clock: () => number;
  readonly traffic: HttpTraffic;
  /** Hears of failures of our own. */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Makes the server of everything else listen at a path; its connections all begin with a PROXY header. */
  readonly listenAt: (path: string) => Promise<unknown>;
}

/** Starts the threads; resolves when all of them listen. @throws TrackerServerError when the address cannot be bound */
export async function serveInThreads(service: SwarmService, options: HttpThreadsOptions): Promise<SwarmThreads> {
  const { source, workers, clock, traffic, listenAt, host, onError } = options;
  const own = startOf(options);
  const folder = await makeInnerFolder();
  try {
    const inner = folder.socket;
    await listenAt(inner);
    const threads = await startThreads<HttpStart>({
      workers,
      service,
      clock,
      transport: 'http',
      module: 'http-thread',
      host,
      // As without threads: who does not listen does not hear.
      onError: onError ?? ((): void => {}),
      port: options.port,
      descriptors: options.descriptors,
      start: (port, descriptor) => ({ ...own, port, descriptor, trust: source.options, inner }),
      count: (counted) => {
        for (const name of Object.keys(traffic) as (keyof HttpTraffic)[]) traffic[name] += counted[name] ?? 0;
      },
    });
    const following = source.onOptions((trust) => threads.tell({ trust }));
    return {
      ...threads,
      async [Symbol.asyncDispose](): Promise<void> {
        following[Symbol.dispose]();
        await threads[Symbol.asyncDispose]();
        await folder[Symbol.asyncDispose]();
      },
    };
  } catch (cause) {
    await folder[Symbol.asyncDispose]();
    throw cause;
  }
}

/** What can be sent to a thread: a server's options have functions among them, even where their types do not. */
function startOf(options: HttpThreadsOptions): Omit<HttpStart, 'trust' | 'inner' | 'descriptor'> {
  const { host, port, gzip, scrapeLimit, keepAliveMs, requestTimeoutMs, maxConnections } = options;
  return { host, port, gzip, scrapeLimit, keepAliveMs, requestTimeoutMs, maxConnections };
}
