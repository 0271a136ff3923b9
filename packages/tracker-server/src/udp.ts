// A UDP server around a tracker, in this thread or in several that share its port. What a socket does is in udp/, how
// threads reach the swarms in workers/. BEP 15.
import type { Socket } from 'node:dgram';
import type { Tracker } from '@shoal/tracker';
import { type Endpoint, formatEndpoint } from '@shoal/tracker-protocol';
import { startExpiry } from './expiry.ts';
import { SourceAddress, type SourceOptions } from './http/source-address.ts';
import { listeningDescriptors } from './restart/descriptors.ts';
import { type Inherit, descriptorsIn } from './restart/listening.ts';
import { type SwarmService, localService } from './swarm-service.ts';
import { type Traffic, createTraffic } from './traffic.ts';
import type { ConnectionIdOptions } from './udp/address-proof.ts';
import { type UdpChanges, type UdpListener, listenUdp } from './udp/listener.ts';
import type { OutgoingDatagram, Relay } from './udp/outlet.ts';
import { checkedWorkers } from './workers/swarm-thread.ts';
import { listenInThreads } from './workers/udp-threads.ts';

export interface UdpOptions extends ConnectionIdOptions, Pick<SourceOptions, 'trustedProxies' | 'proxyProtocol'> {
  /** Address to bind. Default 0.0.0.0. `::` serves both families. Behind several addresses bind each: the kernel chooses the source. */
  readonly host?: string;
  /** Default 6969; 0 takes any free port. */
  readonly port?: number;
  /** Monotonic milliseconds. Default `performance.now`. */
  readonly clock?: () => number;
  /** Bytes of kernel buffer to ask for, as the default drops bursts of 200 datagrams. Default 4 MiB; the system may give less. */
  readonly receiveBufferBytes?: number;
  /** Error packets per second, over all clients. Default 1000; what is over it is dropped. */
  readonly errorsPerSecond?: number;
  /** Who is a trusted proxy, where that shall change meanwhile; it replaces `trustedProxies` and `proxyProtocol`. */
  readonly source?: SourceAddress;
  /** Who answers. Default: the tracker itself, from memory in this thread. */
  readonly service?: SwarmService;
  /**
   * Threads that receive and answer, each with a socket of its own on the same port, at most 64. The swarms stay in this
   * thread. Default 1: this thread does everything. More need Linux or FreeBSD.
   */
  readonly workers?: number;
  /** Asked for a bound socket, or the numbers of such, in place of `host` and `port`, which are bound where there is none. Workers take only numbers. */
  readonly inherit?: Inherit<Socket>;
  /**
   * Hears of failures of our own, in place of answers or behind refusals. Default: they are thrown, which ends a process
   * that does nothing about it.
   */
  readonly onError?: (error: unknown) => void;
  /** Counters to count in, where several servers share them. */
  readonly traffic?: Traffic;
}

/** A UDP tracker that is listening; disposing takes nothing more, waits two seconds at most for answers that are due, and closes it. */
export interface UdpServer extends AsyncDisposable {
  /** `udp://host:port` as bound. */
  readonly url: string;
  readonly address: Endpoint;
  readonly traffic: Traffic;
  /** To be given to another process; undefined where workers have several. */
  readonly socket: Socket | undefined;
  /** Goes by this from the next datagram on; workers, as soon as they hear of it. */
  configure(changes: UdpChanges): void;
  /** Numbers of the sockets of workers in this process, for a process to inherit; none without workers, or where the system is not Linux. */
  descriptors(): Promise<readonly number[]>;
  /** Sends what a process that had this socket before was asked. */
  send(datagram: OutgoingDatagram): void;
  /**
   * Leaves the socket to another process that has it too: closes it here, gives answers that still wait for a store to `relay`,
   * and resolves when there are none any more, or after `limitMs`.
   */
  drain(limitMs: number, relay: Relay): Promise<void>;
}

const defaults = {
  host: '0.0.0.0',
  port: 6969,
  receiveBufferBytes: 4 * 1024 * 1024,
  errorsPerSecond: 1000,
  workers: 1,
} satisfies UdpOptions;

/**
 * Binds and serves. @throws TrackerServerError when the address cannot be bound; RangeError for a bad proxy range or
 * number of workers
 */
export async function serveUdp(tracker: Tracker, options: UdpOptions = {}): Promise<UdpServer> {
  const clock = options.clock ?? ((): number => performance.now());
  const traffic = options.traffic ?? createTraffic();
  const listener = await listen(options.service ?? localService(tracker), { ...defaults, ...options }, clock, traffic);
  const expiry = startExpiry(tracker, clock);
  const { address } = listener;
  return {
    url: `udp://${formatEndpoint(address)}`,
    address,
    traffic,
    socket: listener.socket,
    configure: (changes) => listener.configure(changes),
    descriptors: async () => (listener.socket === undefined ? listeningDescriptors('udp', address) : []),
    send: (datagram) => listener.send(datagram),
    drain: (limitMs, relay) => listener.drain(limitMs, relay),
    async [Symbol.asyncDispose](): Promise<void> {
      expiry[Symbol.dispose]();
      await listener[Symbol.asyncDispose]();
    },
  };
}

async function listen(
  service: SwarmService,
  options: UdpOptions & typeof defaults,
  clock: () => number,
  { udp: traffic }: Traffic,
): Promise<UdpListener> {
  const { workers, connectionIds = 'strict', connectionSecret } = options;
  const source = options.source ?? new SourceAddress(options);
  if (checkedWorkers(workers) > 1) {
    const ids = { connectionIds, connectionSecret };
    const descriptors = descriptorsIn(await options.inherit?.());
    return listenInThreads(service, { ...options, ...ids, source, clock, traffic, descriptors });
  }
  return listenUdp(service, { ...options, reusePort: false, clock, traffic, proxies: source });
}
