// The members of one torrent that are reached through their connections: leechers in front, seeds behind, so that a
// draw from either range is a draw of numbers.
import type { IdText } from '@shoal/tracker-protocol';
import type { Draw } from '../memory/draw.ts';

/** A connection that announced anything; until it is closed, so that leaving does not fill its budget of offers again. */
export interface MemberConnection {
  readonly number: number;
  members: Member[];
  /** The generation of pending offers that `offers` counts. */
  generation: number;
  /** Offers passed on for it in this generation. */
  offers: number;
}

/** A connection's place in one torrent. */
export interface Member {
  readonly connection: MemberConnection;
  readonly swarm: SwarmMembers;
  readonly peerId: IdText;
  /** Where it is among the members; -1 once it has left. */
  place: number;
  seeding: boolean;
  /** Whether it has become a seed before. */
  completed: boolean;
  /** Last announce, ms. */
  seen: number;
  /** Its neighbours in the order of `seen`. */
  earlier: Member | undefined;
  later: Member | undefined;
}

/** Members of one torrent. */
export class SwarmMembers {
  readonly infoHash: Uint8Array;
  members: Member[] = [];
  /** So many of `members`, from the front. */
  leechers = 0;
  /** Leechers that became seeds while members. */
  completed = 0;
  /** The next torrent of the same hash in the index. */
  next: SwarmMembers | undefined;

  constructor(infoHash: Uint8Array) {
    this.infoHash = infoHash.slice();
  }

  get seeders(): number {
    return this.members.length - this.leechers;
  }

  add(member: Member): void {
    member.place = this.members.length;
    // An empty array that is pushed to gets room for sixteen; most torrents have one member.
    if (member.place === 0) this.members = [member];
    else this.members.push(member);
    if (!member.seeding) this.#exchange(member.place, this.leechers++);
  }

  remove(member: Member): void {
    if (!member.seeding) this.#exchange(member.place, --this.leechers);
    this.#exchange(member.place, this.members.length - 1);
    this.members.pop();
    member.place = -1;
  }

  /** Gives a member its role. */
  cast(member: Member, seeding: boolean): void {
    if (member.seeding === seeding) return;
    member.seeding = seeding;
    this.#exchange(member.place, seeding ? --this.leechers : this.leechers++);
  }

  /**
   * Puts at most `want` others into `into`, all equally likely, and says how many: leechers for a seed, anybody for a
   * leecher. `places` is room to draw in.
   */
  draw(member: Member, want: number, draw: Draw, places: Uint32Array, into: Member[]): number {
    // A seed is behind the leechers, and a leecher is left out by counting on from its place.
    const others = member.seeding ? this.leechers : this.members.length - 1;
    const count = Math.min(want, others);
    draw.draw(others, count, places);
    for (let at = 0; at < count; at++) {
      const place = places[at]!;
      into[at] = this.members[member.seeding || place < member.place ? place : place + 1]!;
    }
    return count;
  }

  #exchange(one: number, other: number): void {
    const [first, second] = [this.members[one]!, this.members[other]!];
    this.members[one] = second;
    this.members[other] = first;
    second.place = one;
    first.place = other;
  }
}
