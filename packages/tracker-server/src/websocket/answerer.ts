// Message in, messages out, to this connection and to others: what a WebTorrent peer is answered. Knows no sockets.
// Who gets an offer is decided in tracker/src/signalling, who is refused by the tracker's policy.
import type { AdmittedMember, Delivery, SignalledSwarms, Tracker } from '@shoal/tracker';
import {
  type AnnounceEvent,
  type AnnounceFailure,
  type HeldSdp,
  type IdText,
  type ScrapeCounts,
  type SignalAnnounce,
  type SignalAnswer,
  type SignalReply,
  type SignalScrape,
  TrackerProtocolError,
  announceRequestOf,
  decodeRelayedRequest,
  encodePeerSignal,
  encodeSignalIds,
  encodeSignalReply,
  idBytes,
  isFailure,
} from '@shoal/tracker-protocol';
import type { SharedSignalling } from '../shared-service-signalling.ts';
import type { SwarmService } from '../swarm-service.ts';
import type { WebSocketTraffic } from '../traffic.ts';

/** A connection as far as its messages matter. */
export interface SignalSource {
  readonly number: number;
  /** 4 or 16 bytes, canonical: whom it speaks for. */
  readonly address: Uint8Array;
  /** The far end's port: nobody listens there, but a policy may look at it. */
  readonly port: number;
}

/** What an answerer does to connections; those that are gone are ignored. */
export interface SignalSender {
  send(connection: number, text: string): void;
  /** Ends a connection that breaks the protocol; `reason` has at most 123 bytes (RFC 6455). */
  end(connection: number, reason: string): void;
}

/**
 * Hears of an announce once it is answered: from where (4 or 16 bytes), when it came (ms), and the interval told in
 * seconds, undefined where it was refused.
 */
export type AnnounceHeard = (
  event: AnnounceEvent,
  address: Uint8Array,
  began: number,
  interval: number | undefined,
) => void;

export interface SignalAnswererOptions {
  readonly tracker: Tracker;
  readonly swarms: SignalledSwarms;
  /** Who counts; undefined for a tracker that has its peers in memory. */
  readonly service: SwarmService | undefined;
  /** So often do WebTorrent peers announce within a regular interval. */
  readonly announcesPerInterval: number;
  readonly traffic: WebSocketTraffic;
  readonly onAnnounce?: AnnounceHeard | undefined;
  readonly sender: SignalSender;
}

/** Not sooner, whatever the regular interval: as often as npm bittorrent-tracker's client announces by itself. */
const leastIntervalSeconds = 30;

/** For torrents that nobody is in: clients take a scrape without any for broken. */
const nobody: ScrapeCounts = { complete: 0, incomplete: 0, downloaded: 0 };

/** Answers the messages of all connections. */
export class SignalAnswerer {
  readonly #options: SignalAnswererOptions;
  readonly #shared: SharedSignalling | undefined;

  constructor(options: SignalAnswererOptions) {
    this.#options = options;
    this.#shared = options.service?.signalling;
  }

  /** Takes one message at `now` (ms). */
  receive(from: SignalSource, text: string, now: number): void {
    try {
      const message = decodeRelayedRequest(text);
      if (message.action === 'announce') this.#announce(from, message, now);
      else if (message.action === 'answer') this.#answer(from, message, now);
      else this.#scrape(from, message, now);
    } catch (error) {
      if (!(error instanceof TrackerProtocolError)) throw error;
      this.#fail(from, undefined, undefined, { failureReason: error.sendable });
      this.#options.sender.end(from.number, error.sendable);
    }
  }

  #announce(from: SignalSource, message: SignalAnnounce<HeldSdp>, now: number): void {
    const { tracker, swarms, traffic, onAnnounce } = this.#options;
    traffic.announces++;
    const { infoHash, event } = message;
    const admitted = tracker.admit(announceRequestOf(message, from.port), from.address, 'own', false, now);
    if (isFailure(admitted)) return this.#refuse(from, message, admitted, now);
    if (this.#shared !== undefined) return this.#announceShared(from, message, admitted, this.#shared, now);
    const deliveries = swarms.announce(from.number, message, admitted, now);
    if (isFailure(deliveries)) return this.#refuse(from, message, deliveries, now);
    const interval = this.#interval(now);
    this.#count([admitted.infoHash], now, (counts) => {
      if (isFailure(counts)) return this.#refuse(from, message, counts, now);
      const { complete, incomplete } = counts[0] ?? nobody;
      this.#send(from.number, { action: 'announce', infoHash, interval, complete, incomplete });
      onAnnounce?.(event, from.address, now, interval);
    });
    this.#deliverAll(from, message, deliveries);
  }

  /** The same where peers of several nodes meet, so that the answer comes later. */
  #announceShared(
    from: SignalSource,
    message: SignalAnnounce<HeldSdp>,
    admitted: AdmittedMember,
    shared: SharedSignalling,
    now: number,
  ): void {
    const { swarms, onAnnounce } = this.#options;
    const member = swarms.enlist(from.number, message, admitted, now);
    if (member !== undefined && isFailure(member)) return this.#refuse(from, message, member, now);
    const interval = this.#interval(now);
    const connection = from.number;
    shared.announce(
      { connection, message, admitted, member, interval },
      now,
      ({ complete, incomplete }, deliveries) => {
        this.#send(connection, { action: 'announce', infoHash: message.infoHash, interval, complete, incomplete });
        onAnnounce?.(message.event, from.address, now, interval);
        this.#deliverAll(from, message, deliveries);
      },
    );
  }

  #refuse(
    from: SignalSource,
    { infoHash, event }: SignalAnnounce<HeldSdp>,
    failure: AnnounceFailure,
    began: number,
  ): void {
    this.#fail(from, 'announce', infoHash, failure);
    this.#options.onAnnounce?.(event, from.address, began, undefined);
  }

  #answer(from: SignalSource, message: SignalAnswer<HeldSdp>, now: number): void {
    const { swarms, traffic } = this.#options;
    const delivery = swarms.answer(from.number, message, idBytes(message.infoHash), now);
    if (delivery === undefined) {
      traffic.dropped++;
      return;
    }
    traffic.answers++;
    this.#deliver(from, delivery, encodeSignalIds(delivery.signal));
  }

  #scrape(from: SignalSource, { infoHashes }: SignalScrape, now: number): void {
    const { tracker, service, traffic } = this.#options;
    traffic.scrapes++;
    const asked = infoHashes.map(idBytes);
    const done = (counts: readonly (ScrapeCounts | undefined)[] | AnnounceFailure): void => {
      if (isFailure(counts)) return this.#fail(from, 'scrape', undefined, counts);
      const files = new Map(infoHashes.map((infoHash, index) => [infoHash, counts[index] ?? nobody]));
      this.#send(from.number, { action: 'scrape', files });
    };
    if (service === undefined) done(tracker.scrape(asked, now));
    else service.scrape(asked, now, done);
  }

  /** As a scrape, but nobody asked for one. */
  #count(
    infoHashes: readonly Uint8Array[],
    now: number,
    done: (counts: readonly (ScrapeCounts | undefined)[] | AnnounceFailure) => void,
  ): void {
    const { tracker, service } = this.#options;
    if (service === undefined) done(infoHashes.map((infoHash) => tracker.swarmCounts(infoHash)));
    else service.scrape(infoHashes, now, done);
  }

  #interval(now: number): number {
    const regular = this.#options.tracker.interval(now);
    const shorter = Math.ceil(regular / this.#options.announcesPerInterval);
    return Math.max(shorter, Math.min(regular, leastIntervalSeconds));
  }

  #fail(
    from: SignalSource,
    of: 'announce' | 'scrape' | undefined,
    infoHash: IdText | undefined,
    failure: AnnounceFailure,
  ): void {
    this.#options.traffic.failures++;
    this.#send(from.number, { action: 'failure', of, infoHash, ...failure });
  }

  /** The offers of an announce. */
  #deliverAll(from: SignalSource, message: SignalAnnounce<HeldSdp>, deliveries: readonly Delivery[]): void {
    if (deliveries.length === 0) return;
    this.#options.traffic.offers += deliveries.length;
    const ids = encodeSignalIds(message);
    for (const delivery of deliveries) this.#deliver(from, delivery, ids);
  }

  #deliver(from: SignalSource, { connection, signal, away }: Delivery, ids: string): void {
    if (away === undefined) this.#options.sender.send(connection, encodePeerSignal(signal, ids));
    else this.#shared?.hand(from.number, signal, away);
  }

  #send(connection: number, reply: SignalReply<HeldSdp>): void {
    this.#options.sender.send(connection, encodeSignalReply(reply));
  }
}
