import { describe, expect, test } from 'vitest';
import { decodeExtendedHandshake, encodeExtendedHandshake, type ExtendedHandshake, WireError } from '../src/index.ts';
import { Bitfield } from '@shoal/pieces';
import { connect, endOf, feed, infoHash, open, peerId, raw, sent, shaken } from './peers.ts';
import { encodeHandshake } from '../src/index.ts';

const both = { fast: true, extended: true };
const known = { extensions: ['ut_metadata', 'ut_pex'] };

function text(payload: string): Uint8Array {
  return Uint8Array.from(payload, (character) => character.charCodeAt(0));
}

function extendedHandshake(payload: string): Uint8Array {
  return raw(20, [0, ...text(payload)]);
}

describe('BEP 10, the extended handshake as a codec', () => {
  test('the example of BEP 10 reads as it says', () => {
    const payload = text('d1:md11:LT_metadatai1e7:\xc2\xb5T_PEXi2ee1:pi6881e1:v13:\xc2\xb5Torrent 1.2e');
    const handshake = decodeExtendedHandshake(payload);
    expect(handshake.extensions).toEqual(
      new Map([
        ['LT_metadata', 1],
        ['\xc2\xb5T_PEX', 2],
      ]),
    );
    expect(handshake).toMatchObject({ listenPort: 6881, client: 'µTorrent 1.2' });
  });

  test('comes back as it was written', () => {
    const handshake: ExtendedHandshake = {
      extensions: new Map([
        ['ut_pex', 2],
        ['ut_metadata', 0],
      ]),
      client: 'Shoal ü',
      listenPort: 6881,
      requestLimit: 500,
      yourAddress: new Uint8Array([10, 0, 0, 1]),
      uploadOnly: true,
      metadataSize: 31_235,
    };
    expect(decodeExtendedHandshake(encodeExtendedHandshake(handshake))).toEqual(handshake);
  });

  test('an empty one says nothing', () => {
    expect(decodeExtendedHandshake(text('de'))).toEqual({ extensions: new Map() });
  });

  test('fields of the wrong type or out of range are left out', () => {
    for (const payload of [
      'd1:mi5e1:pi0e4:reqqi0e1:vi5e6:yourip3:abce',
      'd1:mle1:pi65536e4:reqqi-1e1:v0:6:yourip5:abcdee',
      'd1:md6:ut_pexi256e2:xx1:1e1:p4:68814:reqqi99999999999999999999e6:youripi5e11:upload_only1:1e',
      'd1:md6:ut_pexi-1ee1:pi-6881e13:metadata_sizei0ee',
    ]) {
      expect(decodeExtendedHandshake(text(payload))).toEqual({ extensions: new Map() });
    }
  });

  test('unsorted keys and bytes after the dictionary do not matter', () => {
    expect(decodeExtendedHandshake(text('d1:pi1e1:mdeegarbage')).listenPort).toBe(1);
  });

  test('what is no dictionary is refused with a code', () => {
    for (const payload of ['', 'i5e', 'le', '4:abcd', 'd', 'd1:m', '\xff', 'l'.repeat(60_000)]) {
      let code: string | undefined;
      try {
        decodeExtendedHandshake(text(payload));
      } catch (error) {
        code = error instanceof WireError ? error.code : 'another error';
      }
      expect(code).toBe('invalid-extended-handshake');
    }
  });

  test('a client name is cut to 128 bytes', () => {
    expect(decodeExtendedHandshake(text(`d1:v1000:${'x'.repeat(1000)}e`)).client).toBe('x'.repeat(128));
  });

  test('clients 46: yourip has 4 or 16 bytes, and IPv4 in IPv6 is unwrapped', () => {
    const address = (bytes: string): Uint8Array | undefined =>
      decodeExtendedHandshake(text(`d6:yourip${bytes.length}:${bytes}e`)).yourAddress;
    expect(address('\x0a\x00\x00\x01')).toEqual(new Uint8Array([10, 0, 0, 1]));
    expect(address(`${'\0'.repeat(10)}\xff\xff\x0a\x00\x00\x01`)).toEqual(new Uint8Array([10, 0, 0, 1]));
    expect(address(`\x20\x01${'\0'.repeat(13)}\x01`)?.length).toBe(16);
    expect(address('12345')).toBeUndefined();
  });
});

describe('the extension protocol on a connection', () => {
  test('our handshake says what we do, after what we have', () => {
    const connection = connect({
      ...known,
      clientVersion: 'Shoal 1',
      listenPort: 6881,
      requestQueueLimit: 123,
      peerAddress: new Uint8Array([10, 0, 0, 2]),
    });
    feed(connection, [encodeHandshake({ infoHash, peerId, ...both })]);
    connection.takeBytes();
    connection.sendPieces(Bitfield.full(6));
    const [first, second] = sent(connection);
    expect(first).toEqual({ type: 'have-all' });
    expect(second?.type === 'extended' && second.id).toBe(0);
    expect(second?.type === 'extended' && decodeExtendedHandshake(second.payload)).toEqual({
      extensions: new Map([
        ['ut_metadata', 1],
        ['ut_pex', 2],
      ]),
      client: 'Shoal 1',
      listenPort: 6881,
      requestLimit: 123,
      yourAddress: new Uint8Array([10, 0, 0, 2]),
      uploadOnly: true,
    });
  });

  test('clients 14: an extended id that we never gave out is ignored', () => {
    const connection = open(both, known);
    expect(feed(connection, [raw(20, [3, 1, 2]), raw(20, [255])])).toEqual([]);
    expect(connection.ended).toBe(false);
  });

  test('clients 15: ids are the receiver’s numbering in both directions', () => {
    const connection = open(both, known);
    feed(connection, [extendedHandshake('d1:md11:ut_metadatai7e6:ut_pexi1eee')]);
    expect(connection.sendExtended('ut_metadata', new Uint8Array([9]))).toBe(true);
    expect(connection.sendExtended('ut_pex', new Uint8Array([8]))).toBe(true);
    expect(sent(connection)).toEqual([
      { type: 'extended', id: 7, payload: new Uint8Array([9]) },
      { type: 'extended', id: 1, payload: new Uint8Array([8]) },
    ]);
    expect(feed(connection, [raw(20, [1, 5]), raw(20, [2])])).toEqual([
      { type: 'extended', name: 'ut_metadata', payload: new Uint8Array([5]) },
      { type: 'extended', name: 'ut_pex', payload: new Uint8Array(0) },
    ]);
  });

  test('clients 15: a second handshake is merged, and id 0 turns an extension off', () => {
    const connection = open(both, known);
    feed(connection, [extendedHandshake('d1:md11:ut_metadatai7e6:ut_pexi1ee1:pi6881e1:v3:onee')]);
    feed(connection, [extendedHandshake('d1:md6:ut_pexi0ee1:v3:twoe')]);
    expect(connection.sendExtended('ut_pex', new Uint8Array(0))).toBe(false);
    expect(connection.sendExtended('ut_metadata', new Uint8Array(0))).toBe(true);
    expect([connection.peerListenPort, connection.peerClient]).toEqual([6881, 'two']);
    feed(connection, [extendedHandshake('d1:md6:ut_pexi9eee')]);
    expect(connection.sendExtended('ut_pex', new Uint8Array(0))).toBe(true);
  });

  test('clients 16: a handshake that is not bencoded is ignored and the peer stays', () => {
    const connection = open(both, known);
    expect(feed(connection, [extendedHandshake('not bencode'), { type: 'have', piece: 1 }])).toEqual([
      { type: 'have', piece: 1 },
    ]);
  });

  test('clients 24, 46: what a peer says about itself can be asked for', () => {
    const connection = open(both);
    expect([connection.peerUploadOnly, connection.peerListenPort, connection.peerClient]).toEqual([
      false,
      undefined,
      undefined,
    ]);
    const [event] = feed(connection, [extendedHandshake('d1:pi51413e4:reqqi40e11:upload_onlyi1e1:v5:Othere')]);
    expect(event?.type).toBe('extended-handshake');
    expect(connection.peerUploadOnly).toBe(true);
    expect(connection.peerListenPort).toBe(51_413);
    expect(connection.peerClient).toBe('Other');
    expect(connection.peerRequestLimit).toBe(40);
  });

  test('a BitComet peer is asked for at most 50 blocks at once, whatever it says', () => {
    const connection = connect();
    feed(connection, [encodeHandshake({ infoHash, peerId: text('-BC0152-123456789012'), ...both })]);
    expect(connection.peerRequestLimit).toBe(50);
    feed(connection, [extendedHandshake('d4:reqqi500ee')]);
    expect(connection.peerRequestLimit).toBe(50);
  });

  test('extended messages without the extension protocol are skipped', () => {
    const connection = shaken({ extended: true }, { extensionProtocol: false });
    expect(feed(connection, [extendedHandshake('de'), { type: 'unchoke' }])).toEqual([{ type: 'unchoke' }]);
  });

  test('nothing longer than 64 KiB is read or sent', () => {
    const connection = open(both, known);
    feed(connection, [extendedHandshake('d1:md6:ut_pexi1eee')]);
    expect(feed(connection, [raw(20, new Uint8Array(65_537).fill(2, 0, 1))])).toHaveLength(1);
    expect(() => connection.sendExtended('ut_pex', new Uint8Array(65_537))).toThrow(RangeError);
    expect(endOf(feed(connection, [raw(20, new Uint8Array(65_538))]))).toBe('message-too-long');
  });
});
