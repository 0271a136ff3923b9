// The exchange of 30 September 2003 that BitTorrent 3.3 had with its tracker, as captured on the wire: the
// requests byte for byte, the answers by their meaning. Peers that the capture shows as already there are told to
// the tracker first.
import { expect, test } from 'vitest';
import { decode, latin1 } from '@shoal/bencode';
import { gunzipSync } from 'node:zlib';
import { type RawResponse, dictionaryIn, exchange, httpOn, responsesIn, textOf, trackerOf } from './support.ts';

const infoHash = Uint8Array.from(Buffer.from('2d044fc0db1a617539be4d72c2a545a0fd4803e2', 'hex'));
const clientId = Uint8Array.from(Buffer.from('000000000000000000000000f51ae4e85a875808', 'hex'));
const seederId = Uint8Array.from(Buffer.from('0000000000000000000000007c2ee11def27a366', 'hex'));

const requestHead =
  'GET /announce?info_hash=-%04O%C0%DB%1Aau9%BEMr%C2%A5E%A0%FDH%03%E2&peer_id=%00%00%00%00%00%00%00%00%00%00%00%00%F5%1A%E4%E8Z%87X%08&port=6883';
const requestTail =
  ' HTTP/1.0\r\nHost: 127.0.0.1:6969\r\nUser-Agent: Python-urllib/2.0a1\r\nAccept-encoding: gzip\r\nUser-agent: BitTorrent/3.3\r\n\r\n';

/** The gzip body of the captured answer to `started` and `completed`. */
const capturedAnswer = Buffer.from(
  '1f8b080060c3793f02ff4bb1b0cacc2b492d2a4bccc934b430304835b52a484d2d2ace4931b2ca2cb0b4323432d73300424373b0b842' +
    '668a9181150312a8d17b28fb5e7d719a8955417e5149a6998585616a2ab19abf4a3d7911d51ec181d06c9c0a0400f920775c95000000',
  'hex',
);

test('the client is answered as in 2003: dictionaries with peer ids, compressed where smaller, HTTP/1.0 closed', async () => {
  const tracker = trackerOf();
  await using server = await httpOn(tracker);
  const send = async (query: string): Promise<RawResponse> => {
    const stream = await exchange(server.address.port, `${requestHead}&${query}${requestTail}`);
    return responsesIn(stream)[0]!;
  };
  const seeder = {
    infoHash,
    peerId: seederId,
    port: 6881,
    uploaded: 0,
    downloaded: 0,
    left: 0,
    event: 'started',
  } as const;
  tracker.announce(seeder, { ip: '127.0.0.1' }, 0);
  const seederEntry = { ip: '127.0.0.1', 'peer id': latin1(seederId), port: 6881 };

  const started = await send('uploaded=0&downloaded=0&left=22169&event=started');
  expect([started.status, started.headers.get('content-type'), started.headers.get('pragma')]).toEqual([
    200,
    'text/plain',
    'no-cache',
  ]);
  // The 2003 tracker listed the client to itself; ours leaves it out, as it has nothing to gain from itself.
  expect(meaningOf(started)).toMatchObject({ interval: 1800, complete: 1, incomplete: 1, peers: [seederEntry] });

  // A leecher that joins sees both, and the list is large enough to be compressed.
  const leecher = { ...seeder, peerId: new Uint8Array(20).fill(7), port: 6884, left: 22169 };
  tracker.announce(leecher, { ip: '127.0.0.1' }, 0);
  const again = await send('uploaded=0&downloaded=0&left=22169');
  expect(again.headers.get('content-encoding')).toBe('gzip');
  expect(again.body.length).toBeLessThan(gunzipSync(again.body).length);
  expect(meaningOf(again).peers).toHaveLength(2);

  const completed = await send('uploaded=0&downloaded=22169&left=0&event=completed');
  // Now a seed, it is given the leecher only.
  expect(meaningOf(completed)).toMatchObject({ interval: 1800, complete: 2, downloaded: 1, peers: [{ port: 6884 }] });

  const stopped = await send('uploaded=0&downloaded=22169&left=0&event=stopped');
  // The 2003 tracker sent its peers after a goodbye; nobody reads them.
  expect(meaningOf(stopped)).toMatchObject({ interval: 1800, complete: 1, peers: [] });
  expect(tracker.counts).toMatchObject({ torrents: 1, seeders: 1, leechers: 1, completed: 1 });
});

test('the captured answer means what ours means: the same keys, spelled the same', () => {
  const captured = decode(Uint8Array.from(gunzipSync(capturedAnswer))) as Map<string, unknown>;
  expect([...captured.keys()]).toEqual(['interval', 'peers']);
  const peers = (captured.get('peers') as Map<string, unknown>[]).map(plain);
  expect(peers).toEqual([
    { ip: '127.0.0.1', 'peer id': latin1(seederId), port: 6881 },
    { ip: '127.0.0.1', 'peer id': latin1(clientId), port: 6883 },
  ]);
});

function meaningOf(response: RawResponse): { peers: object[] } & Record<string, unknown> {
  const dictionary = dictionaryIn(response);
  const peers = (dictionary.get('peers') as Map<string, unknown>[]).map(plain);
  return { ...Object.fromEntries(dictionary), peers };
}

function plain(peer: Map<string, unknown>): object {
  return Object.fromEntries([...peer].map(([key, value]) => [key, textOf(value) ?? value]));
}
