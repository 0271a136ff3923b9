// The vocabulary of WebTorrent's signalling: what peers and their tracker say to each other as JSON over a WebSocket.
// There is no BEP; README.md of this package writes the protocol down.
import type { AnnounceEvent, AnnounceFailure, AnnounceRequest, ScrapeCounts } from '../types.ts';

/** Bounds that hold at both ends. */
export const signalLimits = {
  /** Offers read of one announce; the rest is ignored. aquatic and wt-tracker take 10, clients send 5. */
  offers: 10,
  /** Characters of one session description. Browsers write 500 to 5,000; a candidate has 100, and a host may have many addresses. */
  sdpCharacters: 65_536,
  /** Torrents of one scrape, as over HTTP and UDP (BEP 15). */
  scrapedTorrents: 74,
  /** Characters of a message; ten offers of real size have 50,000. */
  messageCharacters: 131_072,
} as const;

/** 20 characters from U+0000 to U+00FF, one a byte: how JSON carries info-hashes, peer ids and offer ids. */
export type IdText = string;

/** A session description, or the same as JSON has it, quotes included: who passes it on need not read it. */
export type HeldSdp = string | { readonly json: string };

/** An offer of a connection (RFC 8829), for whichever peer the tracker chooses. `Sdp` is `HeldSdp` where it is passed on. */
export interface SignalOffer<Sdp = string> {
  readonly offerId: IdText;
  /** Session description, RFC 8866. */
  readonly sdp: Sdp;
}

/** An announce. Counters are bytes, clamped to `Number.MAX_SAFE_INTEGER`. */
export interface SignalAnnounce<Sdp = string> {
  readonly action: 'announce';
  readonly infoHash: IdText;
  readonly peerId: IdText;
  readonly uploaded: number;
  readonly downloaded: number;
  /** Bytes still missing; undefined when the peer does not know yet or did not say. */
  readonly left: number | undefined;
  readonly event: AnnounceEvent;
  /** At most `signalLimits.offers`; so many peers are wanted. */
  readonly offers: readonly SignalOffer<Sdp>[];
}

/** The answer to an offer, on its way from a peer to who made the offer. */
export interface SignalAnswer<Sdp = string> {
  readonly action: 'answer';
  readonly infoHash: IdText;
  /** Who answers. */
  readonly peerId: IdText;
  /** Whose offer it was. */
  readonly toPeerId: IdText;
  readonly offerId: IdText;
  readonly sdp: Sdp;
}

/** A scrape of at least one torrent. */
export interface SignalScrape {
  readonly action: 'scrape';
  readonly infoHashes: readonly IdText[];
}

/** What a peer sends. */
export type SignalRequest<Sdp = string> = SignalAnnounce<Sdp> | SignalAnswer<Sdp> | SignalScrape;

/** The tracker's answer to an announce. Peers come by themselves, as answers to the offers. */
export interface AnnounceSignal {
  readonly action: 'announce';
  readonly infoHash: IdText;
  /** Seconds until the next regular announce. */
  readonly interval: number;
  readonly minInterval?: number | undefined;
  /** Seeders. */
  readonly complete: number;
  /** Leechers. */
  readonly incomplete: number;
  readonly warning?: string | undefined;
}

/** Another peer's offer or answer, as the tracker passes it on. */
export interface PeerSignal<Sdp = string> {
  readonly action: 'offer' | 'answer';
  readonly infoHash: IdText;
  /** Whose it is. */
  readonly peerId: IdText;
  readonly offerId: IdText;
  readonly sdp: Sdp;
}

/** The tracker's answer to a scrape. */
export interface ScrapeSignal {
  readonly action: 'scrape';
  readonly files: ReadonlyMap<IdText, ScrapeCounts>;
}

/** A refusal. `of` and `infoHash` are left out where the request could not be read. */
export interface FailureSignal extends AnnounceFailure {
  readonly action: 'failure';
  readonly of?: 'announce' | 'scrape' | undefined;
  readonly infoHash?: IdText | undefined;
}

/** What a tracker sends. */
export type SignalReply<Sdp = string> = AnnounceSignal | PeerSignal<Sdp> | ScrapeSignal | FailureSignal;

/** Characters that holding a session description takes. */
export function heldCharacters(sdp: HeldSdp): number {
  return typeof sdp === 'string' ? sdp.length : sdp.json.length;
}

/** The 20 bytes of an id. @throws RangeError for a text that is none */
export function idBytes(text: IdText): Uint8Array {
  if (!isIdText(text)) throw new RangeError('An id has 20 characters up to U+00FF');
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** An id of 20 bytes as text. @throws RangeError for another length */
export function idText(bytes: Uint8Array): IdText {
  if (bytes.length !== 20) throw new RangeError('An id has 20 bytes');
  return String.fromCharCode(...bytes);
}

/** Whether a value is an id as JSON carries it. */
export function isIdText(value: unknown): value is IdText {
  if (typeof value !== 'string' || value.length !== 20) return false;
  for (let at = 0; at < 20; at++) if (value.charCodeAt(at) > 0xff) return false;
  return true;
}

/**
 * An announce as the other transports have it. `port` is that of the connection, because the peer listens on none.
 * @throws RangeError for ids that are none
 */
export function announceRequestOf(announce: SignalAnnounce<unknown>, port: number): AnnounceRequest {
  const { uploaded, downloaded, left, event, offers } = announce;
  const [infoHash, peerId] = [idBytes(announce.infoHash), idBytes(announce.peerId)];
  return { infoHash, peerId, port, uploaded, downloaded, left, event, numWant: offers.length };
}
