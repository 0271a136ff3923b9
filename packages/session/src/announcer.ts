// Tells the trackers what a torrent wants told, and hands the answer back as the torrent's input.
// How tiers and protocols work is tracker-client's affair; when to announce is the torrent's.
import { lookup } from 'node:dns/promises';
import type { AnnounceFacts, TorrentInput } from '@shoal/torrent';
import { TrackerError, type TrackerTiers } from '@shoal/tracker-client';
import { canonicalIp, type AnnounceReply, type Endpoint } from '@shoal/tracker-protocol';

export interface AnnouncerOptions {
  readonly tiers: TrackerTiers | undefined;
  readonly infoHash: Uint8Array;
  readonly peerId: Uint8Array;
  readonly port: number;
  /** Eight hex digits, constant for the torrent: lets a tracker know us on two address families (BEP 7). */
  readonly key: string;
  /** How long an announce under way may still take when the torrent ends: it may be the `completed`. */
  readonly graceMs: number;
}

type Answer = Extract<TorrentInput, { type: 'announced' | 'announce-failed' | 'peers-found' }>;

/** Peers that a dictionary list names by host name are resolved, but not more than these of one reply. */
const maxNamedPeers = 50;

export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #underWay = new Set<Promise<void>>();
  readonly #abort = new AbortController();

  constructor(options: AnnouncerOptions) {
    this.#options = options;
  }

  announce(facts: AnnounceFacts, answer: (input: Answer) => void): void {
    const { tiers } = this.#options;
    if (tiers === undefined) return;
    const work = facts.event === 'stopped' ? this.#stop(tiers, facts, answer) : this.#ask(tiers, facts, answer);
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
  }

  /** Resolves when no announce is under way and no socket is left. */
  async close(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    await this.#options.tiers?.[Symbol.asyncDispose]();
  }

  /** What is under way is heard first, within the grace: a tracker must not learn of our start after our end. */
  async #stop(tiers: TrackerTiers, facts: AnnounceFacts, answer: (input: Answer) => void): Promise<void> {
    const timer = setTimeout(() => this.#abort.abort(new Error('the torrent was stopped')), this.#options.graceMs);
    await Promise.all(this.#underWay);
    clearTimeout(timer);
    await this.#ask(tiers, facts, answer);
  }

  async #ask(tiers: TrackerTiers, facts: AnnounceFacts, answer: (input: Answer) => void): Promise<void> {
    const { infoHash, peerId, port, key } = this.#options;
    const request = { ...facts, infoHash, peerId, port, key };
    const signal = facts.event === 'stopped' ? undefined : this.#abort.signal;
    try {
      const told = await tiers.announce(request, { signal });
      // Nobody was left to say goodbye to, or nobody listened: there is no answer to wait for.
      if (told === undefined) return;
      const { url, reply } = told;
      answer({ type: 'announced', reply, tracker: url });
      const named = await resolveNamed(reply);
      if (named.length > 0) answer({ type: 'peers-found', peers: named, source: 'tracker' });
    } catch (error) {
      const retry = error instanceof TrackerError ? error.retryInMs : undefined;
      answer({
        type: 'announce-failed',
        reason: reasonOf(error),
        ...(retry === undefined ? {} : { retryInMs: retry }),
      });
    }
  }
}

/** Of more trackers the reasons say nothing new. */
const maxReasons = 3;

/** What went wrong with each tracker, down to what the system said: "cannot be reached" alone helps nobody. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
  if (cause instanceof AggregateError) {
    const reasons = cause.errors.slice(0, maxReasons).map(reasonOf);
    const more = cause.errors.length - reasons.length;
    return [...reasons, ...(more > 0 ? [`${more} more failed`] : [])].join('; ');
  }
  return cause instanceof Error && cause.message !== '' ? `${message} (${cause.message})` : message;
}

async function resolveNamed(reply: AnnounceReply): Promise<Endpoint[]> {
  const resolved = (reply.namedPeers ?? []).slice(0, maxNamedPeers).map(async ({ host, port }): Promise<Endpoint[]> => {
    try {
      const ip = canonicalIp((await lookup(host)).address);
      return ip === undefined ? [] : [{ ip, port }];
    } catch {
      // One name that does not resolve is one peer less, nothing more.
      return [];
    }
  });
  return (await Promise.all(resolved)).flat();
}
