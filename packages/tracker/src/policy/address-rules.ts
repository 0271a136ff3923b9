// Which announcers could be dialled at all, and by whom, whatever else the operator decides. RFC 6890.
import { type AnnounceRequest, ipScope } from '@shoal/tracker-protocol';
import type { Refusal } from './announce-policy.ts';

const noPort: Refusal = { code: 'port-unreachable', message: 'port 0 cannot be reached' };
const noAddress: Refusal = { code: 'address-unreachable', message: 'your address cannot be reached' };
const noPrivateAddress: Refusal = {
  code: 'address-private',
  message: 'this tracker does not list private addresses',
};

/**
 * What becomes of peers with private, loopback and link-local addresses. `listed`: they are peers like others, as on a
 * network of one's own. `apart`: they are given to each other alone, and are given everybody. `refused`: they are sent away.
 */
export type PrivateAddresses = 'listed' | 'apart' | 'refused';

/** Why nobody could connect to the announcer; undefined when somebody could. */
export function unreachable(
  { port, event }: AnnounceRequest,
  address: Uint8Array,
  privateAddresses: PrivateAddresses,
): Refusal | undefined {
  // Whoever says goodbye need not be reachable, and clients repeat a goodbye that is refused.
  if (port === 0 && event !== 'stopped') return noPort;
  const scope = ipScope(address);
  if (scope === 'public') return undefined;
  if (scope === 'multicast' || scope === 'unspecified') return noAddress;
  return privateAddresses === 'refused' ? noPrivateAddress : undefined;
}

/** Which list of its swarm an address is on. */
export function listingOf(address: Uint8Array, privateAddresses: PrivateAddresses): 'public' | 'private' {
  return privateAddresses !== 'apart' || ipScope(address) === 'public' ? 'public' : 'private';
}
