// A thread that receives datagrams and answers them, with swarms that another thread owns. Others import only its types:
// loading it makes the thread that it runs in such a thread. BEP 15.
import type { SourceOptions } from '../http/source-address.ts';
import type { Descriptors } from '../restart/listening.ts';
import { createTraffic } from '../traffic.ts';
import type { ConnectionIdMode } from '../udp/address-proof.ts';
import { listenUdp } from '../udp/listener.ts';
import { runThread } from './thread-side.ts';

/** What a thread is started with. */
export interface UdpStart {
  readonly host: string;
  readonly port: number;
  readonly receiveBufferBytes: number;
  readonly errorsPerSecond: number;
  readonly connectionIds: ConnectionIdMode;
  readonly connectionSecret: Uint8Array;
  readonly trust: SourceOptions;
  /** The number of a socket that is bound already. */
  readonly descriptor: number | undefined;
}

const traffic = { ...createTraffic().udp };
await runThread<UdpStart>(traffic, async ({ descriptor, ...start }, { service, source, clock, onError }) => {
  const inherit = async (): Promise<Descriptors | undefined> =>
    descriptor === undefined ? undefined : { descriptors: [descriptor] };
  return listenUdp(service, { ...start, inherit, reusePort: true, clock, traffic, proxies: source, onError });
});
