// A thread that receives datagrams and answers them, with swarms that another thread owns. Others import only its types:
// loading it makes the thread that it runs in such a thread. BEP 15.
import { parentPort, workerData } from 'node:worker_threads';
import type { Endpoint } from '@shoal/tracker-protocol';
import { TrackerServerError } from '../errors.ts';
import { SourceAddress } from '../http/source-address.ts';
import { type UdpTraffic, createTraffic } from '../traffic.ts';
import type { ConnectionIdMode } from '../udp/address-proof.ts';
import { type UdpListener, listenUdp } from '../udp/listener.ts';
import { ForwardingService } from './forwarding-service.ts';
import { RingReader, RingWriter, type RingMemory } from './ring.ts';

/** What a thread is started with. */
export interface ThreadStart {
  readonly host: string;
  readonly port: number;
  readonly receiveBufferBytes: number;
  readonly errorsPerSecond: number;
  readonly connectionIds: ConnectionIdMode | undefined;
  readonly connectionSecret: Uint8Array;
  /** Trusted proxies, where they say whom they forward. */
  readonly proxies: readonly string[] | undefined;
  readonly questions: RingMemory;
  readonly answers: RingMemory;
}

/** `bell`: answers are there. */
export type ToThread = 'bell' | 'close';

/** `bell`: questions are there. `counted`: since it was last said. */
export type FromThread =
  | 'bell'
  | { readonly listening: Endpoint }
  | { readonly failed: { readonly code: string; readonly message: string } }
  | { readonly counted: UdpTraffic };

/** Between two reports of what was counted: metrics are read every few seconds. */
const reportMs = 250;

async function run(start: ThreadStart, tell: (message: FromThread) => void): Promise<void> {
  const { questions, answers, proxies, connectionIds, ...rest } = start;
  const service = new ForwardingService(new RingWriter(questions, () => tell('bell')), new RingReader(answers));
  const { udp: traffic } = createTraffic();
  const report = (): void => {
    if (Object.values(traffic).every((count) => count === 0)) return;
    tell({ counted: { ...traffic } });
    for (const name of Object.keys(traffic)) traffic[name as keyof UdpTraffic] = 0;
  };
  let listener: UdpListener | undefined;
  parentPort?.on('message', (message: ToThread) => {
    if (message === 'bell') service.collect();
    else void close();
  });
  const timer = setInterval(report, reportMs);
  const close = async (): Promise<void> => {
    clearInterval(timer);
    await listener?.[Symbol.asyncDispose]();
    report();
    parentPort?.close();
  };
  listener = await listenUdp(service, {
    ...rest,
    ...(connectionIds !== undefined && { connectionIds }),
    reusePort: true,
    // That of the system: every thread counts from a beginning of its own, and connection ids are good for all of them.
    clock: () => performance.timeOrigin + performance.now(),
    traffic,
    proxies: proxies && new SourceAddress({ trustedProxies: proxies }),
  });
  tell({ listening: listener.address });
}

try {
  await run(workerData as ThreadStart, (message) => parentPort?.postMessage(message));
} catch (error) {
  if (!(error instanceof TrackerServerError)) throw error;
  const { cause } = error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  parentPort?.postMessage({ failed: { code, message: error.message } } satisfies FromThread);
}
