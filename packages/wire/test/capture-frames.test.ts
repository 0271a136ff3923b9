// Frames 52 to 63 and phase 5 of the exchange captured on 30 September 2003. Their bytes up to the first answer were
// printed (capture.test.ts); of the rest the author wrote down what they say, in order: that is what is played here.
import { type Block, Bitfield, geometryOf } from '@shoal/pieces';
import { describe, expect, test } from 'vitest';
import { encodeHandshake, type PeerMessage, PeerConnection } from '../src/index.ts';
import { feed, messagesIn, raw, sent, typesOf } from './peers.ts';

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const infoHash = bytesOf('2d044fc0db1a6175 39be4d72c2a545a0fd4803e2');
const clientId = bytesOf('000000000000000000000000 f51ae4e85a875808');
const originId = bytesOf('000000000000000000000000 7c2ee11def27a366');
const geometry = geometryOf(22_169, 256);
const plain = { fast: false, extensionProtocol: false } as const;

const blockOf = (piece: number): Block => ({ piece, begin: 0, length: 0x100 });
const request = (piece: number): PeerMessage => ({ type: 'request', ...blockOf(piece) });
const have = (piece: number): PeerMessage => ({ type: 'have', piece });
/** "length 0x109 Piece …": an id, an index, an offset and 256 bytes. */
const piece = (index: number): Uint8Array => raw(7, [0, 0, 0, index, 0, 0, 0, 0, ...new Uint8Array(256).fill(index)]);

/** Who speaks, and what: frames 52 to 63. */
const conversation: readonly (readonly ['client' | 'origin', readonly (PeerMessage | number)[]])[] = [
  ['client', [{ type: 'interested' }, request(0x27), request(0x3b), request(0x46), request(0x49), request(0x38)]],
  ['origin', [0x27]],
  ['client', [request(0x40)]],
  ['origin', [0x3b, 0x46, 0x49, 0x38]],
  ['client', [have(0x27)]],
  ['origin', [0x40]],
  ['client', [request(0x3e)]],
  ['origin', [0x3e]],
  ['client', [have(0x3b)]],
  [
    'client',
    [
      request(0x4e),
      have(0x46),
      request(0x2e),
      have(0x49),
      request(0x07),
      have(0x38),
      request(0x39),
      have(0x40),
      request(0x28),
      have(0x3e),
    ],
  ],
];

function pair(): { client: PeerConnection; origin: PeerConnection } {
  const options = { infoHash, geometry, now: 0, ...plain };
  const client = new PeerConnection({ ...options, peerId: clientId, initiator: true });
  const origin = new PeerConnection({ ...options, peerId: originId, initiator: false });
  feed(origin, [client.takeBytes()!]);
  origin.sendPieces(Bitfield.full(87));
  origin.unchoke();
  feed(client, [origin.takeBytes()!]);
  client.sendPieces(new Bitfield(87));
  client.unchoke();
  expect(client.takeBytes()).toEqual(bytesOf('00000001 01'));
  return { client, origin };
}

describe('founding exchange: frames 52 to 63', () => {
  test('a piece of 256 bytes has a length prefix of 0x109', () => {
    expect(piece(0x27).subarray(0, 13)).toEqual(bytesOf('00000109 07 00000027 00000000'));
    expect(piece(0x27)).toHaveLength(4 + 0x109);
  });

  test('our origin understands what the client says and has each block to give that it asks for', () => {
    const { origin } = pair();
    const given: number[] = [];
    for (const [speaker, messages] of conversation) {
      if (speaker === 'client') {
        const spoken = messages.filter((message) => typeof message !== 'number');
        const events = feed(origin, spoken);
        expect(events).toEqual(spoken);
        for (const event of events) if (event.type === 'request') origin.uploads.accept(event);
      } else given.push(...messages.map(() => origin.uploads.takeRun(1)[0]!.piece));
    }
    expect(given).toEqual([0x27, 0x3b, 0x46, 0x49, 0x38, 0x40, 0x3e]);
    expect(origin.uploads.clear().map((block) => block.piece)).toEqual([0x4e, 0x2e, 0x07, 0x39, 0x28]);
  });

  test('our client says the same in the same order and takes every block as asked for', () => {
    const { client } = pair();
    for (const [speaker, messages] of conversation) {
      for (const message of messages) {
        if (typeof message === 'number') {
          const events = feed(client, [piece(message)]);
          expect(events.at(-1)).toEqual({ type: 'block-end', ...blockOf(message), outcome: 'requested' });
        } else if (message.type === 'request') expect(client.request(message, 0)).toBe(true);
        else if (message.type === 'have') client.have(message.piece);
        else client.setInterested(true);
      }
      if (speaker === 'client') expect(sent(client)).toEqual(messages);
    }
    expect(client.pipeline.blocks().map((block) => block.piece)).toEqual([0x4e, 0x2e, 0x07, 0x39, 0x28]);
  });
});

describe('founding exchange: phase 5', () => {
  // Its author calls the last message "Choked"; the byte says 1, which unchokes.
  test('what the peer sends is a bitfield of all and an unchoke, and the answer a bitfield of all', () => {
    const peer = bytesOf('0000000c05fffffffffffffffffffffe 0000000101');
    const full = Bitfield.full(87).toBytes();
    expect(messagesIn(peer)).toEqual([{ type: 'bitfield', bits: full }, { type: 'unchoke' }]);
    const client = new PeerConnection({ infoHash, peerId: clientId, geometry, initiator: true, now: 0, ...plain });
    client.takeBytes();
    const events = feed(client, [encodeHandshake({ infoHash, peerId: originId }), peer]);
    expect(typesOf(events)).toEqual(['handshake', 'peer-id', 'bitfield', 'unchoke']);
    client.sendPieces(Bitfield.full(87));
    expect(client.takeBytes()).toEqual(bytesOf('0000000c05fffffffffffffffffffffe'));
  });
});
