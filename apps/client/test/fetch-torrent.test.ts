import http from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { fetchTorrent } from '../src/fetch-torrent.ts';

test('a server that drips a byte now and then is given up when the time for all of it is over', async () => {
  const server = http.createServer((_request, response) => {
    response.writeHead(200);
    // Never silent for as long as the idle limit, and never done.
    const drip = setInterval(() => response.write('x'), 10);
    response.on('close', () => clearInterval(drip));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const fetching = fetchTorrent(`http://127.0.0.1:${port}/x.torrent`, 1_000_000, undefined, 200);
  await expect(fetching).rejects.toMatchObject({
    exit: 'network',
    message: expect.stringContaining('not complete within 0.2 s') as string,
  });
});
