// Offers and answers on their way to other nodes: what one node is to get in a turn of the loop goes in one batch.
// Decides how much may be under way and what is lost; knows no store. docs/decisions/0014.
import { type NodeId, type SignalHandover, encodeSignalBatch } from '@shoal/tracker';

/** Bytes of a batch to which nothing is added any more. */
const batchBytes = 65_536;

/** Bytes that may wait or be under way, over all nodes: a second of offers of a busy node, 2,000 of them at 8 KB. */
const mostBytes = 16 * 1024 * 1024;

/** What a batch does when it leaves, and what is heard of it. */
export interface BatchEvents {
  hand(node: NodeId, batch: Uint8Array): Promise<SignalHandover>;
  /** So many signals were lost. */
  lost(count: number): void;
}

interface Waiting {
  readonly signals: Uint8Array[];
  readonly ifGone: (() => void)[];
  bytes: number;
}

/** Signals for other nodes. */
export class SignalBatches {
  readonly #events: BatchEvents;
  readonly #waiting = new Map<NodeId, Waiting>();
  #bytes = 0;

  constructor(events: BatchEvents) {
    this.#events = events;
  }

  /** Sends a signal with the others of this turn; `ifGone` is called where that node turns out to be gone. */
  add(node: NodeId, signal: Uint8Array, ifGone: () => void): void {
    if (this.#bytes + signal.length > mostBytes) return this.#events.lost(1);
    this.#bytes += signal.length;
    if (this.#waiting.size === 0) setImmediate(this.#sendAll);
    let waiting = this.#waiting.get(node);
    if (waiting === undefined) this.#waiting.set(node, (waiting = { signals: [], ifGone: [], bytes: 0 }));
    waiting.signals.push(signal);
    waiting.ifGone.push(ifGone);
    waiting.bytes += signal.length;
    if (waiting.bytes >= batchBytes) {
      this.#waiting.delete(node);
      void this.#send(node, waiting);
    }
  }

  readonly #sendAll = (): void => {
    for (const [node, waiting] of this.#waiting) void this.#send(node, waiting);
    this.#waiting.clear();
  };

  async #send(node: NodeId, { signals, ifGone, bytes }: Waiting): Promise<void> {
    try {
      const outcome = await this.#events.hand(node, encodeSignalBatch(signals));
      if (outcome !== 'taken') this.#events.lost(signals.length);
      if (outcome === 'gone') for (const tell of ifGone) tell();
    } catch {
      // The store is away or has lost that inbox; announces tell of it.
      this.#events.lost(signals.length);
    } finally {
      this.#bytes -= bytes;
    }
  }
}
