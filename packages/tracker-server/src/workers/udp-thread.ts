// A thread that receives datagrams and answers them, with swarms that another thread owns. Others import only its types:
// loading it makes the thread that it runs in such a thread. BEP 15.
import type { SourceOptions } from '../http/source-address.ts';
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
}

const traffic = { ...createTraffic().udp };
await runThread<UdpStart>(traffic, async (start, { service, source, clock, onError }) =>
  listenUdp(service, { ...start, reusePort: true, clock, traffic, proxies: source, onError }),
);
