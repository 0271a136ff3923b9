// What there is to see at a tracker, whatever the transport, and who goes to see it.
import { randomBytes } from 'node:crypto';
import type { ScrapeCounts } from '@shoal/tracker-protocol';

/** What was seen. What a tracker did not say is undefined. */
export interface Sight {
  /** From the first request to its answer, resolved names and connections included, in ms. */
  readonly latencyMs: number;
  /** Seconds. */
  readonly interval: number;
  /** Seconds. */
  readonly minInterval: number | undefined;
  /** Our address as the tracker says it sees it (BEP 24). */
  readonly externalIp: string | undefined;
  /** The address under which the second peer was given the first; undefined when it was not given. */
  readonly listedAs: string | undefined;
  /** Whether the second peer found the first. */
  readonly found: boolean;
  /** Counts afterwards, undefined when the tracker did not tell. */
  readonly counts: Pick<ScrapeCounts, 'complete' | 'incomplete'> | undefined;
  readonly warning: string | undefined;
}

/** Why there was nothing to see. `no-route`: this machine has no way there, which says nothing of the tracker. */
export interface Blindness {
  readonly failure: 'silent' | 'refused' | 'wrong' | 'no-route';
  readonly reason: string;
}

export interface VisitOptions {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  /** For each request. */
  readonly timeoutMs: number;
}

/** 20 bytes of a peer that exists for a moment. */
export function randomPeerId(): Uint8Array {
  return Buffer.concat([Buffer.from('-SH0100-'), randomBytes(12)]);
}
