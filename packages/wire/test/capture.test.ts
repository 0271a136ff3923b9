// A session of 2003 between the first client and its origin, as its observer wrote it down byte for byte:
// a file of 22,169 bytes in 87 pieces of 256.
import { Bitfield, geometryOf } from '@shoal/pieces';
import { describe, expect, test } from 'vitest';
import { decodeHandshake, PeerConnection, type WireEvent } from '../src/index.ts';
import { endOf, feed, join, messagesIn, typesOf } from './peers.ts';

const infoHash = bytesOf('2d044fc0db1a6175 39be4d72c2a545a0fd4803e2');
const clientId = bytesOf('000000000000000000000000 f51ae4e85a875808');
const originId = bytesOf('000000000000000000000000 7c2ee11def27a366');
const header = bytesOf('13426974546f7272656e742070726f746f636f6c 0000000000000000');
const probe = join([header, infoHash]);
const clientGreeting = join([probe, clientId]);
const originGreeting = join([probe, originId]);
const originFirst = bytesOf('0000000c05fffffffffffffffffffffe 0000000101');
const clientFirst = bytesOf(`
  0000000102
  0000000d06000000270000000000000100
  0000000d060000003b0000000000000100
  0000000d06000000460000000000000100
  0000000d06000000490000000000000100
  0000000d06000000380000000000000100`);

const geometry = geometryOf(22_169, 256);
/** What there was in 2003. */
const plain = { fast: false, extensionProtocol: false } as const;
const asked = [0x27, 0x3b, 0x46, 0x49, 0x38];

describe('the session of 2003', () => {
  test('has 87 pieces, the last of 153 bytes', () => {
    expect(geometry.pieceCount).toBe(87);
  });

  test('its greetings read as its observer says', () => {
    expect(decodeHandshake(clientGreeting)).toMatchObject({ infoHash, peerId: clientId, fast: false, extended: false });
    expect(decodeHandshake(originGreeting)).toMatchObject({ infoHash, peerId: originId, fast: false, extended: false });
  });

  test('its messages read as its observer says', () => {
    expect(messagesIn(originFirst)).toEqual([
      { type: 'bitfield', bits: Bitfield.full(87).toBytes() },
      { type: 'unchoke' },
    ]);
    expect(messagesIn(clientFirst)).toEqual([
      { type: 'interested' },
      ...asked.map((piece) => ({ type: 'request', piece, begin: 0, length: 0x100 })),
    ]);
  });

  test('clients 2: the tracker’s probe of 48 bytes gets the whole greeting', () => {
    const client = new PeerConnection({ infoHash, peerId: clientId, geometry, initiator: false, now: 0, ...plain });
    expect(typesOf(client.receive(probe, 0, probe.length, 0))).toEqual(['handshake']);
    expect(client.takeBytes()).toEqual(clientGreeting);
  });

  test('our origin answers the client as that one did', () => {
    const origin = new PeerConnection({ infoHash, peerId: originId, geometry, initiator: false, now: 0, ...plain });
    feed(origin, [clientGreeting]);
    origin.sendPieces(Bitfield.full(87));
    origin.unchoke();
    expect(origin.takeBytes()).toEqual(join([originGreeting, originFirst]));
    const events = feed(origin, [bytesOf('0000000101'), clientFirst]);
    expect(typesOf(events)).toEqual(['unchoke', 'interested', 'request', 'request', 'request', 'request', 'request']);
    for (const event of events) if (event.type === 'request') origin.uploads.accept(event);
    expect(origin.uploads.takeRun(32)).toEqual([{ piece: 0x27, begin: 0, length: 256 }]);
  });

  test('our client asks the origin with the same bytes and understands its answers', () => {
    const client = new PeerConnection({ infoHash, peerId: clientId, geometry, initiator: true, now: 0, ...plain });
    expect(client.takeBytes()).toEqual(clientGreeting);
    feed(client, [originGreeting]);
    client.sendPieces(new Bitfield(87));
    expect(typesOf(feed(client, [originFirst]))).toEqual(['bitfield', 'unchoke']);
    client.setInterested(true);
    for (const piece of asked) client.request({ piece, begin: 0, length: 256 }, 0);
    expect(client.takeBytes()).toEqual(clientFirst);
    const events: WireEvent[] = [];
    for (const piece of asked) {
      events.push(
        ...feed(client, [bytesOf('00000109 07'), new Uint8Array([0, 0, 0, piece, 0, 0, 0, 0]), new Uint8Array(256)]),
      );
    }
    const ends = events.filter((event) => event.type === 'block-end');
    expect(ends).toEqual(
      asked.map((piece) => ({ type: 'block-end', piece, begin: 0, length: 256, outcome: 'requested' })),
    );
    client.have(0x27);
    expect(client.takeBytes()).toEqual(bytesOf('000000050400000027'));
  });

  test('a full client and a full origin part without a fault', () => {
    const client = new PeerConnection({ infoHash, peerId: clientId, geometry, initiator: true, now: 0, ...plain });
    expect(endOf(feed(client, [originGreeting, originFirst]))).toBeUndefined();
    client.sendPieces(Bitfield.full(87));
    expect(client.takeBytes()).toEqual(join([clientGreeting, originFirst.subarray(0, 16)]));
  });
});

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/[0-9a-f]{2}/gu) ?? [], (pair) => Number.parseInt(pair, 16));
}
