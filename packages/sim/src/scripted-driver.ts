// Drives a peer that has no torrent: it listens, asks the tracker for others, dials them, and on every connection says
// its script and nothing else. Decides when it dials again; must not know what the script means.
import type { Torrent } from '@shoal/torrent';
import type { Endpoint } from '@shoal/tracker-protocol';
import type { Connection } from './connection.ts';
import type { HostListener } from './host.ts';
import type { Life, LifeFacts } from './life.ts';
import { addressOf } from './network.ts';
import type { AnnounceAnswer } from './simulated-tracker.ts';

/** Somebody who was hung up on tries again after this: a nuisance, not a flood. */
const redialMs = 20_000;
/** Peers asked of the tracker (BEP 3: typically 50). */
const numWant = 50;

export class ScriptedDriver implements HostListener, Life {
  readonly torrent: Torrent | undefined = undefined;
  readonly #facts: LifeFacts;
  #ended = false;

  constructor(facts: LifeFacts) {
    this.#facts = facts;
  }

  start(known: readonly Endpoint[]): void {
    this.#facts.host.listen(this);
    for (const endpoint of known) this.#facts.host.dial(endpoint);
    const left = this.#facts.content.geometry.totalLength;
    this.#facts.announce?.({ event: 'started', uploaded: 0, downloaded: 0, left, numWant }, (answer) =>
      this.#found(answer),
    );
  }

  stop(): void {
    this.end();
    this.#facts.host.cut('reset');
  }

  end(): void {
    this.#ended = true;
    this.#facts.host.listen(undefined);
  }

  accepted(connection: Connection): void {
    this.#say(connection);
  }

  connected(connection: Connection): void {
    this.#say(connection);
  }

  refused(endpoint: Endpoint, reason: string): void {
    this.#note(`cannot reach ${addressOf(endpoint)}: ${reason}`);
    this.#redial(endpoint);
  }

  received(_connection: Connection, bytes: Uint8Array): void {
    this.#facts.measurements.receivedBytes += bytes.length;
  }

  sent(): void {}

  closed(connection: Connection, reason: string): void {
    this.#note(`was left by ${connection.id}: ${reason}`);
    if (!connection.incoming) this.#redial(connection.remote);
  }

  #say(connection: Connection): void {
    const { behaviour, description, torrentOptions, random, measurements } = this.#facts;
    const facts = { infoHash: description.infoHash, peerId: torrentOptions.peerId, random };
    measurements.connections++;
    this.#note(`says its script on ${connection.id}`);
    for (const bytes of behaviour.script?.(facts) ?? []) {
      measurements.messageSent(bytes.length);
      connection.write(bytes);
    }
  }

  #found(answer: AnnounceAnswer): void {
    if (this.#ended || answer.type !== 'announced') return;
    for (const endpoint of answer.reply.peers) this.#facts.host.dial(endpoint);
  }

  #redial(endpoint: Endpoint): void {
    this.#facts.scheduler.after(redialMs * 1000, () => {
      if (!this.#ended) this.#facts.host.dial(endpoint);
    });
  }

  #note(what: string): void {
    this.#facts.trace.event(this.#facts.scheduler.nowUs, this.#facts.name, what);
  }
}
