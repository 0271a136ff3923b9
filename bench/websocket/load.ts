// WebTorrent peers as far as their tracker sees them: each connected all the time, in a torrent of ten, announcing again
// as soon as it is answered. Runs as a process of its own: load.ts URL CONNECTIONS OFFERS SECONDS
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { type IdText, encodeSignalRequest, idText } from '@shoal/tracker-protocol';
import { WebSocket } from 'ws';

/** The last line of a load. */
export interface LoadResult {
  readonly announces: number;
  readonly seconds: number;
  /** Offers and answers that reached a peer. */
  readonly passedOn: number;
}

/** Peers of one torrent: more would not change what an announce costs. */
const peersPerTorrent = 10;

/** Connections opened at a time: more would overflow the queue of the listening socket. */
const openedAtOnce = 100;

/** Before anything is measured: a tracker runs for months, and with less its engine is still compiling it, most of all on a busy machine. */
const warmUpAnnounces = 30_000;

/** As long as what Chromium writes for a data channel with four candidates. */
const description = [
  'v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=msid-semantic: WMS\r\n',
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n',
  ...Array.from(
    { length: 4 },
    (_, index) =>
      `a=candidate:${index}738249477 1 udp 2113937151 192.168.${index}.137 5${index}313 typ host generation 0 network-cost 999\r\n`,
  ),
  'a=ice-ufrag:4ZcD\r\na=ice-pwd:2/1muCWoOi3uLifh0NuRHlea\r\na=ice-options:trickle\r\n',
  'a=fingerprint:sha-256 49:66:12:17:0D:1C:91:AE:57:4C:C6:36:DD:D5:97:D1:7D:62:C9:9A:7F:B9:A3:F4:70:03:E7:43:91:73:23:5E\r\n',
  'a=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n',
].join('');

const [url = '', connections = '0', offers = '0', seconds = '0'] = process.argv.slice(2);
let announces = 0;
let passedOn = 0;

interface Peer {
  readonly socket: WebSocket;
  readonly infoHash: IdText;
  readonly peerId: IdText;
}

const peers: Peer[] = [];
const torrents = Array.from({ length: Math.ceil(Number(connections) / peersPerTorrent) }, () => id());
for (let from = 0; from < Number(connections); from += openedAtOnce) {
  const opened = Array.from({ length: Math.min(openedAtOnce, Number(connections) - from) }, () => open());
  peers.push(...(await Promise.all(opened)));
}
// Everybody is a member before anybody has offers: what is measured is a tracker with full swarms.
await Promise.all(peers.map((peer) => answered(peer)));
console.log('CONNECTED');
if (Number(seconds) > 0) await measure();
// The connections stay until the load is ended.

async function measure(): Promise<void> {
  for (const peer of peers) {
    peer.socket.on('message', (data: Buffer) => {
      if (isPeerSignal(data)) {
        passedOn++;
        return;
      }
      announces++;
      announce(peer, Number(offers));
    });
    announce(peer, Number(offers));
  }
  while (announces < warmUpAnnounces) await delay(100);
  console.log('MEASURING');
  const before = { announces, passedOn, at: performance.now() };
  await delay(Number(seconds) * 1000);
  const result: LoadResult = {
    announces: announces - before.announces,
    passedOn: passedOn - before.passedOn,
    seconds: (performance.now() - before.at) / 1000,
  };
  console.log('RESULT', JSON.stringify(result));
}

async function open(): Promise<Peer> {
  const socket = new WebSocket(url, { perMessageDeflate: false, skipUTF8Validation: true });
  const infoHash = torrents[Math.floor(peers.length / peersPerTorrent) % torrents.length]!;
  await once(socket, 'open');
  return { socket, infoHash, peerId: id() };
}

async function answered(peer: Peer): Promise<void> {
  const answer = once(peer.socket, 'message');
  announce(peer, 0);
  await answer;
}

function announce({ socket, infoHash, peerId }: Peer, count: number): void {
  const made = Array.from({ length: count }, () => ({ offerId: id(), sdp: description }));
  const amounts = { uploaded: 0, downloaded: 0, left: 1000, event: 'none' } as const;
  socket.send(encodeSignalRequest({ action: 'announce', infoHash, peerId, ...amounts, offers: made }));
}

/** Offers are long, the answers to announces are not. */
function isPeerSignal(data: Buffer): boolean {
  return data.length > 400;
}

function id(): IdText {
  return idText(randomBytes(20));
}
