// One announce to one tracker, whatever its transport: the answer, or a TrackerError that says why not.
import { decodeAnnounceReply, encodeAnnounceQuery, isFailure, TrackerProtocolError } from '@shoal/tracker-protocol';
import type { AnnounceFailure, AnnounceReply, AnnounceRequest } from '@shoal/tracker-protocol';
import { withDeadline } from './deadline.ts';
import { TrackerError } from './errors.ts';
import { httpGet } from './http.ts';
import type { HttpAnswer } from './http.ts';
import { defaults } from './options.ts';
import type { TrackerRequestOptions } from './options.ts';
import { parseTrackerUrl } from './tracker-url.ts';
import { UdpClient } from './udp-client.ts';

/**
 * Announces to the tracker at `url` (`http:`, `https:` or `udp:`).
 * @throws TrackerError; `refused` carries the tracker's own words. RangeError when the request is not one.
 */
export async function announce(
  url: string,
  request: AnnounceRequest,
  options: TrackerRequestOptions = {},
): Promise<AnnounceReply> {
  if (parseTrackerUrl(url).protocol === 'udp:') return announceOverUdp(url, request, options);
  const query = encodeAnnounceQuery(request);
  const limits = { minimumInterval: options.minimumInterval ?? 60 };
  return ask(url, query, options, (body) => decodeAnnounceReply(body, limits));
}

/** A request over HTTP and the meaning of its answer. Shared by announce and scrape. */
export function ask<Reply extends object>(
  url: string,
  query: string,
  options: TrackerRequestOptions,
  decode: (body: Uint8Array) => Reply | AnnounceFailure,
): Promise<Reply> {
  return withDeadline(url, options.timeoutMs ?? defaults.timeoutMs, options.signal, async (signal) => {
    const answer = await httpGet(url, query, options, signal);
    const reply = understood(url, answer, decode);
    if (!isFailure(reply)) return reply;
    const { failureReason, retryIn, interval } = reply;
    // BEP 31 counts minutes; an interval inside a failure counts seconds, as ever.
    const asked = retryIn === 'never' ? Infinity : retryIn === undefined ? undefined : retryIn * 60_000;
    const retryInMs = asked ?? (interval === undefined ? answer.retryInMs : interval * 1_000);
    throw new TrackerError('refused', url, { failureReason, retryInMs });
  });
}

/** Runs `work` with the caller's UDP client, or with one that lives as long as the work. */
export async function withUdpClient<Value>(
  options: TrackerRequestOptions,
  work: (client: UdpClient) => Promise<Value>,
): Promise<Value> {
  if (options.udp !== undefined) return work(options.udp);
  await using client = new UdpClient();
  return await work(client);
}

function announceOverUdp(
  url: string,
  request: AnnounceRequest,
  options: TrackerRequestOptions,
): Promise<AnnounceReply> {
  return withUdpClient(options, (client) =>
    withDeadline(url, options.timeoutMs, options.signal, (signal) => client.announce(url, request, options, signal)),
  );
}

function understood<Reply extends object>(
  url: string,
  { status, body, retryInMs }: HttpAnswer,
  decode: (body: Uint8Array) => Reply | AnnounceFailure,
): Reply | AnnounceFailure {
  const isSuccess = status >= 200 && status < 300;
  try {
    const reply = decode(body);
    // Some trackers send their reason with status 4xx; anything else under such a status is not meant for us.
    if (isSuccess || isFailure(reply)) return reply;
  } catch (cause) {
    if (!(cause instanceof TrackerProtocolError)) throw cause;
    if (isSuccess) throw new TrackerError('malformed', url, { cause });
  }
  throw new TrackerError('http-status', url, { status, retryInMs });
}
