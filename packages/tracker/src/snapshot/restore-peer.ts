// Puts a peer back as a snapshot says it was: role, partner, what was counted. Nothing is counted anew, nobody is answered.
import type { FamilyMembers } from '../memory/family-members.ts';
import { type Participants, otherThan } from '../memory/participants.ts';
import { peerFlag } from '../memory/member-entry.ts';
import type { TorrentTable } from '../memory/torrent-table.ts';
import { type PeerEntry, emptyEntry, readPeerEntry } from './peer-entry.ts';

/** The tables of a store, and whether a torrent has room for a peer that `find` has just not found among the members. */
export interface Restored {
  readonly torrents: TorrentTable;
  readonly participants: Participants;
  readonly hasRoom: (members: FamilyMembers, torrent: number) => boolean;
}

/** What became of entries. */
export interface RestoreReport {
  /** Entries that list a peer; one that was heard of during the walk has several. */
  readonly restored: number;
  /** Peers that had been silent for too long. */
  readonly expired: number;
  /** Peers for which there was no room. */
  readonly unlisted: number;
  /** Whether what was given ended with a whole entry. */
  readonly whole: boolean;
}

/** Takes in entries, one after the other; see `MemoryStore.restore`. */
export function restoreEntries(
  into: Restored,
  bytes: Uint8Array,
  silence: number,
  lifetime: number,
  now: number,
): RestoreReport {
  const entry = emptyEntry();
  const second = Math.ceil((now - silence) / 1000);
  let [restored, expired, unlisted] = [0, 0, 0];
  let at = 0;
  while (at < bytes.length) {
    at = readPeerEntry(bytes, at, entry);
    if (at < 0) break;
    if (!entry.gone && entry.age * 1000 + silence > lifetime) expired++;
    else if (!restorePeer(into, entry, Math.max(0, second - entry.age))) unlisted++;
    else if (!entry.gone) restored++;
  }
  return { restored, expired, unlisted, whole: at >= 0 };
}

/** Makes of the peer what the entry says, heard of at `second`; false where there is no room for it. */
function restorePeer({ torrents, participants, hasRoom }: Restored, entry: PeerEntry, second: number): boolean {
  const { family, infoHash, address, port, peerId } = entry;
  const isPrivate = entry.listing === 'private';
  if (entry.gone) {
    leave(torrents, participants, entry);
    return true;
  }
  const torrent = torrents.obtain(infoHash, isPrivate);
  const members = participants.members[family];
  let record = members.find(torrent, address, port);
  if (record >= 0) members.table.touch(record, peerId, second);
  else if (hasRoom(members, torrent)) record = members.join(torrent, entry.seeding, peerId, second);
  else {
    if (torrents.isEmpty(torrent)) torrents.remove(torrent);
    return false;
  }
  const partner = partnerOf(torrents, participants, entry);
  const before = participants.partner(family, record);
  if (before >= 0 && before !== partner) participants.part(family, record);
  play(participants, family, record, entry);
  if (partner >= 0) {
    const other = otherThan(family);
    if (before !== partner) participants.part(other, partner);
    play(participants, other, partner, entry);
    if (before !== partner) participants.pair(family, torrent, record, partner);
  }
  torrents.setCompleted(torrent, entry.completed);
  return true;
}

function leave(torrents: TorrentTable, participants: Participants, entry: PeerEntry): void {
  const { family, infoHash, address, port } = entry;
  const partner = partnerOf(torrents, participants, entry);
  const torrent = torrents.find(infoHash, entry.listing === 'private');
  if (torrent >= 0) {
    torrents.setCompleted(torrent, entry.completed);
    const record = participants.members[family].find(torrent, address, port);
    if (record >= 0) participants.remove(family, record);
  }
  if (partner < 0) return;
  participants.part(otherThan(family), partner);
  play(participants, otherThan(family), partner, entry);
}

/** Gives a peer, and its partner, the role of the entry. */
function play(
  participants: Participants,
  family: 4 | 6,
  record: number,
  { seeding, partial, counted }: PeerEntry,
): void {
  const members = participants.members[family];
  // Who turns into a seed is counted then, and here it was counted before.
  members.set(record, peerFlag.counted, true);
  participants.setRole(family, members.table.torrent(record), record, seeding, partial);
  members.set(record, peerFlag.counted, counted);
}

/** The record that the entry names as its partner; -1 where it is not there (yet). */
function partnerOf(
  torrents: TorrentTable,
  participants: Participants,
  { infoHash, family, partner }: PeerEntry,
): number {
  if (partner === undefined) return -1;
  const others = participants.members[otherThan(family)];
  const torrent = torrents.find(infoHash, partner.listing === 'private');
  return torrent < 0 ? -1 : others.find(torrent, partner.address, partner.port);
}
