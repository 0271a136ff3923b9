// Goes through all peers of a memory store while it goes on serving, silent ones first, and writes what it meets. Peers
// that are heard of meanwhile come again at the end, those that leave are written as gone: whoever reads everything has the
// swarms as they are when the cursor is at the end. Decides what is written; knows neither files nor clocks.
import { type Participants, otherThan } from '../memory/participants.ts';
import { peerFlag } from '../memory/member-entry.ts';
import type { TorrentTable } from '../memory/torrent-table.ts';
import { peerIdBytes } from '../peer-sample.ts';
import { besideBit, entryBytes, entryFlag, entryOffset, longestEntry, writeNumbers } from './peer-entry.ts';

/**
 * Goodbyes and completions between two slices: some 6,000. Who leaves beyond that expires where the entries are read, as
 * though it had fallen silent.
 */
const notedBytes = 256 * 1024;

/** Hears of what a walk along the order of the peers would miss. */
export interface Witness {
  /** Called before a record goes, or goes on without its partner; then it is touched next. */
  leaves(family: 4 | 6, record: number): void;
  /** Called after a download of a torrent was counted. */
  completes(torrent: number): void;
}

/** A walk over a store. One at a time: another one, or `end`, ends it. */
export class SwarmCursor implements Witness {
  readonly #torrents: TorrentTable;
  readonly #participants: Participants;
  readonly #keepPeerIds: boolean;
  readonly #noted = new Uint8Array(notedBytes);
  #notedEnd = 0;
  #notedFrom = 0;
  /** Entries written. */
  entries = 0;

  constructor(torrents: TorrentTable, participants: Participants, keepPeerIds: boolean) {
    this.#torrents = torrents;
    this.#participants = participants;
    this.#keepPeerIds = keepPeerIds;
    participants.witness = this;
    for (const family of [4, 6] as const) participants.members[family].table.rewind();
  }

  /**
   * Writes whole entries, as many as there are and fit, from the beginning of `into`, at least 128 bytes; how many bytes. 0: the
   * cursor is at the end, and everything that happened by `now` (ms) has been written.
   */
  write(into: Uint8Array, now: number): number {
    const second = Math.ceil(now / 1000);
    if (this.#participants.witness !== this) return 0;
    let at = this.#writeNoted(into);
    // Those who left may have come back: what they are now has to stand behind that they left.
    if (this.#notedEnd > 0) return at;
    while (at + longestEntry <= into.length) {
      const family = this.#next();
      if (family === undefined) break;
      const { table } = this.#participants.members[family];
      const record = table.advance();
      at = this.#writePeer(into, at, family, record, Math.max(0, second - table.visitedSecond), this.#keepPeerIds);
      this.entries++;
    }
    return at;
  }

  /** Lets the store forget that somebody walks over it. */
  end(): void {
    if (this.#participants.witness !== this) return;
    this.#participants.witness = undefined;
    for (const family of [4, 6] as const) this.#participants.members[family].table.rewind();
  }

  leaves(family: 4 | 6, record: number): void {
    const at = this.#notedEnd;
    if (at + longestEntry > notedBytes) return;
    this.#notedEnd = this.#writePeer(this.#noted, at, family, record, 0, false);
    this.#noted[at]! |= entryFlag.gone;
  }

  completes(torrent: number): void {
    const at = this.#notedEnd;
    if (at + longestEntry > notedBytes) return;
    // The count of a torrent where nobody at port 0 is any more.
    this.#writeTorrent(this.#noted, at, torrent, 0);
    this.#noted[at]! |= entryFlag.gone;
    this.#notedEnd = at + entryBytes(0);
    this.#noted.fill(0, at + entryOffset.address, this.#notedEnd);
  }

  /** The family whose next peer has been silent longest. */
  #next(): 4 | 6 | undefined {
    const { members } = this.#participants;
    const [ipv4, ipv6] = [members[4].table.upcoming, members[6].table.upcoming];
    if (ipv4 === Infinity && ipv6 === Infinity) return undefined;
    return ipv4 <= ipv6 ? 4 : 6;
  }

  /** As many notes as fit. */
  #writeNoted(into: Uint8Array): number {
    let end = this.#notedFrom;
    while (end < this.#notedEnd) {
      const length = entryBytes(this.#noted[end]!);
      if (end + length - this.#notedFrom > into.length) break;
      end += length;
      this.entries++;
    }
    const written = end - this.#notedFrom;
    into.set(this.#noted.subarray(this.#notedFrom, end));
    this.#notedFrom = end;
    if (end === this.#notedEnd) this.#notedFrom = this.#notedEnd = 0;
    return written;
  }

  #writePeer(into: Uint8Array, start: number, family: 4 | 6, record: number, age: number, withId: boolean): number {
    const members = this.#participants.members[family];
    const { table } = members;
    let at = this.#writePlace(into, start, family, record, age);
    let flags = into[start]!;
    if (members.isSeed(table.torrent(record), record)) flags |= entryFlag.seeding;
    if (members.has(record, peerFlag.partial)) flags |= entryFlag.partial;
    if (members.has(record, peerFlag.counted)) flags |= entryFlag.counted;
    if (withId) {
      flags |= entryFlag.withId;
      table.writeId(record, into, at);
      at += peerIdBytes;
    }
    const partner = this.#participants.partner(family, record);
    if (partner >= 0) {
      flags |= entryFlag.paired;
      at = this.#writeEndpoint(into, at, otherThan(family), partner);
      const home = this.#participants.members[otherThan(family)].table.torrent(partner);
      if (home !== table.torrent(record)) into[start + entryOffset.age]! |= besideBit >>> 24;
    }
    into[start] = flags;
    return at;
  }

  /** What names a peer, with its age and what its torrent has completed. */
  #writePlace(into: Uint8Array, at: number, family: 4 | 6, record: number, age: number): number {
    this.#writeTorrent(into, at, this.#participants.members[family].table.torrent(record), age);
    if (family === 6) into[at]! |= entryFlag.ipv6;
    return this.#writeEndpoint(into, at + entryOffset.address, family, record);
  }

  #writeTorrent(into: Uint8Array, at: number, torrent: number, age: number): void {
    into[at] = this.#torrents.isPrivate(torrent) ? entryFlag.private : 0;
    this.#torrents.writeInfoHash(torrent, into, at + entryOffset.infoHash);
    writeNumbers(into, at, age, this.#torrents.completed(torrent));
  }

  #writeEndpoint(into: Uint8Array, at: number, family: 4 | 6, record: number): number {
    return this.#participants.members[family].writeEndpoint(record, into, at);
  }
}
