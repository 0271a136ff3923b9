// The one error of this package: what went wrong around a torrent that is not the torrent's own affair.
import type { Bitfield } from '@shoal/pieces';

export type SessionErrorCode =
  /** The port is taken, or every port of the range is. */
  | 'address-in-use'
  /** The address cannot be bound: not ours, or not permitted. */
  | 'cannot-listen'
  /** A torrent with this info-hash is in the session already. */
  | 'duplicate-torrent'
  /** Another torrent of the session keeps its content under this name in this folder. */
  | 'place-in-use'
  /** Content is missing or wrong, and `requireComplete` was asked for. */
  | 'incomplete'
  /** The file is skipped. */
  | 'not-wanted'
  /** The session or torrent is closed. */
  | 'closed';

export interface SessionErrorFacts {
  readonly infoHash?: string;
  readonly have?: Bitfield;
  readonly cause?: unknown;
}

export class SessionError extends Error {
  readonly code: SessionErrorCode;
  readonly infoHash: string | undefined;
  /** Of `incomplete`: the pieces that are right on disk. */
  readonly have: Bitfield | undefined;

  constructor(code: SessionErrorCode, message: string, facts: SessionErrorFacts = {}) {
    super(message, 'cause' in facts ? { cause: facts.cause } : undefined);
    this.name = 'SessionError';
    this.code = code;
    this.infoHash = facts.infoHash;
    this.have = facts.have;
  }
}
