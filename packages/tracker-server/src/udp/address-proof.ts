// How long an answer may be: of any length to an address that has proven itself by a connection id, to others never
// longer than what came, so that nobody gains by writing a stranger's address on a datagram. BEP 15.
import { randomBytes } from 'node:crypto';
import { type UdpConnectionId, udpLimits } from '@shoal/tracker-protocol';
import { ConnectionIds, slotMs } from './connection-ids.ts';

/**
 * Which connection ids are taken. `strict`: for two to four minutes after they were given, as BEP 15 has it. `lenient`:
 * for half an hour to an hour, for clients that keep them from one announce to the next. `off`: whoever shows none that
 * is valid is served as well, as long as the answer is no longer than the request: anybody can then list a stranger.
 */
export type ConnectionIdMode = 'strict' | 'lenient' | 'off';

export interface ConnectionIdOptions {
  /** Default `strict`. */
  readonly connectionIds?: ConnectionIdMode;
  /** Eight bytes that servers share whose clients may reach either. Default: random. */
  readonly connectionSecret?: Uint8Array;
}

/** uTorrent announces every half hour with the id it has. */
const lenientSlotMs = 30 * 60_000;

export class AddressProof {
  /** Which ids are taken; may change at any time. Whoever has one that is taken no longer is told to connect again. */
  mode: ConnectionIdMode;
  readonly #strict: ConnectionIds;
  readonly #lenient: ConnectionIds;

  /** @throws RangeError for a secret that has not eight bytes */
  constructor({ connectionIds = 'strict', connectionSecret = randomBytes(8) }: ConnectionIdOptions) {
    this.mode = connectionIds;
    this.#strict = new ConnectionIds(connectionSecret, slotMs);
    this.#lenient = new ConnectionIds(connectionSecret, lenientSlotMs, 'apart');
  }

  /** The id for an address (4 or 16 bytes) at `now`, ms. */
  issue(address: Uint8Array, now: number): UdpConnectionId {
    return (this.mode === 'lenient' ? this.#lenient : this.#strict).issue(address, now);
  }

  /** Most bytes of an answer to a datagram of `size` bytes; 0 where it is to be refused. */
  answerLimit(address: Uint8Array, id: UdpConnectionId, size: number, now: number): number {
    if (this.#isProven(address, id, now)) return udpLimits.replyBytes;
    return this.mode === 'off' ? Math.min(size, udpLimits.replyBytes) : 0;
  }

  /** Strict ids are good everywhere, and long-lived ones wherever they might have been given. */
  #isProven(address: Uint8Array, id: UdpConnectionId, now: number): boolean {
    if (this.#strict.accepts(address, id, now)) return true;
    return this.mode !== 'strict' && this.#lenient.accepts(address, id, now);
  }
}
