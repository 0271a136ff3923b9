// Which peers one announcer is given: from which lists, how many of each family, and only the new ones for who has the
// rest. A torrent numbers its joinings once somebody asked for a mark, and each peer keeps twelve bits of its number.
import type { PeerSample } from '../peer-sample.ts';
import type { StoreAnnounce } from '../peer-store.ts';
import type { Draw } from './draw.ts';
import { drawCapacity } from './family-members.ts';
import { type Participants, otherThan } from './participants.ts';
import { stampRange } from './member-entry.ts';
import { type TorrentTable, tally } from './torrent-table.ts';

/** Who asks, and where it stands. */
interface Asker {
  readonly family: 4 | 6;
  readonly torrent: number;
  /** The other listing, if this one may be given its peers; else -1. */
  readonly beside: number;
  /** Its own record and its partner's; -1 where there is none. */
  readonly record: number;
  readonly partner: number;
  readonly leechersOnly: boolean;
  readonly withPeerIds: boolean;
}

/** Where the numbers of a torrent begin is drawn from so many multiples of `stampRange`: old marks are not met again. */
const sequenceStarts = 262_144;

/** Fills answers. */
export class Sampler {
  readonly #torrents: TorrentTable;
  readonly #participants: Participants;
  readonly #draw: Draw;

  constructor(torrents: TorrentTable, participants: Participants, draw: Draw) {
    this.#torrents = torrents;
    this.#participants = participants;
    this.#draw = draw;
  }

  /** Gives a peer that has just joined its number. */
  stamp(family: 4 | 6, torrent: number, record: number): void {
    if (!this.#torrents.hasTally(torrent)) return;
    const sequence = this.#torrents.tally(torrent, tally.sequence);
    if (sequence === 0) return;
    // At the end of the numbers the torrent has none again, and whoever asks next gets a new beginning.
    const next = sequence === 0xffff_ffff ? 0 : sequence + 1;
    this.#torrents.setTally(torrent, tally.sequence, next);
    this.#participants.members[family].stamp(record, next);
  }

  /** Draws for an announcer, whose record is -1 if it is not listed. */
  fill(answer: PeerSample, peer: StoreAnnounce, family: 4 | 6, torrent: number, beside: number, record: number): void {
    const asker: Asker = {
      family,
      torrent,
      beside: peer.listing === 'private' ? beside : -1,
      record,
      partner: record < 0 ? -1 : this.#participants.partner(family, record),
      // A partial seed wants nothing that a seed has.
      leechersOnly: peer.seeding || peer.partial,
      withPeerIds: peer.withPeerIds,
    };
    const want = Math.min(peer.want, answer.capacity, drawCapacity);
    const both = peer.families === 'both';
    if (peer.since !== undefined) this.#fillSince(answer, asker, want, both, peer.since);
    else this.#fillAny(answer, asker, want, both);
  }

  #fillAny(answer: PeerSample, asker: Asker, want: number, both: boolean): void {
    const { family, partner } = asker;
    const other = otherThan(family);
    // Whoever has addresses of both families can use both: opentracker keeps a quarter for the other one too.
    const reserved = both && partner >= 0 ? Math.min(Math.floor(want / 4), this.#candidates(asker, other)) : 0;
    const drawn = this.#drawFrom(answer, asker, family, want - reserved);
    if (both) this.#drawFrom(answer, asker, other, want - drawn);
  }

  #fillSince(answer: PeerSample, asker: Asker, want: number, both: boolean, since: number): void {
    const { family, torrent, record, partner, leechersOnly, withPeerIds } = asker;
    const other = otherThan(family);
    const candidates = this.#candidates(asker, family) + (both ? this.#candidates(asker, other) : 0);
    // Two lists have two sequences, and in a large swarm nobody gets everything that a mark would leave out.
    if (asker.beside >= 0 || candidates > drawCapacity) return this.#fillAny(answer, asker, want, both);
    const sequence = this.#sequence(torrent);
    const distance = sequence - since;
    if (since === 0 || distance < 0 || distance >= stampRange) {
      this.#fillAny(answer, asker, want, both);
      if (answer.ipv4.count + answer.ipv6.count === candidates) answer.mark = sequence;
      return;
    }
    let left = want;
    let isComplete = true;
    for (const side of both ? [family, other] : [family]) {
      const self = side === family ? record : partner;
      const into = side === 4 ? answer.ipv4 : answer.ipv6;
      const members = this.#participants.members[side];
      const missing = { sequence, distance };
      const { found, given } = members.drawNewInto(into, torrent, leechersOnly, self, left, withPeerIds, missing);
      left -= given;
      isComplete &&= found === given;
    }
    if (isComplete) answer.mark = sequence;
  }

  #sequence(torrent: number): number {
    const sequence = this.#torrents.tally(torrent, tally.sequence);
    if (sequence > 0) return sequence;
    const first = stampRange * (1 + this.#draw.below(sequenceStarts));
    this.#torrents.setTally(torrent, tally.sequence, first);
    return first;
  }

  #candidates({ torrent, beside, leechersOnly, ...asker }: Asker, family: 4 | 6): number {
    const members = this.#participants.members[family];
    const self = family === asker.family ? asker.record : asker.partner;
    const own = members.candidates(torrent, leechersOnly, this.#standsIn(torrent, family, self));
    if (beside < 0) return own;
    return own + members.candidates(beside, leechersOnly, this.#standsIn(beside, family, self));
  }

  #drawFrom(answer: PeerSample, asker: Asker, family: 4 | 6, want: number): number {
    const { torrent, beside, leechersOnly, withPeerIds } = asker;
    const members = this.#participants.members[family];
    const into = family === 4 ? answer.ipv4 : answer.ipv6;
    const record = family === asker.family ? asker.record : asker.partner;
    const self = this.#standsIn(torrent, family, record);
    const drawn = members.drawInto(into, torrent, leechersOnly, self, want, withPeerIds);
    if (beside < 0) return drawn;
    const selfBeside = this.#standsIn(beside, family, record);
    return drawn + members.drawInto(into, beside, leechersOnly, selfBeside, want - drawn, withPeerIds);
  }

  /** The record, if it is listed in that torrent; else -1. */
  #standsIn(torrent: number, family: 4 | 6, record: number): number {
    return record >= 0 && this.#participants.members[family].table.torrent(record) === torrent ? record : -1;
  }
}
