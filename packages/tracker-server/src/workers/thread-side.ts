// What every thread with sockets and without swarms does: carries bells, says what it counted, closes when told to.
import { parentPort, workerData } from 'node:worker_threads';
import type { Endpoint } from '@shoal/tracker-protocol';
import { TrackerServerError } from '../errors.ts';
import { SourceAddress, type SourceOptions } from '../http/source-address.ts';
import type { SwarmService } from '../swarm-service.ts';
import type { UdpChanges } from '../udp/listener.ts';
import type { OutgoingDatagram, Relay } from '../udp/outlet.ts';
import { ForwardingService } from './forwarding-service.ts';
import { RingReader, RingWriter } from './ring.ts';
import type { FromThread, Rings, ToThread } from './swarm-thread.ts';

/** Where a thread listens. */
export interface ThreadListener extends AsyncDisposable {
  readonly address: Endpoint;
  /** Goes by this from now on, where it is about UDP. */
  configure?(changes: UdpChanges): void;
  /** Sends a datagram, where it is about UDP. */
  send?(datagram: OutgoingDatagram): void;
  /** Takes nothing new, answers what it took, as `SwarmThreads.drain`. */
  drain(limitMs: number, relay: Relay): Promise<void>;
}

/** What a thread is given besides what it was started with. */
export interface ThreadParts {
  readonly service: SwarmService;
  /** Who is trusted; changes when the owner says so. */
  readonly source: SourceAddress;
  /** That of the system: every thread counts from a beginning of its own, and connection ids are good for all of them. */
  readonly clock: () => number;
  /** Takes failures of our own to who hears of them. */
  readonly onError: (error: unknown) => void;
}

/** Between two reports of what was counted: metrics are read every few seconds. */
const reportMs = 250;

/** Listens until told to close; `counters`, all of them numbers, are set back to zero whenever they were reported. */
export async function runThread<Start extends { readonly trust: SourceOptions }>(
  counters: Record<string, number>,
  listen: (start: Start, parts: ThreadParts) => Promise<ThreadListener>,
): Promise<void> {
  const tell = (message: FromThread): void => parentPort?.postMessage(message);
  const { questions, answers, ...rest } = workerData as Start & Rings;
  const start = rest as unknown as Start;
  const onError = (error: unknown): void => tell({ fault: error instanceof Error ? error : new Error(String(error)) });
  const ring = new RingWriter(questions, () => tell('bell'));
  const service = new ForwardingService(ring, new RingReader(answers), onError);
  const source = new SourceAddress(start.trust);
  const report = (): void => {
    if (Object.values(counters).every((count) => count === 0)) return;
    tell({ counted: { ...counters } });
    for (const name of Object.keys(counters)) counters[name] = 0;
  };
  let listener: ThreadListener | undefined;
  let isClosing = false;
  const timer = setInterval(report, reportMs);
  const close = async (): Promise<void> => {
    isClosing = true;
    clearInterval(timer);
    await listener?.[Symbol.asyncDispose]();
    report();
    parentPort?.close();
  };
  const drain = async (limitMs: number): Promise<void> => {
    await listener?.drain(limitMs, (datagram) => tell({ relay: datagram }));
    tell('drained');
  };
  parentPort?.on('message', (message: ToThread) => {
    if (message === 'bell') service.collect();
    else if (message === 'close') void close();
    else if ('trust' in message) source.replace(message.trust);
    else if ('drain' in message) void drain(message.drain);
    else if ('send' in message) listener?.send?.(message.send);
    else listener?.configure?.(message.udp);
  });
  try {
    const clock = (): number => performance.timeOrigin + performance.now();
    listener = await listen(start, { service, source, clock, onError });
    // Told to close meanwhile: nobody else would.
    if (isClosing) await listener[Symbol.asyncDispose]();
    else tell({ listening: listener.address });
  } catch (error) {
    if (!(error instanceof TrackerServerError)) throw error;
    const { cause } = error;
    tell({
      failed: { code: cause instanceof Error && 'code' in cause ? String(cause.code) : '', message: error.message },
    });
  }
}
