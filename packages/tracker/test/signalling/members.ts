import {
  type AnnounceFailure,
  type IdText,
  type SignalAnnounce,
  idBytes,
  idText,
  isFailure,
} from '@shoal/tracker-protocol';
import { type Delivery, SignalledSwarms, type SignalledSwarmsOptions } from '@shoal/tracker';
import { mulberry32 } from '../random.ts';

/** An id that is all one byte but for its last two. */
export function idOf(kind: number, index: number): IdText {
  const bytes = new Uint8Array(20).fill(kind);
  bytes.set([index >> 8, index & 0xff], 18);
  return idText(bytes);
}

export function swarmsOf(options: Partial<SignalledSwarmsOptions> = {}, seed = 1): SignalledSwarms {
  return new SignalledSwarms({ random: mulberry32(seed), ...options });
}

export interface Announce {
  readonly torrent?: number;
  readonly peer?: number;
  readonly seeding?: boolean;
  readonly leaving?: boolean;
  /** Numbers of the offers. */
  readonly offers?: readonly number[];
  readonly want?: number;
}

/** Announces for a connection, by default as the peer of its number, and gives the deliveries or the failure. */
export function announced(
  swarms: SignalledSwarms,
  connection: number,
  announce: Announce = {},
  now = 0,
): readonly Delivery[] | AnnounceFailure {
  const { torrent = 0, peer = connection, seeding = false, leaving = false, offers = [] } = announce;
  const infoHash = idOf(1, torrent);
  const message: SignalAnnounce = {
    action: 'announce',
    infoHash,
    peerId: idOf(2, peer),
    uploaded: 0,
    downloaded: 0,
    left: seeding ? 0 : 1,
    event: leaving ? 'stopped' : 'none',
    offers: offers.map((offer) => ({ offerId: idOf(3, offer), sdp: `offer ${offer}` })),
  };
  const want = announce.want ?? offers.length;
  return swarms.announce(connection, message, { infoHash: idBytes(infoHash), seeding, leaving, want }, now);
}

/** The same, where it cannot fail. */
export function deliveries(
  swarms: SignalledSwarms,
  connection: number,
  announce: Announce = {},
  now = 0,
): readonly Delivery[] {
  const found = announced(swarms, connection, announce, now);
  if (isFailure(found)) throw new Error(found.failureReason);
  return found;
}

/** Answers offer number `offer` of peer `to`. */
export function answered(
  swarms: SignalledSwarms,
  connection: number,
  { to, offer, torrent = 0, peer = connection }: { to: number; offer: number; torrent?: number; peer?: number },
  now = 0,
): Delivery | undefined {
  const infoHash = idOf(1, torrent);
  const ids = { infoHash, peerId: idOf(2, peer), toPeerId: idOf(2, to), offerId: idOf(3, offer) };
  return swarms.answer(connection, { action: 'answer', ...ids, sdp: `answer ${offer}` }, idBytes(infoHash), now);
}

export function countsOf(swarms: SignalledSwarms, torrent = 0): readonly [number, number, number] | undefined {
  const counts = swarms.counts(idBytes(idOf(1, torrent)));
  return counts && [counts.complete, counts.incomplete, counts.downloaded];
}
