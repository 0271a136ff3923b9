// The peers of a sample spelled out, an object each: for dictionary lists and for callers that want to read them. BEP 3.
import { type TrackedPeer, formatIp } from '@shoal/tracker-protocol';
import { type PeerRecords, type PeerSample, peerIdBytes } from './peer-sample.ts';

/** All peers of a sample that was drawn with peer ids: IPv4 first, each with an id of its own bytes. */
export function peersIn({ ipv4, ipv6 }: PeerSample): TrackedPeer[] {
  return [...unpack(ipv4), ...unpack(ipv6)];
}

function unpack({ count, stride, records, peerIds }: PeerRecords): TrackedPeer[] {
  return Array.from({ length: count }, (_, index) => {
    const at = index * stride;
    return {
      ip: formatIp(records, at, stride - 2),
      port: (records[at + stride - 2]! << 8) | records[at + stride - 1]!,
      peerId: keptId(peerIds, index * peerIdBytes),
    };
  });
}

/** A peer id, unless it is all zeros: those stand for a store that keeps none. */
function keptId(peerIds: Uint8Array, at: number): Uint8Array | undefined {
  const peerId = peerIds.slice(at, at + peerIdBytes);
  return peerId.some((byte) => byte !== 0) ? peerId : undefined;
}
