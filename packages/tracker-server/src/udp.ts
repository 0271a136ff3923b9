// A UDP socket around a tracker: binding, buffers, closing. What is answered is decided in udp/answerer.ts. BEP 15.
import { lookup } from 'node:dns';
import { type Socket, createSocket } from 'node:dgram';
import { isIP, isIPv6 } from 'node:net';
import type { Tracker } from '@shoal/tracker';
import type { Endpoint } from '@shoal/tracker-protocol';
import { TrackerServerError } from './errors.ts';
import { startExpiry } from './expiry.ts';
import { SourceAddress, type SourceOptions } from './http/source-address.ts';
import { ProxiedDatagrams } from './proxy-protocol/proxied-datagrams.ts';
import { type SwarmService, localService } from './swarm-service.ts';
import { type Traffic, createTraffic } from './traffic.ts';
import type { ConnectionIdOptions } from './udp/address-proof.ts';
import { UdpAnswerer } from './udp/answerer.ts';

export interface UdpOptions extends ConnectionIdOptions, Pick<SourceOptions, 'trustedProxies'> {
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
  /** Who is a trusted proxy, where that shall change meanwhile; it replaces `trustedProxies`. */
  readonly source?: SourceAddress;
  /** Trusted proxies put a PROXY header, version 2, or a simple one before each datagram, and must. Default false. */
  readonly proxyProtocol?: boolean;
  /** Who answers. Default: the tracker itself, from memory in this thread. */
  readonly service?: SwarmService;
  /** Counters to count in, where several servers share them. */
  readonly traffic?: Traffic;
}

/** A UDP tracker that is listening; disposing closes it. */
export interface UdpServer extends AsyncDisposable {
  /** `udp://host:port` as bound. */
  readonly url: string;
  readonly address: Endpoint;
  readonly traffic: Traffic;
}

const defaults = {
  host: '0.0.0.0',
  port: 6969,
  receiveBufferBytes: 4 * 1024 * 1024,
  errorsPerSecond: 1000,
} satisfies UdpOptions;

/** Binds and serves. @throws TrackerServerError when the address cannot be bound */
export async function serveUdp(tracker: Tracker, options: UdpOptions = {}): Promise<UdpServer> {
  const { host, port, receiveBufferBytes, errorsPerSecond } = { ...defaults, ...options };
  const clock = options.clock ?? ((): number => performance.now());
  const socket = await bind(host, port);
  enlarge(socket, receiveBufferBytes);
  const traffic = options.traffic ?? createTraffic();
  const judge = options.source ?? new SourceAddress(options);
  const proxied = options.proxyProtocol === true ? new ProxiedDatagrams(socket, judge) : undefined;
  const answerer = new UdpAnswerer(
    options.service ?? localService(tracker),
    proxied ?? socket,
    traffic.udp,
    errorsPerSecond,
    options,
  );
  if (proxied === undefined) socket.on('message', (bytes, from) => answerer.receive(bytes, from, clock()));
  else {
    socket.on('message', (datagram, by) => {
      const isAnswerable = proxied.receive(datagram, by, (bytes, from) => answerer.receive(bytes, from, clock()));
      if (!isAnswerable) traffic.udp.dropped++;
    });
  }
  // A socket error after binding concerns one datagram; the next one is served.
  socket.on('error', () => traffic.udp.dropped++);
  const expiry = startExpiry(tracker, clock);
  const { address: ip, port: bound } = socket.address();
  return {
    url: `udp://${isIPv6(ip) ? `[${ip}]` : ip}:${bound}`,
    address: { ip, port: bound },
    traffic,
    async [Symbol.asyncDispose](): Promise<void> {
      expiry[Symbol.dispose]();
      answerer.close();
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}

async function bind(host: string, port: number): Promise<Socket> {
  const isNumeric = isIP(host) !== 0;
  let isBound = false;
  const type = isIPv6(host) ? 'udp6' : 'udp4';
  const socket = createSocket({
    type,
    // Answers go to numeric addresses; looking at every one of them would cost as much as reading a request.
    lookup: (name, options, found) => {
      if (isBound || isNumeric) found(null, name, type === 'udp6' ? 6 : 4);
      else lookup(name, options, found);
    },
  });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, host, resolve);
    });
  } catch (cause) {
    socket.close();
    throw new TrackerServerError('udp', host, port, cause);
  }
  isBound = true;
  socket.removeAllListeners('error');
  return socket;
}

function enlarge(socket: Socket, bytes: number): void {
  try {
    socket.setRecvBufferSize(bytes);
  } catch {
    // Some systems refuse what others cut to their limit; the default buffer works too.
  }
}
