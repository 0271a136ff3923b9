// What others wait for while a torrent runs: a piece, its completion, its end. Must not know how it comes about.
import type { Torrent } from '@shoal/torrent';
import { SessionError } from './errors.ts';

export class Milestones {
  /** Resolves when every wanted piece is here. @throws SessionError `closed`. */
  readonly whenCompleted: Promise<void>;
  readonly #infoHash: string;
  readonly #torrent: Torrent;
  readonly #complete: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  readonly #waiting = new Map<number, Set<() => void>>();
  #isOver = false;

  constructor(infoHash: string, torrent: Torrent) {
    this.#infoHash = infoHash;
    this.#torrent = torrent;
    this.whenCompleted = this.#complete.promise;
    // Who never asks need not hear of the end; who does still gets it.
    this.whenCompleted.catch(() => {});
    if (torrent.complete) this.#complete.resolve();
  }

  verified(piece: number): void {
    const waiting = this.#waiting.get(piece);
    if (waiting === undefined) return;
    this.#waiting.delete(piece);
    for (const wake of waiting) wake();
  }

  /** Only if it still is: what was found to be gone meanwhile has to come first. */
  completed(): void {
    if (this.#torrent.complete) this.#complete.resolve();
  }

  /** Resolves when the piece is here. @throws SessionError `closed` when the torrent ends first; the signal's reason. */
  async whenVerified(piece: number, signal: AbortSignal): Promise<void> {
    while (!this.#torrent.has(piece)) {
      signal.throwIfAborted();
      if (this.#isOver) throw this.#closed();
      await this.#next(piece, signal);
    }
  }

  end(): void {
    this.#isOver = true;
    for (const piece of this.#waiting.keys()) this.verified(piece);
    this.#complete.reject(this.#closed());
  }

  #next(piece: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(piece) ?? new Set<() => void>();
      this.#waiting.set(piece, waiting);
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        waiting.delete(wake);
        if (waiting.size === 0 && this.#waiting.get(piece) === waiting) this.#waiting.delete(piece);
        resolve();
      };
      waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  #closed(): SessionError {
    return new SessionError('closed', 'the torrent was stopped before it was complete', { infoHash: this.#infoHash });
  }
}
