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
  }

  /** Bytes of the torrent that are not verified, wanted or not. */
  get leftBytes(): number {
    return this.#leftBytes;
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
    const { picker, held } = this.#swarm;
    if (this.#downloading.isChecking(piece) || picker.have.has(piece)) return;
    held.remove(piece);
    if (picker.isOpen(piece)) this.#downloading.discard(piece);
    this.#gained(piece);
  }

  /** In doubt no more: it has to be downloaded. */
  missing(piece: number): void {
    const { picker, held } = this.#swarm;
    if (!held.remove(piece)) return;
    picker.setWanted(piece, true);
    this.#downloading.updateInterests();
    this.#downloading.wake();
  }

  /** Not had until found again. What is in its check right now is fresher than any doubt. */
  doubted(pieces: Bitfield): void {
    const { picker, held } = this.#swarm;
    for (const piece of pieces.indices()) {
      if (this.#downloading.isChecking(piece)) continue;
      this.#gone(piece);
      picker.setWanted(piece, false);
      held.add(piece);
    }
    this.#lessIsHad();
  }

  lost(pieces: Bitfield): void {
    const { picker, held } = this.#swarm;
    for (const piece of pieces.indices()) {
      this.#gone(piece);
      if (held.remove(piece)) picker.setWanted(piece, true);
    }
    this.#lessIsHad();
  }

  #gained(piece: number): boolean {
    const { picker, live, description } = this.#swarm;
    if (picker.have.has(piece)) return false;
    picker.verified(piece);
    this.#downloading.cancelCopies();
    this.#leftBytes -= pieceLengthAt(description.geometry, piece);
    this.#swarm.report({ type: 'piece-verified', piece });
    for (const peer of live.values()) {
      if (!peer.greeted) continue;
      peer.connection.have(piece);
      this.#swarm.touch(peer);
      if (peer.joined) this.#downloading.updateInterest(peer);
    }
    this.#downloading.wake();
    return true;
  }

  #givenUp(piece: number): readonly number[] {
    const contributors = this.#swarm.picker.failed(piece);
    this.#downloading.cancelCopies();
    this.#downloading.wake();
    return contributors;
  }

  #gone(piece: number): void {
    const { picker, description } = this.#swarm;
    if (!picker.have.has(piece)) return;
    picker.lost(piece);
    this.#leftBytes += pieceLengthAt(description.geometry, piece);
  }

  /** Peers may ask only for what is had, and may be of interest again. */
  #lessIsHad(): void {
    this.#uploading.rejectUnhad();
    this.#downloading.cancelCopies();
    this.#downloading.updateInterests();
    this.#downloading.wake();
  }
}
