// A UDP server in several threads that share its port; the swarms stay in this one. What a thread does is in udp-thread.ts.
import { randomBytes } from 'node:crypto';
import type { SourceAddress } from '../http/source-address.ts';
import type { SwarmService } from '../swarm-service.ts';
import type { UdpTraffic } from '../traffic.ts';
import type { ConnectionIdMode } from '../udp/address-proof.ts';
import type { UdpListener } from '../udp/listener.ts';
import { thrown } from './forwarding-service.ts';
import { startThreads } from './swarm-thread.ts';
import type { UdpStart } from './udp-thread.ts';

export interface UdpThreadsOptions {
  readonly host: string;
  readonly port: number;
  readonly receiveBufferBytes: number;
  /** Over all threads. */
  readonly errorsPerSecond: number;
  readonly connectionIds: ConnectionIdMode;
  readonly connectionSecret: Uint8Array | undefined;
  readonly source: SourceAddress;
  readonly workers: number;
  /** Numbers of sockets that are bound already, in place of such of our own. */
  readonly descriptors?: readonly number[] | undefined;
  readonly clock: () => number;
  readonly traffic: UdpTraffic;
  /** Hears of failures of our own. Default: they are thrown. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** Starts the threads; resolves when all of them listen. @throws TrackerServerError when the address cannot be bound */
export async function listenInThreads(service: SwarmService, options: UdpThreadsOptions): Promise<UdpListener> {
  const { host, workers, clock, traffic, source, receiveBufferBytes, connectionIds } = options;
  const connectionSecret = options.connectionSecret ?? randomBytes(8);
  const errorsPerSecond = Math.ceil(options.errorsPerSecond / workers);
  const own = { host, receiveBufferBytes, errorsPerSecond, connectionIds, connectionSecret };
  const threads = await startThreads<UdpStart>({
    workers,
    service,
    clock,
    transport: 'udp',
    module: 'udp-thread',
    host,
    port: options.port,
    onError: options.onError ?? thrown,
    descriptors: options.descriptors,
    start: (port, descriptor) => ({ ...own, port, descriptor, trust: source.options }),
    count: (counted) => {
      for (const name of Object.keys(traffic) as (keyof UdpTraffic)[]) traffic[name] += counted[name] ?? 0;
    },
  });
  const following = source.onOptions((trust) => threads.tell({ trust }));
  return {
    ...threads,
    configure: (udp) => threads.tell({ udp }),
    async [Symbol.asyncDispose](): Promise<void> {
      following[Symbol.dispose]();
      await threads[Symbol.asyncDispose]();
    },
  };
}
