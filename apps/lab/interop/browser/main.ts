// A headless Chromium with one page that seeds or downloads: main.ts seed|download TORRENT DIRECTORY. The page has its
// script, the torrent and the content from a server here, and leaves what it downloaded with it.
import { createReadStream, createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { chromiumPath } from '../requirements.ts';

const [mode = '', torrent = '', directory = ''] = process.argv.slice(2);
const library = fileURLToPath(new URL('../opponents/node_modules/webtorrent/dist/webtorrent.min.js', import.meta.url));
const script = fileURLToPath(new URL('page.js', import.meta.url));

/** What the page may have. The content is the one file of the folder. */
async function pathOf(target: string): Promise<readonly [path: string, type: string] | undefined> {
  switch (target) {
    case '/page.js':
      return [script, 'text/javascript'];
    case '/webtorrent.js':
      return [library, 'text/javascript'];
    case '/torrent':
      return [torrent, 'application/octet-stream'];
    case '/content': {
      const [name = ''] = await readdir(directory);
      return [join(directory, name), 'application/octet-stream'];
    }
    default:
      return undefined;
  }
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [target = '', name = ''] = (request.url ?? '').split('?');
  if (request.method === 'PUT') {
    // The page is ours, and so are the names in the torrent: plain ones.
    await pipeline(request, createWriteStream(join(directory, decodeURIComponent(name))));
    response.end();
    return;
  }
  if (target === '/') {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(
      '<!doctype html><title>peer</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>',
    );
    return;
  }
  const found = await pathOf(target);
  if (found === undefined) {
    response.writeHead(404).end();
    return;
  }
  const [path, type] = found;
  response.setHeader('content-type', type);
  await pipeline(createReadStream(path), response);
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    console.error(error);
    response.destroy();
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
if (address === null || typeof address === 'string') throw new TypeError('not listening on a port');

const browser = await chromium.launch({
  executablePath: chromiumPath,
  // Names made up for each address (mDNS) are found by nobody in this namespace.
  args: ['--no-sandbox', '--disable-features=WebRtcHideLocalIpsWithMdns'],
});
process.once('SIGTERM', () => void browser.close().then(() => process.exit()));
const page = await browser.newPage();
page.on('console', (message) => console.log(message.text()));
page.on('pageerror', (error) => {
  console.error(error);
  process.exit(1);
});
await page.goto(`http://127.0.0.1:${address.port}/#${mode}`);
