// The HTTP requests of the exchange captured on 30 September 2003 that founding-exchange.test.ts leaves: for the .torrent
// file, and those of the second run, of a client that had everything. Byte for byte as printed.
import { latin1 } from '@shoal/bencode';
import { expect, test } from 'vitest';
import { dictionaryIn, exchange, httpOn, type RawResponse, responsesIn, trackerOf } from './support.ts';

const clientHead = 'User-Agent: Python-urllib/2.0a1\r\nAccept-encoding: gzip\r\nUser-agent: BitTorrent/3.3\r\n\r\n';

test('founding exchange: the request for the .torrent is answered with its bytes, type and length, and the connection closed', async () => {
  const torrent = new Uint8Array(1892).fill(0x64);
  const asked: string[] = [];
  const page = async (path: string): Promise<{ contentType: string; body: Uint8Array } | undefined> => {
    asked.push(path);
    return path === '/bt/crop.05:00.jpg.torrent'
      ? { contentType: 'application/x-bittorrent', body: torrent }
      : undefined;
  };
  await using server = await httpOn(trackerOf(), { page });
  const request = `GET /bt/crop.05:00.jpg.torrent HTTP/1.0\r\nHost: localhost\r\n${clientHead}`;
  const [response] = responsesIn(await exchange(server.address.port, request));
  expect(asked).toEqual(['/bt/crop.05:00.jpg.torrent']);
  expect(response?.status).toBe(200);
  expect(new Uint8Array(response?.body ?? [])).toEqual(torrent);
  const headers = ['content-type', 'content-length', 'connection', 'content-encoding'];
  expect(headers.map((name) => response?.headers.get(name))).toEqual([
    'application/x-bittorrent',
    '1892',
    'close',
    undefined,
  ]);
});

test('founding exchange: a client that had everything is a seed from its started on, and gone with its stopped', async () => {
  const tracker = trackerOf();
  await using server = await httpOn(tracker);
  const send = async (event: string): Promise<RawResponse> => {
    const target =
      '/announce?info_hash=-%04O%C0%DB%1Aau9%BEMr%C2%A5E%A0%FDH%03%E2&peer_id=%00%00%00%00%00%00%00%00%00%00%00%00A%D3%BD%AE%3B%09Z%5E' +
      `&port=6883&uploaded=0&downloaded=0&left=0&event=${event}`;
    const request = `GET ${target} HTTP/1.0\r\nHost: 127.0.0.1:6969\r\n${clientHead}`;
    return responsesIn(await exchange(server.address.port, request))[0]!;
  };
  expect(dictionaryIn(await send('started'))).toEqual(
    new Map<string, unknown>([
      ['complete', 1],
      ['downloaded', 0],
      ['external ip', Uint8Array.of(127, 0, 0, 1)],
      ['incomplete', 0],
      ['interval', 1800],
      ['min interval', 60],
      ['peers', []],
      ['tracker id', expect.any(Uint8Array)],
    ]),
  );
  const seeders = tracker.announce(
    {
      infoHash: Uint8Array.from(Buffer.from('2d044fc0db1a617539be4d72c2a545a0fd4803e2', 'hex')),
      peerId: new Uint8Array(20).fill(7),
      port: 6884,
      uploaded: 0,
      downloaded: 0,
      left: 22_169,
      event: 'started',
    },
    { ip: '127.0.0.1' },
    0,
  );
  const listed = 'peers' in seeders ? seeders.peers : [];
  expect(listed.map(({ ip, port, peerId }) => [ip, port, latin1(peerId!)])).toEqual([
    ['127.0.0.1', 6883, `${'\0'.repeat(12)}A\xd3\xbd\xae;\tZ^`],
  ]);
  expect(dictionaryIn(await send('stopped')).get('complete')).toBe(0);
  expect(tracker.counts).toMatchObject({ seeders: 0, leechers: 1, completed: 0 });
});
