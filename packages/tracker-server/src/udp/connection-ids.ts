// Connection ids that need no memory: a keyed hash of the client's address and the current slot of time, so a
// spoofed source never learns one. Bound to the address, not the port (NAT rebinds ports). BEP 15.
// HalfSipHash-2-4-64 (J.-P. Aumasson, D. J. Bernstein), here because createHmac costs a hundred times as much.
import type { UdpConnectionId } from '@shoal/tracker-protocol';

/** BEP 15: accept an id until two minutes after it was sent. With the previous slot too, ids last 2 to 4 minutes. */
export const slotMs = 120_000;

/** Issues and checks connection ids under one secret. */
export class ConnectionIds {
  readonly #slotMs: number;
  /** Words behind the address, all zero: what is hashed has another length, so no id of the other kind is equal but by chance. */
  readonly #padding: 0 | 1;
  readonly #key0: number;
  readonly #key1: number;
  /** Slot, address and padding as words; 6 are enough for IPv6. */
  readonly #words = new Int32Array(6);
  #high = 0;
  #low = 0;

  /** `secret`: 8 random bytes. Ids last for one to two slots. Those `apart` are never `plain` ones of another time. */
  constructor(secret: Uint8Array, idSlotMs: number = slotMs, kind: 'plain' | 'apart' = 'plain') {
    if (secret.length !== 8) throw new RangeError('the secret must have 8 bytes');
    this.#slotMs = idSlotMs;
    this.#padding = kind === 'plain' ? 0 : 1;
    this.#key0 = littleEndianWord(secret, 0);
    this.#key1 = littleEndianWord(secret, 4);
  }

  /** The id for an address (4 or 16 bytes) at `now`, ms. */
  issue(address: Uint8Array, now: number): UdpConnectionId {
    this.#compute(address, Math.floor(now / this.#slotMs));
    return { high: this.#high, low: this.#low };
  }

  /** Whether this address was given this id in the current slot or the one before. */
  accepts(address: Uint8Array, id: UdpConnectionId, now: number): boolean {
    const slot = Math.floor(now / this.#slotMs);
    return this.#matches(address, slot, id) || this.#matches(address, slot - 1, id);
  }

  #matches(address: Uint8Array, slot: number, id: UdpConnectionId): boolean {
    this.#compute(address, slot);
    return this.#high === id.high && this.#low === id.low;
  }

  #compute(address: Uint8Array, slot: number): void {
    this.#words[0] = slot;
    for (let at = 0; at < address.length; at += 4) this.#words[1 + at / 4] = littleEndianWord(address, at);
    const end = 1 + address.length / 4;
    // Where a longer address may have been.
    this.#words[end] = 0;
    this.#hash(end + this.#padding);
  }

  /** Sets `#high` and `#low` to the two halves of the 64-bit hash of the first `count` words. */
  #hash(count: number): void {
    let v0 = this.#key0;
    let v1 = this.#key1 ^ 0xee;
    let v2 = 0x6c79_6765 ^ this.#key0;
    let v3 = 0x7465_6462 ^ this.#key1;
    // Two rounds for each word and for the length, four before each half of the result.
    const absorbed = 2 * (count + 1);
    for (let round = 0; round < absorbed + 8; round++) {
      const word = round >= absorbed ? 0 : round >> 1 < count ? this.#words[round >> 1]! : (count * 4) << 24;
      if (round < absorbed && round % 2 === 0) v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      if (round < absorbed && round % 2 === 1) v0 ^= word;
      if (round === absorbed - 1) v2 ^= 0xee;
      if (round === absorbed + 3) {
        this.#high = (v1 ^ v3) >>> 0;
        v1 ^= 0xdd;
      }
    }
    this.#low = (v1 ^ v3) >>> 0;
  }
}

function littleEndianWord(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
