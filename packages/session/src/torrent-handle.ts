// One torrent of a session as its user holds it: what it does now, what happened, when it is complete, how to end it.
import type { TorrentReport, TorrentSnapshot } from '@shoal/torrent';
import { SessionError } from './errors.ts';
import type { TorrentDriver } from './torrent-driver.ts';

export interface HandleParts {
  readonly infoHash: string;
  readonly name: string;
  readonly peerId: string;
  readonly driver: TorrentDriver;
  readonly snapshot: () => TorrentSnapshot;
  readonly close: () => Promise<void>;
}

export class TorrentHandle implements AsyncDisposable {
  readonly infoHash: string;
  readonly name: string;
  /** 40 hex digits: the id this torrent goes by in this run. */
  readonly peerId: string;
  /** Resolves when every piece is here; rejects with SessionError `disk` or `closed`. */
  readonly completed: Promise<void>;
  /** Resolves, if ever, when the disk fails and the torrent has stopped for it. */
  readonly failed: Promise<SessionError>;
  readonly #parts: HandleParts;
  readonly #listeners = new Set<(report: TorrentReport) => void>();
  readonly #settle: { resolve: () => void; reject: (error: SessionError) => void; fail: (error: SessionError) => void };
  #stopping: Promise<void> | undefined;

  constructor(parts: HandleParts, complete: boolean) {
    this.#parts = parts;
    this.infoHash = parts.infoHash;
    this.name = parts.name;
    this.peerId = parts.peerId;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.completed = promise;
    // Who never asks need not hear of the failure; who does still gets it.
    promise.catch(() => {});
    const failure = Promise.withResolvers<SessionError>();
    this.failed = failure.promise;
    this.#settle = { resolve, reject, fail: failure.resolve };
    if (complete) resolve();
  }

  snapshot(): TorrentSnapshot {
    return this.#parts.snapshot();
  }

  /** Calls `listener` for every report from now on; returns what ends it. */
  onReport(listener: (report: TorrentReport) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Dials these as well. */
  addPeers(peers: readonly { readonly ip: string; readonly port: number }[]): void {
    this.#parts.driver.input({ type: 'peers-found', peers, source: 'user' });
  }

  /** Says goodbye to peers and trackers, ends disk work and lets go of the files. May be called again. */
  stop(): Promise<void> {
    this.#stopping ??= this.#parts.close().then(() => {
      const { infoHash } = this;
      this.#settle.reject(new SessionError('closed', 'the torrent was stopped before it was complete', { infoHash }));
    });
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** For the session: passes a report on and settles `completed`. */
  reported(report: TorrentReport): void {
    if (report.type === 'completed') this.#settle.resolve();
    if (report.type === 'failed') {
      const error = new SessionError('disk', report.reason, { infoHash: this.infoHash });
      this.#settle.reject(error);
      this.#settle.fail(error);
    }
    for (const listener of this.#listeners) listener(report);
  }
}
