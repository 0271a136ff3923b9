// What a torrent has moved, in bytes, and who gave and got it. Numbers only; nothing is decided here.
import type { Geometry } from '@shoal/pieces';
import { pieceLengthAt } from '@shoal/pieces';
import { RateMeter } from '@shoal/choker';

export interface Contribution {
  /** 40 hex digits. */
  readonly peerId: string;
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
}

/** Peers whose totals are kept over reconnections; the least recent newcomer's are dropped past it. */
const maxContributors = 1000;

export class Progress {
  readonly #geometry: Geometry;
  readonly #byPeer = new Map<string, { downloadedBytes: number; uploadedBytes: number }>();
  readonly downloadMeter: RateMeter = new RateMeter();
  readonly uploadMeter: RateMeter = new RateMeter();
  /** Payload received that was of use: without duplicates and without what failed its check (BEP 3 `downloaded`). */
  downloadedBytes = 0;
  uploadedBytes = 0;
  /** Payload received twice or unasked. */
  wastedBytes = 0;
  /** Payload of pieces whose hash was wrong. */
  corruptBytes = 0;

  constructor(geometry: Geometry) {
    this.#geometry = geometry;
  }

  downloaded(peerId: string, bytes: number, now: number): void {
    this.downloadedBytes += bytes;
    this.downloadMeter.add(bytes, now);
    this.#of(peerId).downloadedBytes += bytes;
  }

  uploaded(peerId: string, bytes: number, now: number): void {
    this.uploadedBytes += bytes;
    this.uploadMeter.add(bytes, now);
    this.#of(peerId).uploadedBytes += bytes;
  }

  corrupted(piece: number): void {
    const length = pieceLengthAt(this.#geometry, piece);
    this.downloadedBytes = Math.max(0, this.downloadedBytes - length);
    this.corruptBytes += length;
  }

  contributions(): Contribution[] {
    return [...this.#byPeer].map(([peerId, bytes]) => ({ peerId, ...bytes }));
  }

  #of(peerId: string): { downloadedBytes: number; uploadedBytes: number } {
    let entry = this.#byPeer.get(peerId);
    if (entry === undefined) {
      if (this.#byPeer.size >= maxContributors)
        for (const oldest of this.#byPeer.keys()) {
          this.#byPeer.delete(oldest);
          break;
        }
      entry = { downloadedBytes: 0, uploadedBytes: 0 };
      this.#byPeer.set(peerId, entry);
    }
    return entry;
  }
}
