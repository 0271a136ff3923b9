// What a client would see at one target: two peers of one torrent announce, the second looks for the first, both leave.
// Over HTTP and UDP; see web-socket-visit.ts for the other.
import { randomInt } from 'node:crypto';
import { type AnnounceReply, type AnnounceRequest, type ScrapeCounts, infoHashHex } from '@shoal/tracker-protocol';
import { TrackerError, type TrackerRequestOptions, UdpClient, announce, scrape } from '@shoal/tracker-client';
import { type Blindness, type Sight, type VisitOptions, randomPeerId } from './sight.ts';
import type { Target } from './targets.ts';
import { unreached } from './unreached.ts';
import { visitWebSocket } from './web-socket-visit.ts';

/** Visits one target; whatever goes wrong there is part of what is seen. */
export async function visit(target: Target, options: VisitOptions): Promise<Sight | Blindness> {
  try {
    if (target.transport === 'ws' || target.transport === 'wss') return await visitWebSocket(target, options);
    return await announceTwice(target, options);
  } catch (error) {
    if (error instanceof TrackerError) return blindness(error);
    throw error;
  }
}

async function announceTwice({ url, family, address }: Target, { infoHash, timeoutMs }: VisitOptions): Promise<Sight> {
  // A datagram may be lost: within the time of one request it is sent three times.
  await using udp = new UdpClient({ retransmitMs: [timeoutMs / 4, timeoutMs / 4, timeoutMs / 2] });
  const options: TrackerRequestOptions = {
    family,
    timeoutMs,
    udp,
    minimumInterval: 1,
    lookup: async () => [{ address, family }],
  };
  const port = randomInt(20_000, 60_000);
  const [first, second] = [request(infoHash, port), request(infoHash, port + 1)];
  const started = performance.now();
  const reply = await announce(url, first, options);
  const latencyMs = performance.now() - started;
  const { peers } = await announce(url, second, options);
  const listed = peers.find((peer) => peer.port === port);
  const counts = await countsOf(url, infoHash, options);
  // Whether it hears a goodbye is its own affair.
  await Promise.allSettled([first, second].map((peer) => announce(url, { ...peer, event: 'stopped' }, options)));
  return sightOf(reply, latencyMs, listed?.ip, counts);
}

function request(infoHash: Uint8Array, port: number): AnnounceRequest {
  const amounts = { uploaded: 0, downloaded: 0, left: 16_384 };
  return { infoHash, peerId: randomPeerId(), port, ...amounts, event: 'started', numWant: 50, compact: true };
}

async function countsOf(
  url: string,
  infoHash: Uint8Array,
  options: TrackerRequestOptions,
): Promise<ScrapeCounts | undefined> {
  try {
    return (await scrape(url, [infoHash], options)).files.get(infoHashHex(infoHash));
  } catch (error) {
    // Trackers may keep their counts to themselves.
    if (error instanceof TrackerError) return undefined;
    throw error;
  }
}

function sightOf(
  { interval, minInterval, externalIp, warning }: AnnounceReply,
  latencyMs: number,
  listedAs: string | undefined,
  counts: ScrapeCounts | undefined,
): Sight {
  return { latencyMs, interval, minInterval, externalIp, listedAs, found: listedAs !== undefined, counts, warning };
}

function blindness(error: TrackerError): Blindness {
  const reason = error.failureReason ?? error.message;
  if (error.code === 'refused') return { failure: 'refused', reason };
  if (error.code === 'timeout') return { failure: 'silent', reason: 'no answer in time' };
  if (error.code !== 'unreachable') return { failure: 'wrong', reason };
  return unreached(error.cause, reason);
}
