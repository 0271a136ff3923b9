// Who is in which torrent over which connection, and which offers wait for an answer: maps, and loops over them.
import type { ReadAnnounce } from './reference.ts';

export interface SignalModelOptions {
  readonly maxTorrents: number;
  readonly maxMembers: number;
  readonly maxPendingOffers: number;
  readonly lifetimeMs: number;
}

export interface ModelMember {
  readonly connection: number;
  readonly infoHash: string;
  readonly peerId: string;
  /** Never the same again, also for one that comes back. */
  readonly serial: number;
  seeding: boolean;
  completed: boolean;
  seen: number;
}

/** An offer waits so long. */
const offerLifetimeMs = 120_000;

/** Ids are drawn at random: one that is met more often than this in that time is no accident. */
const wornAfter = 32;

interface PendingOffer {
  readonly from: ModelMember;
  readonly at: number;
}

export class SignalModel {
  readonly #options: SignalModelOptions;
  readonly #members = new Map<string, ModelMember>();
  /** Downloads of the torrents that somebody is in. */
  readonly #completed = new Map<string, number>();
  readonly #pending = new Map<string, PendingOffer>();
  /** When each id was passed on lately. */
  readonly #passed = new Map<string, number[]>();
  #serials = 0;
  #allCompleted = 0;

  constructor(options: SignalModelOptions) {
    this.#options = options;
  }

  /** What an announce does: the member it is for, `left`, or `refused`. */
  announce(connection: number, announce: ReadAnnounce, now: number): ModelMember | 'left' | 'refused' {
    const { infoHash, peerId, seeding, leaving } = announce;
    const known = this.member(connection, infoHash);
    if (known !== undefined && known.peerId !== peerId) return 'refused';
    if (leaving) {
      if (known !== undefined) this.#drop(known);
      return 'left';
    }
    const member = known ?? this.#join(connection, announce, now);
    if (member === undefined) return 'refused';
    if (seeding && !member.seeding && !member.completed) {
      member.completed = true;
      this.#allCompleted++;
      this.#completed.set(infoHash, (this.#completed.get(infoHash) ?? 0) + 1);
    }
    member.seeding = seeding;
    member.seen = now;
    return member;
  }

  member(connection: number, infoHash: string): ModelMember | undefined {
    return this.#members.get(`${connection} ${infoHash}`);
  }

  /** Whom a member may be brought together with: the others, without seeds where it is one itself. */
  candidates(member: ModelMember): ModelMember[] {
    return this.#in(member.infoHash).filter((other) => other !== member && !(member.seeding && other.seeding));
  }

  /** Whether an offer of that id waits for `to` already. */
  waits(to: ModelMember, offerId: string, now: number): boolean {
    const offer = this.#pending.get(`${to.serial} ${offerId}`);
    return offer !== undefined && now - offer.at <= offerLifetimeMs;
  }

  /** Whether an id has been passed on so often within two minutes that a tracker may have enough of it. */
  isWorn(offerId: string, now: number): boolean {
    return (this.#passed.get(offerId) ?? []).filter((at) => at > now - offerLifetimeMs).length >= wornAfter;
  }

  pass(from: ModelMember, to: ModelMember, offerId: string, now: number): void {
    this.#passed.set(offerId, [...(this.#passed.get(offerId) ?? []), now].slice(-wornAfter));
    this.#pending.set(`${to.serial} ${offerId}`, { from, at: now });
  }

  /** Who gets the answer to an offer; the offer is gone afterwards. */
  take(to: ModelMember, offerId: string, toPeerId: string, now: number): ModelMember | undefined {
    const key = `${to.serial} ${offerId}`;
    const offer = this.#pending.get(key);
    if (offer === undefined || now - offer.at > offerLifetimeMs) return undefined;
    this.#pending.delete(key);
    const { from } = offer;
    const isThere = this.member(from.connection, from.infoHash) === from;
    return isThere && from.peerId === toPeerId ? from : undefined;
  }

  close(connection: number): void {
    for (const member of this.#members.values()) if (member.connection === connection) this.#drop(member);
  }

  expire(now: number): void {
    for (const member of this.#members.values()) if (member.seen <= now - this.#options.lifetimeMs) this.#drop(member);
  }

  counts(infoHash: string): { readonly complete: number; readonly incomplete: number; readonly downloaded: number } {
    const members = this.#in(infoHash);
    const complete = members.filter(({ seeding }) => seeding).length;
    const downloaded = this.#completed.get(infoHash) ?? 0;
    return { complete, incomplete: members.length - complete, downloaded };
  }

  get totals(): Readonly<Record<'torrents' | 'seeders' | 'leechers' | 'completed', number>> {
    const members = [...this.#members.values()];
    const seeders = members.filter(({ seeding }) => seeding).length;
    return {
      torrents: new Set(members.map(({ infoHash }) => infoHash)).size,
      seeders,
      leechers: members.length - seeders,
      completed: this.#allCompleted,
    };
  }

  #in(infoHash: string): ModelMember[] {
    return [...this.#members.values()].filter((member) => member.infoHash === infoHash);
  }

  #join(connection: number, { infoHash, peerId, seeding }: ReadAnnounce, now: number): ModelMember | undefined {
    const own = [...this.#members.values()].filter((member) => member.connection === connection);
    if (this.#members.size >= this.#options.maxMembers || own.length >= this.#options.maxTorrents) return undefined;
    const serial = this.#serials++;
    const member = { connection, infoHash, peerId, serial, seeding, completed: seeding, seen: now };
    this.#members.set(`${connection} ${infoHash}`, member);
    return member;
  }

  #drop({ connection, infoHash }: ModelMember): void {
    this.#members.delete(`${connection} ${infoHash}`);
    if (this.#in(infoHash).length === 0) this.#completed.delete(infoHash);
  }
}
