// Which addresses a tracker's URL may lead to. Requests come from inside the user's network, and the URLs from
// strangers: without limits a torrent could make us call the router's configuration page (SSRF).
import { ipScope, isLoopbackIp, isPublicIp } from '@shoal/tracker-protocol';
import { TrackerError } from './errors.ts';
import type { ResolvedAddress } from './resolve.ts';
import { namesTracker } from './tracker-url.ts';

export interface Destination {
  readonly pathAndQuery: string;
  /** The answer that redirects here came from a public address, so here must be public as well. */
  readonly publicOrigin: boolean;
}

/**
 * Those of `addresses` that may be asked: public ones only after a public tracker's redirect, and on this computer
 * only what has a tracker's path.
 * @throws TrackerError refused-redirect, refused-address when none is left
 */
export function permittedAddresses(
  url: string,
  addresses: readonly ResolvedAddress[],
  { pathAndQuery, publicOrigin }: Destination,
): readonly ResolvedAddress[] {
  const isTracker = namesTracker(pathAndQuery);
  const permitted = addresses.filter(({ address }) => {
    if (publicOrigin) return isPublicIp(address);
    return isTracker || !isLocal(address);
  });
  if (permitted.length === 0) throw new TrackerError(publicOrigin ? 'refused-redirect' : 'refused-address', url);
  return permitted;
}

// 0.0.0.0 and :: connect to this computer too.
function isLocal(address: string): boolean {
  return isLoopbackIp(address) || ipScope(address) === 'unspecified';
}
