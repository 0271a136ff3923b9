// Whole messages to bytes (BEP 3 "peer messages", BEP 5, 6, 10). For tools, tests and a sender's own piece headers;
// the connection writes into its outbox with the same functions. Must not know the state of a connection.
import type { Block } from '@shoal/pieces';
import { messageId, type PeerMessage, pieceHeaderLength, prefixLength } from './messages.ts';
import { Outbox } from './outbox.ts';
import { writeUint32 } from './integers.ts';

/** Writes the 13 bytes that go in front of the data of `block` in a `piece` message. */
export function writePieceHeader(target: Uint8Array, at: number, block: Block): void {
  writeUint32(target, at, pieceHeaderLength - prefixLength + block.length);
  target[at + prefixLength] = messageId.piece;
  writeUint32(target, at + 5, block.piece);
  writeUint32(target, at + 9, block.begin);
}

/** One whole message, length prefix included, as a fresh array. */
export function encodeMessage(message: PeerMessage): Uint8Array {
  const outbox = new Outbox();
  write(outbox, message);
  return outbox.take() ?? new Uint8Array(0);
}

function write(outbox: Outbox, message: PeerMessage): void {
  switch (message.type) {
    case 'keep-alive':
      return outbox.keepAlive();
    case 'choke':
    case 'unchoke':
    case 'interested':
    case 'not-interested':
    case 'have-all':
    case 'have-none':
      return outbox.plain(idOf[message.type]);
    case 'have':
    case 'suggest':
    case 'allowed-fast':
      return outbox.index(idOf[message.type], message.piece);
    case 'request':
    case 'cancel':
    case 'reject':
      return outbox.block(idOf[message.type], message.piece, message.begin, message.length);
    case 'bitfield':
      return outbox.bitfield(message.bits);
    case 'piece':
      return outbox.piece(message.piece, message.begin, message.data);
    case 'port':
      return outbox.port(message.port);
    case 'extended':
      return outbox.extended(message.id, message.payload);
  }
}

const idOf = {
  choke: messageId.choke,
  unchoke: messageId.unchoke,
  interested: messageId.interested,
  'not-interested': messageId.notInterested,
  have: messageId.have,
  request: messageId.request,
  cancel: messageId.cancel,
  suggest: messageId.suggest,
  'have-all': messageId.haveAll,
  'have-none': messageId.haveNone,
  reject: messageId.reject,
  'allowed-fast': messageId.allowedFast,
} as const;
