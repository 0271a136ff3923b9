// What we have: how a piece comes to be had, corrupt, found, missing or lost, and who is told. Counts what is left.
// Must not know hashes or disks: outcomes come from the driver.
import { type Bitfield, pieceLengthAt } from '@shoal/pieces';
import type { Connections } from './connections.ts';
import type { Downloading } from './downloading.ts';
import type { Swarm } from './swarm.ts';
import type { Uploading } from './uploading.ts';

export class Possession {
  readonly #swarm: Swarm;
  readonly #downloading: Downloading;
  readonly #uploading: Uploading;
  readonly #connections: Connections;
  #leftBytes: number;
  #wantedBytes: number;
  #wantedLeftBytes: number;
  /** Something came from peers since the torrent was last complete. */
  #downloaded = false;

  constructor(swarm: Swarm, downloading: Downloading, uploading: Uploading, connections: Connections) {
    this.#swarm = swarm;
    this.#downloading = downloading;
    this.#uploading = uploading;
    this.#connections = connections;
    const { geometry } = swarm.description;
    this.#leftBytes = geometry.totalLength;
    for (const piece of swarm.picker.have.indices()) this.#leftBytes -= pieceLengthAt(geometry, piece);
    this.#wantedBytes = geometry.totalLength;
    this.#wantedLeftBytes = this.#leftBytes;
  }

  /** Bytes of the torrent that are not verified, wanted or not. */
  get leftBytes(): number {
    return this.#leftBytes;
  }

  /** Bytes of the pieces whose priority is not 0. */
  get wantedBytes(): number {
    return this.#wantedBytes;
  }

  /** Of those, the bytes that are not verified. */
  get wantedLeftBytes(): number {
    return this.#wantedLeftBytes;
  }

  /** Whether anything was downloaded since the last call: a torrent that was only found complete was not completed. */
  takeDownloaded(): boolean {
    const downloaded = this.#downloaded;
    this.#downloaded = false;
    return downloaded;
  }

  /** A piece in the making passed its check and is written. */
  stored(piece: number): void {
    this.#downloading.checked(piece);
    if (!this.#gained(piece)) return;
    this.#downloaded = true;
  }

  /** A piece in the making failed its check. */
  corrupt(piece: number, now: number): void {
    const mixed = this.#downloading.checked(piece);
    const contributors = this.#givenUp(piece);
    this.#swarm.progress.corrupted(piece);
    this.#swarm.report({ type: 'piece-corrupt', piece, contributors });
    // One contributor is proof, unless somebody else wrote into its blocks. Of several none is: the picker now asks a
    // single peer for the whole piece.
    const [only, ...others] = contributors;
    if (only === undefined || others.length > 0 || mixed) return;
    this.#connections.ban(only, `piece ${piece} from it alone failed its hash`, now);
  }

  /** A piece in the making could not be written and its bytes are gone: nobody's fault but the disk's. */
  unwritten(piece: number): void {
    this.#downloading.checked(piece);
    this.#givenUp(piece);
  }

  /** On disk and right, as the background check says. The check of what peers sent, if under way, has the last word. */
  found(piece: number): void {
    const { picker } = this.#swarm;
    if (this.#downloading.isChecking(piece) || picker.have.has(piece)) return;
    if (picker.isOpen(piece)) this.#downloading.discard(piece);
    this.#gained(piece);
  }

  /** In doubt no more: it has to be downloaded. */
  missing(piece: number): void {
    this.#swarm.picker.unhold(piece);
    this.#downloading.wake();
  }

  /** Not had until found again. What is in its check right now is fresher than any doubt. */
  doubted(pieces: Bitfield): void {
    const doubted = pieces.clone();
    for (const piece of this.#downloading.checking) doubted.remove(piece);
    for (const piece of doubted.indices()) this.#gone(piece);
    this.#swarm.picker.hold(doubted);
    this.#lessIsHad();
  }

  lost(pieces: Bitfield): void {
    for (const piece of pieces.indices()) {
      this.#gone(piece);
      this.#swarm.picker.lost(piece);
    }
    this.#lessIsHad();
  }

  prioritise(priorities: Uint8Array): void {
    const { picker, description } = this.#swarm;
    picker.setPriorities(priorities);
    this.#wantedBytes = 0;
    this.#wantedLeftBytes = 0;
    for (let piece = 0; piece < priorities.length; piece++) {
      if (priorities[piece] === 0) continue;
      const length = pieceLengthAt(description.geometry, piece);
      this.#wantedBytes += length;
      if (!picker.have.has(piece)) this.#wantedLeftBytes += length;
    }
    this.#downloading.cancelCopies();
    this.#downloading.updateInterests();
    this.#downloading.wake();
  }

  #gained(piece: number): boolean {
    const { picker, live } = this.#swarm;
    if (picker.have.has(piece)) return false;
    picker.verified(piece);
    this.#downloading.gained(piece);
    this.#count(piece, -1);
    this.#swarm.report({ type: 'piece-verified', piece });
    for (const peer of live.values()) {
      if (!peer.greeted) continue;
      peer.connection.have(piece);
      // Who has the piece itself hears of it with whatever is said next, within a second: one write less for each seed.
      if (!peer.joined || !picker.peerPiece(peer.key, piece)) this.#swarm.touch(peer);
      if (peer.joined) this.#downloading.updateInterest(peer);
    }
    return true;
  }

  #givenUp(piece: number): readonly number[] {
    const contributors = this.#swarm.picker.failed(piece);
    this.#downloading.cancelCopies();
    this.#downloading.wake();
    return contributors;
  }

  /** To be told before the picker is. */
  #gone(piece: number): void {
    if (this.#swarm.picker.have.has(piece)) this.#count(piece, 1);
  }

  #count(piece: number, change: 1 | -1): void {
    const bytes = change * pieceLengthAt(this.#swarm.description.geometry, piece);
    this.#leftBytes += bytes;
    if (this.#swarm.picker.priorityOf(piece) > 0) this.#wantedLeftBytes += bytes;
  }

  /** Peers may ask only for what is had, and may be of interest again. */
  #lessIsHad(): void {
    this.#uploading.rejectUnhad();
    this.#downloading.cancelCopies();
    this.#downloading.updateInterests();
    this.#downloading.wake();
  }
}
