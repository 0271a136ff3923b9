// What the tracker is told and what its answers mean for the swarm. When to announce is `Announcing`'s decision.
import type { AnnounceEvent } from '@shoal/tracker-protocol';
import { Announcing } from './announcing.ts';
import type { TorrentInput } from './inputs.ts';
import type { AnnounceFacts } from './outputs.ts';
import type { Possession } from './possession.ts';
import type { TrackerSnapshot } from './snapshot.ts';
import type { Swarm } from './swarm.ts';

type Announced = Extract<TorrentInput, { type: 'announced' }>;

export class Announces {
  readonly #swarm: Swarm;
  readonly #possession: Possession;
  readonly #announcing: Announcing;
  #last: TrackerSnapshot = {};

  constructor(swarm: Swarm, possession: Possession) {
    this.#swarm = swarm;
    this.#possession = possession;
    this.#announcing = new Announcing(swarm.options);
  }

  get deadline(): number {
    return this.#announcing.deadline(this.#needPeers());
  }

  begin(now: number): void {
    this.#announcing.begin(now);
    this.tellIfDue(now);
  }

  /** Complete, or no longer. Only what was downloaded whole is `completed` (BEP 3); the rest is told in its time. */
  completionChanged(downloaded: boolean, now: number): void {
    const isWhole = this.#swarm.picker.complete && this.#possession.leftBytes === 0;
    if (isWhole && downloaded) this.#announcing.completed(now);
    else this.#announcing.changed(now);
    this.tellIfDue(now);
  }

  end(): void {
    if (this.#announcing.stop()) this.#tell('stopped');
  }

  answered({ reply, tracker }: Announced, now: number): void {
    const event = this.#announcing.answered(reply, now);
    const peers = reply.peers.length;
    this.#last = { lastReply: { event, peers, complete: reply.complete, incomplete: reply.incomplete } };
    this.#swarm.report({ type: 'announced', event, peers, ...(tracker === undefined ? {} : { tracker }) });
    if (reply.warning !== undefined) this.#swarm.report({ type: 'announce-warning', warning: reply.warning });
  }

  failed(reason: string, retryInMs: number | undefined, now: number): void {
    const wait = this.#announcing.failed(retryInMs, now);
    this.#last = { ...this.#last, lastFailure: reason };
    this.#swarm.report({ type: 'announce-failed', reason, retryInMs: wait });
  }

  tellIfDue(now: number): void {
    const isPartialSeed = this.#swarm.picker.complete && this.#possession.leftBytes > 0;
    const event = this.#announcing.take(this.#needPeers(), isPartialSeed, now);
    if (event !== undefined) this.#tell(event);
  }

  snapshot(now: number): TrackerSnapshot {
    return { ...this.#last, nextAnnounceInMs: Math.max(0, this.#announcing.dueAt - now) };
  }

  #tell(event: AnnounceEvent): void {
    const { progress, live, options, allowance } = this.#swarm;
    const enough = event === 'stopped' || live.size >= allowance.maxConnections;
    const facts: AnnounceFacts = {
      event,
      uploaded: progress.uploadedBytes,
      downloaded: progress.downloadedBytes,
      left: this.#possession.leftBytes,
      numWant: enough ? 0 : options.numWant,
    };
    this.#swarm.emit({ type: 'announce', facts });
  }

  /** Nobody to talk to and nobody to dial: worth asking the tracker before its interval is over. */
  #needPeers(): boolean {
    const { live, known, picker } = this.#swarm;
    return !picker.complete && live.size === 0 && known.dialing === 0 && known.deadline() === Infinity;
  }
}
