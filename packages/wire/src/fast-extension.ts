// The allowed fast set (BEP 6): which pieces a peer may fetch from us while we choke it.
// Decides the canonical set; must not know connections. SHA-1 is handed in: pure packages do not hash.
import { readUint32 } from './integers.ts';

/** What the canonical set depends on. */
export interface AllowedFastInput {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  /** The peer's IPv4 address, 4 bytes; BEP 6 says nothing of IPv6. */
  readonly address: Uint8Array;
  readonly pieceCount: number;
  /** Size of the set; BEP 6 uses 10. */
  readonly count: number;
  /** SHA-1 of the bytes, 20 bytes. */
  readonly sha1: (bytes: Uint8Array) => Uint8Array;
}

/**
 * The canonical allowed fast set of a peer, in the order in which BEP 6 makes it.
 * @throws RangeError when the address is not 4 bytes or the info-hash not 20.
 */
export function allowedFastSet(input: AllowedFastInput): number[] {
  const { infoHash, address, pieceCount } = input;
  if (address.length !== 4) throw new RangeError(`address of ${address.length} bytes, an IPv4 address has 4`);
  if (infoHash.length !== 20) throw new RangeError(`info-hash of ${infoHash.length} bytes, it has to be 20`);
  const pieces = new Set<number>();
  const count = Math.min(input.count, pieceCount);
  let state: Uint8Array = new Uint8Array(24);
  // The last byte stays 0: one set per /24, so that a neighbour's address gives no second one.
  state.set(address.subarray(0, 3));
  state.set(infoHash, 4);
  while (pieces.size < count) {
    state = input.sha1(state);
    for (let at = 0; at < 20 && pieces.size < count; at += 4) pieces.add(readUint32(state, at) % pieceCount);
  }
  return [...pieces];
}
