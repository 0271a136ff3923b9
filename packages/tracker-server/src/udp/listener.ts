// One UDP socket and who answers its datagrams: binding, buffers, closing. What is answered is decided in answerer.ts.
// BEP 15.
import { lookup } from 'node:dns';
import { type RemoteInfo, type Socket, createSocket } from 'node:dgram';
import { isIP, isIPv6 } from 'node:net';
import type { Endpoint } from '@shoal/tracker-protocol';
import { TrackerServerError } from '../errors.ts';
import { ProxiedDatagrams } from '../proxy-protocol/proxied-datagrams.ts';
import type { ProxyJudge } from '../proxy-protocol/connections.ts';
import type { Inherit } from '../restart/listening.ts';
import type { SwarmService } from '../swarm-service.ts';
import type { UdpTraffic } from '../traffic.ts';
import type { ConnectionIdMode, ConnectionIdOptions } from './address-proof.ts';
import { turnClock } from '../turn-clock.ts';
import { UdpAnswerer } from './answerer.ts';
import { type OutgoingDatagram, Outlet, type Relay } from './outlet.ts';

export interface ListenOptions extends ConnectionIdOptions {
  readonly host: string;
  readonly port: number;
  readonly receiveBufferBytes: number;
  readonly errorsPerSecond: number;
  /** Whether other sockets share the port. */
  readonly reusePort: boolean;
  /** Monotonic milliseconds; one clock for all who take the connection ids of each other. */
  readonly clock: () => number;
  readonly traffic: UdpTraffic;
  /** Who is a proxy that says whom it forwards. */
  readonly proxies: ProxyJudge;
  /** Hears of failures of our own. Default: they are thrown. */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Asked for a bound socket, in place of one of its own. */
  readonly inherit?: Inherit<Socket> | undefined;
}

/** Answers that wait for a store come within its second (`SharedServiceOptions.timeoutMs`), refusals if nothing else. */
const answerLimitMs = 2000;

/** What a server may be told while it runs. What is left out stays. */
export interface UdpChanges {
  /** Who has an id that is taken no longer is told to connect again. */
  readonly connectionIds?: ConnectionIdMode;
}

/** A bound socket; disposing takes nothing more, waits for answers that are due, and closes it. */
export interface UdpListener extends AsyncDisposable {
  readonly address: Endpoint;
  /** Goes by this from the next datagram on. */
  configure(changes: UdpChanges): void;
  /** To be given to another process; none where there are several. */
  readonly socket?: Socket;
  /** Sends what is an answer of a process that had this socket before. */
  send(datagram: OutgoingDatagram): void;
  /**
   * Leaves the socket to another process that has it too: closes it here, gives answers that come later to `relay`, and
   * resolves when there are none any more, or after `limitMs`.
   */
  drain(limitMs: number, relay: Relay): Promise<void>;
}

/** Binds and answers. @throws TrackerServerError when the address cannot be bound */
export async function listenUdp(service: SwarmService, options: ListenOptions): Promise<UdpListener> {
  const { clock, traffic, proxies, onError } = options;
  const inherited = await options.inherit?.();
  const isHandle = inherited !== undefined && !('descriptors' in inherited);
  const socket = isHandle ? inherited : await bind(options, inherited?.descriptors[0]);
  enlarge(socket, options.receiveBufferBytes);
  const outlet = new Outlet(socket, isHandle);
  const proxied = new ProxiedDatagrams(outlet, proxies);
  const answerer = new UdpAnswerer(service, proxied, traffic, options.errorsPerSecond, options);
  const now = turnClock(clock);
  const answer = (bytes: Uint8Array, from: RemoteInfo): void => answerer.receive(bytes, from, now());
  socket.on('message', (datagram, by) => {
    try {
      if (!proxied.receive(datagram, by, answer)) traffic.dropped++;
    } catch (error) {
      if (onError === undefined) throw error;
      traffic.dropped++;
      onError(error);
    }
  });
  // A socket error after binding concerns one datagram; the next one is served.
  socket.on('error', () => traffic.dropped++);
  const { address: ip, port: bound } = socket.address();
  return {
    address: { ip, port: bound },
    socket,
    configure({ connectionIds }) {
      if (connectionIds !== undefined) answerer.takeIds(connectionIds);
    },
    send: ({ bytes, port, address }) => outlet.send(bytes, port, address),
    async drain(limitMs, relay) {
      outlet.divert(relay);
      await outlet.emptied(limitMs);
      await outlet.close();
      await answerer.finish(limitMs);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await answerer.finish(answerLimitMs);
      await outlet.emptied(answerLimitMs);
      await outlet.close();
    },
  };
}

/** `fd`: the number of a socket that is bound already. */
async function bind({ host, port, reusePort }: ListenOptions, fd: number | undefined): Promise<Socket> {
  const isNumeric = isIP(host) !== 0;
  let isBound = false;
  const type = isIPv6(host) ? 'udp6' : 'udp4';
  const socket = createSocket({
    type,
    reusePort,
    // Answers go to numeric addresses; looking at every one of them would cost as much as reading a request.
    lookup: (name, options, found) => {
      if (isBound || isNumeric) found(null, name, type === 'udp6' ? 6 : 4);
      else lookup(name, options, found);
    },
  });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      if (fd === undefined) socket.bind(port, host, resolve);
      else socket.bind({ fd }, resolve);
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
