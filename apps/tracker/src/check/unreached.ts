// Why a target could not be reached, as a system says it.
import type { Blindness } from './sight.ts';

const noRoute = new Set(['ENETUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EHOSTUNREACH']);

/** What is seen of a target that `cause` keeps away; `reason` is for what has no code of the system. */
export function unreached(cause: unknown, reason: string): Blindness {
  const code = systemCode(cause);
  if (code === undefined) return { failure: 'silent', reason };
  if (noRoute.has(code)) return { failure: 'no-route', reason: `this machine has no way there (${code})` };
  return { failure: 'silent', reason: `${reason} (${code})` };
}

/** The system's code, of an error or of the first that it gathers. */
function systemCode(cause: unknown): string | undefined {
  if (cause instanceof AggregateError) return systemCode(cause.errors[0]);
  if (!(cause instanceof Error)) return undefined;
  if ('code' in cause && typeof cause.code === 'string' && cause.code !== 'ERR_SOCKET_DGRAM_NOT_RUNNING')
    return cause.code;
  return systemCode(cause.cause);
}
