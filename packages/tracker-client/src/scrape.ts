// Counts of seeders and leechers for many torrents from one tracker, whatever its transport. BEP 15, 48.
import { decodeScrapeReply, encodeScrapeQuery, udpLimits } from '@shoal/tracker-protocol';
import type { ScrapeCounts, ScrapeReply } from '@shoal/tracker-protocol';
import { ask, withUdpClient } from './announce.ts';
import { withDeadline } from './deadline.ts';
import { TrackerError } from './errors.ts';
import type { TrackerRequestOptions } from './options.ts';
import { scrapeUrlOf } from './scrape-url.ts';
import { parseTrackerUrl } from './tracker-url.ts';

/**
 * Scrapes the tracker that is announced to at `announceUrl`, in batches of 74. Torrents it does not know are left out
 * over HTTP and zero over UDP. A time limit is for each batch.
 * @throws TrackerError no-scrape when the URL does not follow the convention; RangeError without any hash
 */
export async function scrape(
  announceUrl: string,
  infoHashes: readonly Uint8Array[],
  options: TrackerRequestOptions = {},
): Promise<ScrapeReply> {
  if (infoHashes.length === 0) throw new RangeError('A scrape names at least one torrent');
  const isUdp = parseTrackerUrl(announceUrl).protocol === 'udp:';
  const url = scrapeUrlOf(announceUrl);
  if (url === undefined) throw new TrackerError('no-scrape', announceUrl);
  const files = new Map<string, ScrapeCounts>();
  let minRequestInterval: number | undefined;
  await withClient(isUdp, options, async (shared) => {
    for (let at = 0; at < infoHashes.length; at += udpLimits.scrapeHashes) {
      const batch = infoHashes.slice(at, at + udpLimits.scrapeHashes);
      const reply = isUdp ? await scrapeUdp(url, batch, shared) : await scrapeHttp(url, batch, shared);
      for (const [infoHash, counts] of reply.files) files.set(infoHash, counts);
      minRequestInterval = reply.minRequestInterval ?? minRequestInterval;
    }
  });
  return { files, minRequestInterval };
}

async function withClient(
  isUdp: boolean,
  options: TrackerRequestOptions,
  work: (options: TrackerRequestOptions) => Promise<void>,
): Promise<void> {
  if (isUdp) await withUdpClient(options, (udp) => work({ ...options, udp }));
  else await work(options);
}

function scrapeHttp(url: string, batch: readonly Uint8Array[], options: TrackerRequestOptions): Promise<ScrapeReply> {
  return ask(url, encodeScrapeQuery(batch), options, decodeScrapeReply);
}

function scrapeUdp(url: string, batch: readonly Uint8Array[], options: TrackerRequestOptions): Promise<ScrapeReply> {
  const { timeoutMs, signal, udp } = options;
  return withDeadline(url, timeoutMs, signal, (limited) => udp!.scrape(url, batch, options, limited));
}
