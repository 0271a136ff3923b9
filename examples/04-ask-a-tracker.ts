// Announces to a tracker over HTTP and UDP, and scrapes it. Without a URL it starts a tracker of its own to ask.
// usage: node examples/04-ask-a-tracker.ts [URL] [INFO-HASH]
import { announce, scrape, TrackerError } from '@shoal/tracker-client';
import { Tracker } from '@shoal/tracker';
import { serveHttp, serveUdp } from '@shoal/tracker-server';

const infoHash = new Uint8Array(Buffer.from(process.argv[3] ?? '00'.repeat(20), 'hex'));
const request = {
  infoHash,
  peerId: new Uint8Array(Buffer.from('-XX0001-example12345')),
  port: 6881,
  uploaded: 0,
  downloaded: 0,
  left: 1000,
  event: 'started',
} as const;

async function ask(url: string): Promise<void> {
  try {
    const reply = await announce(url, request);
    console.log(`${url}: ${reply.peers.length} peers, ask again in ${reply.interval} s`);
    for (const [hash, counts] of (await scrape(url, [infoHash])).files)
      console.log(`${hash}: ${JSON.stringify(counts)}`);
  } catch (error) {
    if (!(error instanceof TrackerError)) throw error;
    console.error(`${error.code}: ${error.message}`);
  }
}

const [, , url] = process.argv;
if (url !== undefined) await ask(url);
else {
  const tracker = new Tracker({ random: Math.random });
  await using http = await serveHttp(tracker, { host: '127.0.0.1', port: 0 });
  await using udp = await serveUdp(tracker, { host: '127.0.0.1', port: 0 });
  await ask(`http://127.0.0.1:${http.address.port}/announce`);
  await ask(`udp://127.0.0.1:${udp.address.port}`);
}
