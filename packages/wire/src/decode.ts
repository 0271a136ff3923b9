// Bytes to one whole message (BEP 3 "peer messages", BEP 5, 6, 10). For tools, tests and captures;
// a live stream goes through the framer, which never holds a block. Must not know the state of a connection.
import { WireError } from './errors.ts';
import { readUint32 } from './integers.ts';
import {
  type BlockMessageType,
  type IndexMessageType,
  lengthFault,
  messageId,
  type PeerMessage,
  type PlainMessageType,
  prefixLength,
} from './messages.ts';

/**
 * The one message, length prefix included, that `bytes` are. Payloads are views into `bytes`.
 * @throws WireError `truncated`, `trailing-bytes`, `wrong-length`, `message-too-long`, `unknown-message`
 */
export function decodeMessage(bytes: Uint8Array): PeerMessage {
  if (bytes.length < prefixLength) throw new WireError('truncated', `${bytes.length} bytes of a length prefix`);
  const length = readUint32(bytes, 0);
  if (bytes.length > prefixLength + length) {
    throw new WireError('trailing-bytes', `${bytes.length - prefixLength - length} bytes after the message`);
  }
  if (length === 0) return { type: 'keep-alive' };
  const id = bytes[prefixLength];
  if (id === undefined) throw new WireError('truncated', 'a message without its id');
  const fault = lengthFault(id, length, undefined);
  if (fault !== undefined) throw new WireError(fault, `message ${id} of ${length} bytes`);
  if (bytes.length < prefixLength + length) {
    throw new WireError('truncated', `${bytes.length - prefixLength} of ${length} bytes of message ${id}`);
  }
  return messageOf(id, bytes.subarray(prefixLength + 1));
}

function messageOf(id: number, payload: Uint8Array): PeerMessage {
  const plain = plainTypes.get(id);
  if (plain !== undefined) return { type: plain };
  const index = indexTypes.get(id);
  if (index !== undefined) return { type: index, piece: readUint32(payload, 0) };
  const block = blockTypes.get(id);
  if (block !== undefined) {
    return {
      type: block,
      piece: readUint32(payload, 0),
      begin: readUint32(payload, 4),
      length: readUint32(payload, 8),
    };
  }
  switch (id) {
    case messageId.bitfield:
      return { type: 'bitfield', bits: payload };
    case messageId.piece:
      return {
        type: 'piece',
        piece: readUint32(payload, 0),
        begin: readUint32(payload, 4),
        data: payload.subarray(8),
      };
    case messageId.port:
      return { type: 'port', port: (payload[0]! << 8) | payload[1]! };
    case messageId.extended:
      return { type: 'extended', id: payload[0]!, payload: payload.subarray(1) };
    default:
      throw new WireError('unknown-message', `no message has the id ${id}`);
  }
}

const plainTypes: ReadonlyMap<number, PlainMessageType> = new Map([
  [messageId.choke, 'choke'],
  [messageId.unchoke, 'unchoke'],
  [messageId.interested, 'interested'],
  [messageId.notInterested, 'not-interested'],
  [messageId.haveAll, 'have-all'],
  [messageId.haveNone, 'have-none'],
]);

const indexTypes: ReadonlyMap<number, IndexMessageType> = new Map([
  [messageId.have, 'have'],
  [messageId.suggest, 'suggest'],
  [messageId.allowedFast, 'allowed-fast'],
]);

const blockTypes: ReadonlyMap<number, BlockMessageType> = new Map([
  [messageId.request, 'request'],
  [messageId.cancel, 'cancel'],
  [messageId.reject, 'reject'],
]);
