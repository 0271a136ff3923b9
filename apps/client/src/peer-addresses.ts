// Turns the peers that a person named into addresses to dial: once, before anything else is begun.
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { HostPort } from './arguments.ts';
import { CommandError } from './exit-codes.ts';

export interface PeerAddress {
  readonly ip: string;
  readonly port: number;
}

/** Every address of every name, of the family of `bind` when one is given. @throws CommandError `network`. */
export async function resolvePeers(peers: readonly HostPort[], bind?: string): Promise<PeerAddress[]> {
  // 0 asks for both families, which "all addresses" of IPv6 can dial too.
  const family = bind === undefined || bind === '::' ? 0 : isIP(bind);
  return (await Promise.all(peers.map((peer) => addressesOf(peer, family)))).flat();
}

async function addressesOf({ host, port }: HostPort, family: number): Promise<PeerAddress[]> {
  if (isIP(host) !== 0) return [{ ip: host, port }];
  try {
    return (await lookup(host, { all: true, family })).map(({ address }) => ({ ip: address, port }));
  } catch (error) {
    const hint = 'check the spelling, or give its address';
    throw new CommandError('network', `--peer ${host}:${port}: the name has no address; ${hint}`, { cause: error });
  }
}
