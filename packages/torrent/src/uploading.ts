// Giving blocks: accepts requests for what we have, hands contiguous runs to the driver while there is room below the
// watermark, and unchokes as the choker decides. Requests wait here, not in a socket, so a choke can drop them (BEP 3).
import { Choker, type ChokeCandidate } from '@shoal/choker';
import { type Block, blockLength } from '@shoal/pieces';
import type { LivePeer } from './live-peer.ts';
import type { Swarm } from './swarm.ts';

/** 512 KiB in one read: measured best for a seeder, 4 x the rate of single blocks. */
const maxRunBlocks = 32;
/** The least a peer may have under way, however slow: one run keeps a disk and a socket busy at once. */
const minWatermarkBytes = 128 * 1024;
/** A read from a spinning disk, with a seek and a turn before it, and as much again. */
const readSeconds = 0.025;

export class Uploading {
  readonly #swarm: Swarm;
  readonly #choker: Choker;
  #rechokeWanted = false;
  /** Interested peers that the last decision unchoked. */
  #served = 0;
  paused = true;

  constructor(swarm: Swarm) {
    this.#swarm = swarm;
    this.#choker = new Choker({ random: swarm.options.random, slots: swarm.allowance.uploadSlots });
  }

  get deadline(): number {
    return this.paused ? Infinity : this.#choker.deadline;
  }

  joined(peer: LivePeer, now: number): void {
    this.#choker.peerJoined(peer.key, now);
  }

  left(peer: LivePeer): void {
    this.#choker.peerLeft(peer.key);
    if (!peer.connection.amChoking && peer.connection.peerInterested) this.#rechokeWanted = true;
  }

  /** An unchoked peer's interest changed, or one became interested while a slot is free: decide at once (mainline). */
  interestChanged(peer: LivePeer): void {
    if (!peer.connection.amChoking || this.#freeSlot()) this.#rechokeWanted = true;
  }

  requested(peer: LivePeer, request: Block): void {
    const have = this.#swarm.picker.have.has(request.piece);
    if (have && peer.connection.uploads.accept(request) !== 'full') return;
    peer.connection.reject(request);
    this.#swarm.touch(peer);
  }

  /** A request of the same turn that was accepted just now; older ones the connection has taken out itself. */
  cancelled(peer: LivePeer, request: Block): void {
    if (!peer.connection.uploads.cancel(request) || !peer.connection.fast) return;
    // BEP 6: every request is answered, by its piece or by a reject.
    peer.connection.reject(request);
    this.#swarm.touch(peer);
  }

  uploaded(peer: LivePeer, bytes: number, now: number): void {
    peer.uploadInFlight = Math.max(0, peer.uploadInFlight - bytes);
    peer.uploadedBytes += bytes;
    peer.usefulAt = now;
    peer.uploadMeter.add(bytes, now);
    this.#swarm.progress.uploaded(peer.peerId, bytes, now);
  }

  readFailed(peer: LivePeer, bytes: number, blocks: readonly Block[]): void {
    peer.uploadInFlight = Math.max(0, peer.uploadInFlight - bytes);
    for (const block of blocks) peer.connection.reject(block);
    this.#swarm.touch(peer);
  }

  /** Requests for what we no longer have will not be served. */
  rejectUnhad(): void {
    const { live, picker } = this.#swarm;
    for (const peer of live.values()) {
      const { uploads } = peer.connection;
      if (uploads.length === 0) continue;
      for (const request of uploads.clear())
        if (!picker.have.has(request.piece) || uploads.accept(request) === 'full') peer.connection.reject(request);
      this.#swarm.touch(peer);
    }
  }

  /** Chokes everybody; what the driver was given is still sent. */
  pause(): void {
    this.paused = true;
    for (const peer of this.#swarm.live.values()) {
      if (peer.connection.amChoking) continue;
      peer.connection.choke();
      this.#swarm.touch(peer);
      this.#swarm.report({ type: 'choked', peer: peer.key });
    }
  }

  resume(): void {
    this.paused = false;
    this.#rechokeWanted = true;
  }

  /** The number of slots may have changed. */
  allowanceChanged(): void {
    const slots = this.#swarm.allowance.uploadSlots;
    if (slots === this.#choker.slots) return;
    this.#choker.slots = slots;
    this.#rechokeWanted = true;
  }

  /**
   * Hands runs to the driver until the watermark: half a second of this peer's rate, within bounds. Under a limit half a
   * second of its share at most, or what was handed over could be neither choked nor cancelled for long.
   */
  pump(peer: LivePeer, now: number): void {
    const { uploads } = peer.connection;
    if (uploads.length === 0) return this.#askToRepeat(peer);
    const share = this.#shareBytes();
    const rate = Math.max(peer.uploadMeter.rate(now) / 2, minWatermarkBytes);
    const watermark = Math.min(rate, this.#swarm.options.uploadWatermarkBytes, share);
    // Two runs fit: one is read while the other is sent.
    const runBlocks = Math.min(maxRunBlocks, Math.max(1, Math.floor(watermark / 2 / blockLength)));
    // Without a limit the last run may pass the mark: what is handed over is gone in a moment.
    const mark = share === Infinity ? watermark : watermark - (runBlocks - 1) * blockLength;
    while (uploads.length > 0 && peer.uploadInFlight < mark) {
      // A peer that asks for one block at each that it gets would be served in single blocks, at twice the cost of runs:
      // while enough is under way, what is asked waits for what follows.
      if (uploads.length < runBlocks && peer.uploadInFlight >= mark / 2) break;
      const blocks = uploads.takeRun(runBlocks);
      for (const block of blocks) peer.uploadInFlight += block.length;
      this.#swarm.emit({ type: 'upload', peer: peer.key, blocks });
    }
  }

  /**
   * A peer without BEP 6 waits for what was passed over until it is choked, which makes all its requests void (BEP 3), and
   * asks again once it is unchoked.
   */
  #askToRepeat(peer: LivePeer): void {
    const { connection } = peer;
    if (!connection.uploads.hasPassedOver || peer.uploadInFlight > 0 || connection.amChoking) return;
    connection.choke();
    connection.unchoke();
    this.#swarm.touch(peer);
  }

  /** A round is due, or something happened that may not wait for it. */
  rechokeIfDue(seeding: boolean, now: number): void {
    if (this.paused || (!this.#rechokeWanted && now < this.#choker.deadline)) return;
    this.#rechokeWanted = false;
    this.#rechoke(seeding, now);
  }

  /** The line that unchokes: does what the choker decides. */
  #rechoke(seeding: boolean, now: number): void {
    const candidates: ChokeCandidate[] = [];
    for (const peer of this.#swarm.live.values()) if (peer.joined) candidates.push(this.#candidate(peer, now));
    const decision = this.#choker.decide(candidates, seeding, now);
    this.#served = 0;
    for (const { peer, interested } of candidates) if (interested && decision.unchoke.has(peer)) this.#served++;
    for (const { peer: key, choked } of candidates) {
      const unchoke = decision.unchoke.has(key);
      const peer = this.#swarm.live.get(key);
      if (unchoke !== choked || peer === undefined) continue;
      if (unchoke) {
        peer.connection.unchoke();
        peer.unchokedAt = now;
      } else peer.connection.choke();
      this.#swarm.touch(peer);
      this.#swarm.report(
        unchoke
          ? { type: 'unchoked', peer: key, optimistic: decision.optimistic.includes(key) }
          : { type: 'choked', peer: key },
      );
    }
  }

  #candidate(peer: LivePeer, now: number): ChokeCandidate {
    const { connection } = peer;
    return {
      peer: peer.key,
      interested: connection.peerInterested,
      snubbed: connection.pipeline.snubbed,
      choked: connection.amChoking,
      downloadRate: connection.pipeline.rate(now),
      uploadRate: peer.uploadMeter.rate(now),
      isSeed: this.#swarm.picker.isSeed(peer.key),
      // What is under way counts too: or else the longest served, whose rate is the surest, would keep its slot for ever.
      hasQueue: connection.uploads.length > 0 || peer.uploadInFlight > 0,
      isDrained: peer.uploadInFlight < minWatermarkBytes,
    };
  }

  /**
   * Of what the limit leaves to each peer that is served half a second, but not much more than hides a read; no less
   * than a block. What is handed over waits for the limit, and can be taken back no more.
   */
  #shareBytes(): number {
    const limit = this.#swarm.allowance.uploadBytesPerSecond;
    if (limit === Infinity) return Infinity;
    const share = limit / Math.max(1, this.#served);
    return Math.max(blockLength, Math.min(share / 2, minWatermarkBytes + share * readSeconds));
  }

  #freeSlot(): boolean {
    let used = 0;
    for (const peer of this.#swarm.live.values())
      if (!peer.connection.amChoking && peer.connection.peerInterested) used++;
    return used < this.#swarm.allowance.uploadSlots;
  }
}
