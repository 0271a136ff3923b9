// Phase 1 of the exchange captured on 30 September 2003: a .torrent file from a web server, whose answer is played here byte for
// byte. Of the file 169 bytes were printed and 1723 only counted; any will do for those.
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { readTorrent } from '../src/source.ts';

const head =
  'HTTP/1.1 200 OK\r\nDate: Tue, 30 Sep 2003 17:54:40 GMT\r\n' +
  'Server: Apache/1.3.27 (Unix) mod_fastcgi/2.4.0 mod_ssl/2.8.14 OpenSSL/0.9.6c\r\n' +
  'Last-Modified: Sun, 28 Sep 2003 14:41:08 GMT\r\nETag: "8286-764-3f76f304"\r\nAccept-Ranges: bytes\r\n' +
  'Content-Length: 1892\r\nConnection: close\r\nContent-Type: application/x-bittorrent\r\n\r\n';
const printed =
  'd8:announce30:http://127.0.0.1:6969/announce13:creation datei1064759973e4:infod6:lengthi22169e4:name14:crop.05:00.jpg' +
  '12:piece lengthi256e6:pieces1740:k\x91\xc2\xdayL\xad\x03_\xc3N\x82\xf89\x85\xe9\x8a\x94\n';

test('founding exchange, BEP 3.12, 3.18: a link to a .torrent is enough: its answer of 2003 is read whole', async () => {
  const asked: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (request: Buffer) => {
      asked.push(request.toString('latin1').split('\r\n', 1)[0] ?? '');
      socket.end(Buffer.from(`${head}${printed}${'.'.repeat(1721)}ee`, 'latin1'));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const torrent = await readTorrent(`http://127.0.0.1:${port}/bt/crop.05:00.jpg.torrent`);
  // The first client spoke HTTP/1.0; the target is the same.
  expect(asked).toEqual(['GET /bt/crop.05:00.jpg.torrent HTTP/1.1']);
  expect(torrent).toMatchObject({
    announceTiers: [['http://127.0.0.1:6969/announce']],
    creationDate: 1_064_759_973,
    geometry: { totalLength: 22_169, pieceLength: 256, pieceCount: 87 },
  });
});
