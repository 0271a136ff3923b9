// The messages: their ids, their shapes and the only lengths each may have (BEP 3 "peer messages", BEP 5, 6, 10).
// Decides what may be read at all, before a byte is kept for it; must not know the state of a connection.
import { blockLength } from '@shoal/pieces';

/** Message ids: 0–8 BEP 3, 9 BEP 5, 13–17 BEP 6, 20 BEP 10. */
export const messageId = {
  choke: 0,
  unchoke: 1,
  interested: 2,
  notInterested: 3,
  have: 4,
  bitfield: 5,
  request: 6,
  piece: 7,
  cancel: 8,
  port: 9,
  suggest: 13,
  haveAll: 14,
  haveNone: 15,
  reject: 16,
  allowedFast: 17,
  extended: 20,
} as const;

/** Messages without a payload. */
export type PlainMessageType = 'choke' | 'unchoke' | 'interested' | 'not-interested' | 'have-all' | 'have-none';
/** Messages whose payload is a piece index. */
export type IndexMessageType = 'have' | 'suggest' | 'allowed-fast';
/** Messages whose payload names a block. */
export type BlockMessageType = 'request' | 'cancel' | 'reject';

/** One whole message, as the codec takes and gives it. Lengths and offsets in bytes. */
export type PeerMessage =
  | { readonly type: 'keep-alive' }
  | { readonly type: PlainMessageType }
  | { readonly type: IndexMessageType; readonly piece: number }
  | { readonly type: 'bitfield'; readonly bits: Uint8Array }
  | { readonly type: BlockMessageType; readonly piece: number; readonly begin: number; readonly length: number }
  | { readonly type: 'piece'; readonly piece: number; readonly begin: number; readonly data: Uint8Array }
  | { readonly type: 'port'; readonly port: number }
  /** `id` is the receiver's number for the extension; 0 is the extended handshake (BEP 10). */
  | { readonly type: 'extended'; readonly id: number; readonly payload: Uint8Array };

/** Bytes of the length prefix (BEP 3: integers are four bytes big-endian). */
export const prefixLength = 4;

/** Bytes in front of a block's data in a `piece` message: prefix, id, index, begin. */
export const pieceHeaderLength = 13;

/** Longest message of a type we do not know that is skipped instead of ending the connection: libtorrent's limit. */
export const maxMessageLength: number = 1024 * 1024;

/** Longest payload of one extended message. A ut_metadata piece takes 16 KiB and a bit; handshakes are under 1 KiB. */
export const maxExtendedLength: number = 64 * 1024;

/**
 * What is wrong with a message of `length` bytes (its id included), or undefined. `bitfieldBytes` is the only right
 * length of a bitfield's payload; undefined when the number of pieces is not known.
 */
export function lengthFault(
  id: number,
  length: number,
  bitfieldBytes: number | undefined,
): 'wrong-length' | 'message-too-long' | undefined {
  switch (id) {
    case messageId.piece:
      if (length > 9 + blockLength) return 'message-too-long';
      return length >= 9 ? undefined : 'wrong-length';
    case messageId.extended:
      if (length > 2 + maxExtendedLength) return 'message-too-long';
      return length >= 2 ? undefined : 'wrong-length';
    case messageId.bitfield:
      return bitfieldBytes === undefined || length === 1 + bitfieldBytes ? undefined : 'wrong-length';
    default: {
      const fixed = fixedLengths[id];
      if (fixed !== undefined) return length === fixed ? undefined : 'wrong-length';
      return length > maxMessageLength ? 'message-too-long' : undefined;
    }
  }
}

/** Whether messages with this id mean anything here; the others are skipped by their length. */
export function isKnown(id: number): boolean {
  return id <= messageId.port || (id >= messageId.suggest && id <= messageId.allowedFast) || id === messageId.extended;
}

/** Whether the message may only be sent after both sides offered the fast extension (BEP 6). */
export function isFastMessage(id: number): boolean {
  return id >= messageId.suggest && id <= messageId.allowedFast;
}

/** Length with the id of every message that has but one: index 4 bytes, block 12, port 2. */
const fixedLengths: readonly (number | undefined)[] = fixedLengthTable();

function fixedLengthTable(): (number | undefined)[] {
  const table: (number | undefined)[] = Array.from({ length: 256 }, () => undefined);
  const { choke, unchoke, interested, notInterested, haveAll, haveNone } = messageId;
  for (const id of [choke, unchoke, interested, notInterested, haveAll, haveNone]) table[id] = 1;
  for (const id of [messageId.have, messageId.suggest, messageId.allowedFast]) table[id] = 5;
  for (const id of [messageId.request, messageId.cancel, messageId.reject]) table[id] = 13;
  table[messageId.port] = 3;
  return table;
}
