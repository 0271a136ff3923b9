// What query.test.ts and reply.test.ts leave of the tracker's half of the exchange captured on 30 September 2003: the second
// run, of a client that had everything, and the texts as they were printed beside the bytes.
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decodeAnnounceReply, encodeAnnounceReply, parseAnnounceQuery } from '../../src/index.ts';
import { bytes, fixture, fromHex, text } from '../bytes.ts';

const infoHash = fromHex('2d044fc0db1a617539be4d72c2a545a0fd4803e2');
const hash = 'info_hash=-%04O%C0%DB%1Aau9%BEMr%C2%A5E%A0%FDH%03%E2';
const secondRun = `${hash}&peer_id=%00%00%00%00%00%00%00%00%00%00%00%00A%D3%BD%AE%3B%09Z%5E&port=6883`;

describe('founding exchange: the client that had everything', () => {
  test.each(['started', 'stopped'] as const)('its %s says that nothing is left and nothing was moved', (event) => {
    expect(parseAnnounceQuery(`${secondRun}&uploaded=0&downloaded=0&left=0&event=${event}`)).toMatchObject({
      infoHash,
      peerId: fromHex('00000000000000000000000041d3bdae3b095a5e'),
      port: 6883,
      uploaded: 0,
      downloaded: 0,
      left: 0,
      event,
      compact: undefined,
      noPeerId: undefined,
    });
  });

  // Of this answer the author wrote only what it decodes to: two ids in caret notation and Latin-1.
  const peers = [
    { ip: '127.0.0.1', port: 6881, peerId: bytes('\0\0\0\0\0\0\0\0\0\0\0\0\xab0!\xcb\x0ej\xb2-') },
    { ip: '127.0.0.1', port: 6883, peerId: bytes('\0\0\0\0\0\0\0\0\0\0\0\0\xe99\xfd\xda\\\xb1\xb9!') },
  ];

  test('the answer to its started, written by us, is as long as the one to the first run and means what its author says', () => {
    const body = encodeAnnounceReply({ interval: 1800, peers }, { compact: false });
    expect(body).toHaveLength(gunzipSync(fixture('started-reply.gzip.hex')).length);
    expect(decodeAnnounceReply(body)).toMatchObject({ interval: 1800, peers });
  });

  test('the answer to its stopped names the first of the two', () => {
    expect(decodeAnnounceReply(fixture('seeder-stopped-reply.hex'))).toMatchObject({ peers: [peers[0]] });
  });
});

describe('founding exchange: bodies as printed', () => {
  test.each(['started', 'completed'])('the answer to %s has the 108 bytes that its header counts', (event) => {
    expect(fixture(`${event}-reply.gzip.hex`)).toHaveLength(108);
  });

  test('the two compressed answers differ in the second they were made in, and in nothing else', () => {
    const [started, completed] = [fixture('started-reply.gzip.hex'), fixture('completed-reply.gzip.hex')];
    const differing = [...started.keys()].filter((at) => started[at] !== completed[at]);
    expect(differing).toEqual([4]);
    // RFC 1952: four bytes, the lowest first, are the time.
    const madeAt = (body: Uint8Array): number => new DataView(body.buffer, body.byteOffset).getUint32(4, true);
    expect(new Date(madeAt(started) * 1000).toISOString()).toBe('2003-09-30T17:54:40.000Z');
    expect(madeAt(completed) - madeAt(started)).toBe(1);
  });

  test.each([
    ['stopped-reply.hex', "|.\xe1\x1d\xef'\xa3f"],
    ['seeder-stopped-reply.hex', '\xab0!\xcb\x0ej\xb2-'],
  ])('%s has the 88 bytes that its header counts, spelled as they were printed', (name, endOfId) => {
    const body = fixture(name);
    expect(body).toHaveLength(88);
    const id = `${'\0'.repeat(12)}${endOfId}`;
    expect(text(body)).toBe(`d8:intervali1800e5:peersld2:ip9:127.0.0.17:peer id20:${id}4:porti6881eeee`);
  });

  test('the ids printed in the decoded answer are those of the handshakes', () => {
    const reply = decodeAnnounceReply(gunzipSync(fixture('completed-reply.gzip.hex')));
    const shown = 'peers' in reply ? reply.peers.map(({ peerId }) => shownByTerminal(peerId)) : [];
    expect(shown).toEqual(["|.áï'£f", 'õäèZ']);
  });
});

/** Of Latin-1 a terminal shows no control codes, and a backspace wipes out what stood before it: here an X. */
function shownByTerminal(id: Uint8Array | undefined): string {
  let shown = '';
  for (const character of text(id ?? new Uint8Array())) {
    if (character === '\b') shown = shown.slice(0, -1);
    else if (/[ -~\u00a0-\u00ff]/.test(character)) shown += character;
  }
  return shown;
}
