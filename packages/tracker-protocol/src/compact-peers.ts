// Compact peer lists: 4 or 16 address bytes and a big-endian port per record. BEP 7, 15, 23.
// Decides nothing about which peers are wanted.
import { formatIp, parseIp } from './addresses.ts';
import type { Endpoint, IpFamily } from './types.ts';

/** Bytes of one record: 6 for IPv4, 18 for IPv6. */
export function compactLength(family: IpFamily): 6 | 18 {
  return family === 4 ? 6 : 18;
}

/** Packed records of those endpoints that are of `family`; the others are left out. */
export function encodeCompactPeers(peers: readonly Endpoint[], family: IpFamily): Uint8Array {
  const size = compactLength(family);
  const bytes = new Uint8Array(peers.length * size);
  let at = 0;
  for (const peer of peers) if (writeCompactPeer(bytes, at, peer, family)) at += size;
  return bytes.subarray(0, at);
}

/** Writes one record at `offset`; false, writing nothing, when the address is not of `family`. */
export function writeCompactPeer(target: Uint8Array, offset: number, peer: Endpoint, family: IpFamily): boolean {
  const ip = parseIp(peer.ip);
  if (ip === undefined || ip.length !== compactLength(family) - 2) return false;
  target.set(ip, offset);
  target[offset + ip.length] = peer.port >> 8;
  target[offset + ip.length + 1] = peer.port & 0xff;
  return true;
}

/** The endpoints of a compact list, and how many records could not be used. */
export interface CompactPeerList {
  readonly peers: Endpoint[];
  /** Records with port 0, and a truncated last one. */
  readonly skipped: number;
}

/**
 * Reads whole records from `start` on, at most `limit` of them; a rest shorter than a record is ignored (counted).
 * Real trackers do send truncated lists, so that is not an error.
 */
export function decodeCompactPeers(bytes: Uint8Array, family: IpFamily, limit: number, start = 0): CompactPeerList {
  const size = compactLength(family);
  const whole = Math.floor((bytes.length - start) / size);
  const count = Math.min(whole, limit);
  const peers: Endpoint[] = [];
  for (let index = 0, at = start; index < count; index++, at += size) {
    const port = (bytes[at + size - 2]! << 8) | bytes[at + size - 1]!;
    // Port 0 cannot be dialled.
    if (port !== 0) peers.push({ ip: formatIp(bytes, at, size - 2), port });
  }
  const truncated = (bytes.length - start) % size === 0 ? 0 : 1;
  return { peers, skipped: count - peers.length + truncated };
}
