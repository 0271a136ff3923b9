// The one error class of this package: a store that does not answer as it should. Mistakes of callers are TypeErrors.

/**
 * What is wrong with the store; part of semver. `unavailable`: it cannot be reached, is loading, or has lost the part
 * that holds the swarm. `refused`: wrong password or too few rights. `unsupported`: older than Redis 7. `failed`: else.
 */
export type TrackerRedisErrorCode = 'unavailable' | 'refused' | 'unsupported' | 'failed';

/** A store that could not answer; `cause` is the client's or the store's own error. */
export class TrackerRedisError extends Error {
  readonly code: TrackerRedisErrorCode;

  constructor(error: unknown) {
    // A cluster that cannot be joined says nothing itself; its last node does.
    const cause = error instanceof Error && 'lastNodeError' in error ? (error.lastNodeError ?? error) : error;
    const code = codeOf(cause);
    super(`${reasons[code]}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'TrackerRedisError';
    this.code = code;
  }
}

const reasons: Record<TrackerRedisErrorCode, string> = {
  unavailable: 'the store of the swarms is unavailable',
  refused: 'the store of the swarms refuses us',
  unsupported: 'the store of the swarms has no functions (Redis 7 or Valkey is needed)',
  failed: 'the store of the swarms failed',
};

/** The first word of an error reply says what kind it is (Redis protocol). */
const replies: Readonly<Record<string, TrackerRedisErrorCode>> = {
  NOAUTH: 'refused',
  WRONGPASS: 'refused',
  NOPERM: 'refused',
  MOVED: 'unavailable',
  ASK: 'unavailable',
  TRYAGAIN: 'unavailable',
  CLUSTERDOWN: 'unavailable',
  MASTERDOWN: 'unavailable',
  LOADING: 'unavailable',
  READONLY: 'unavailable',
  BUSY: 'unavailable',
  OOM: 'unavailable',
  NOREPLICAS: 'unavailable',
  MISCONF: 'unavailable',
};

function codeOf(cause: unknown): TrackerRedisErrorCode {
  // What is no reply is a connection: refused, lost, timed out, without an address.
  if (!(cause instanceof Error) || cause.name !== 'ReplyError') return 'unavailable';
  if (/^ERR unknown (sub)?command/i.test(cause.message)) return 'unsupported';
  return replies[cause.message.split(' ', 1)[0] ?? ''] ?? 'failed';
}

/** Whether a reply says that the functions are not loaded. */
export function lacksFunctions(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('ERR Function not found');
}

/** Whether a reply says that the store has no room left. */
export function lacksRoom(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('OOM');
}
