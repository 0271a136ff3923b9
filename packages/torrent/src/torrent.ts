// One torrent: takes every input, lets the parts decide, and gives the outputs of the turn in order.
// Connections and pieces come and go here. No socket, disk, clock or hash: those are outputs answered later by inputs.
//
// States: idle ─started→ running ⇄ suspended ─stopped→ stopped. Downloading, seeding and checking are not states of
// their own but what the picker misses and holds.
import { Picker } from '@shoal/picker';
import { Bitfield } from '@shoal/pieces';
import type { AllowanceChange } from './allowance.ts';
import { Announces } from './announces.ts';
import { Connections } from './connections.ts';
import { Downloading } from './downloading.ts';
import type { PeerKey, TorrentInput } from './inputs.ts';
import type { LivePeer } from './live-peer.ts';
import { resolveOptions, type TorrentDescription, type TorrentFacts, type TorrentOptions } from './options.ts';
import type { TorrentOutput } from './outputs.ts';
import { PeerEvents } from './peer-events.ts';
import { PeerList } from './peers.ts';
import { Possession } from './possession.ts';
import { Progress } from './progress.ts';
import { snapshotOf, type TorrentSnapshot } from './snapshot.ts';
import { Swarm } from './swarm.ts';
import { Uploading } from './uploading.ts';

export type TorrentState = 'idle' | 'running' | 'suspended' | 'stopped';

/** Time-outs and keep-alives are looked after once a second: none of them is shorter than ten. */
const housekeepingMs = 1000;
/** Transmission's. A third copy doubles what is sent twice (simulated flash crowds: 4.6 % to 2.1 %) and gains no time. */
const endgameCopies = 2;
export class Torrent {
  readonly #swarm: Swarm;
  readonly #downloading: Downloading;
  readonly #uploading: Uploading;
  readonly #connections: Connections;
  readonly #possession: Possession;
  readonly #peerEvents: PeerEvents;
  readonly #announces: Announces;
  #state: TorrentState = 'idle';
  /** Why the disk is not to be used, also before the start. */
  #trouble: string | undefined;
  #wasComplete: boolean;
  #nextHousekeeping = Infinity;

  /** `have` is what is known to be right on disk. @throws RangeError when it, or `held`, does not fit the geometry. */
  constructor(description: TorrentDescription, have: Bitfield, options: TorrentOptions, facts: TorrentFacts = {}) {
    const resolved = resolveOptions(options);
    const { geometry } = description;
    if (have.length !== geometry.pieceCount)
      throw new RangeError(`have is of ${have.length} pieces, the torrent of ${geometry.pieceCount}`);
    const { held = new Bitfield(geometry.pieceCount) } = facts;
    this.#swarm = new Swarm(description, resolved, {
      picker: new Picker({ geometry, have, held, endgameCopies, random: resolved.random }),
      known: new PeerList(resolved),
      progress: new Progress(geometry),
    });
    this.#downloading = new Downloading(this.#swarm);
    this.#uploading = new Uploading(this.#swarm);
    this.#connections = new Connections(this.#swarm, this.#downloading, this.#uploading);
    this.#possession = new Possession(this.#swarm, this.#downloading, this.#uploading, this.#connections);
    this.#peerEvents = new PeerEvents(this.#swarm, this.#connections, this.#downloading, this.#uploading);
    this.#announces = new Announces(this.#swarm, this.#possession);
    this.#wasComplete = this.#swarm.picker.complete;
  }

  get complete(): boolean {
    return this.#swarm.picker.complete;
  }

  /** Whether the piece is verified. */
  has(piece: number): boolean {
    return this.#swarm.picker.have.has(piece);
  }

  get state(): TorrentState {
    return this.#state;
  }

  /** Ms on the caller's clock at which `time-passed` is wanted; Infinity when never. */
  get deadline(): number {
    if (this.#state !== 'running' && this.#state !== 'suspended') return Infinity;
    return Math.min(
      this.#nextHousekeeping,
      this.#uploading.deadline,
      this.#announces.deadline,
      this.#connections.dialDeadline,
    );
  }

  /** Never throws on what a remote sent. The outputs must be performed, in order, before the next call. */
  handle(input: TorrentInput, now: number): readonly TorrentOutput[] {
    this.#dispatch(input, now);
    if (this.#state === 'running' || this.#state === 'suspended') {
      if (this.#swarm.picker.complete !== this.#wasComplete) this.#completionChanged(now);
      this.#uploading.rechokeIfDue(this.complete, now);
      this.#downloading.refillWoken(now);
      this.#downloading.discardAbandoned();
    }
    return this.#swarm.takeOutputs();
  }

  snapshot(now: number): TorrentSnapshot {
    const facts = {
      state: this.#state,
      failure: this.#state === 'suspended' ? this.#trouble : undefined,
      possession: this.#possession,
      tracker: this.#announces.snapshot(now),
    };
    return snapshotOf(this.#swarm, facts, now);
  }

  #dispatch(input: TorrentInput, now: number): void {
    switch (input.type) {
      case 'bytes-received':
        return this.#bytesReceived(input.peer, input.chunk, input.start, input.end, now);
      case 'uploaded':
        return this.#uploaded(input.peer, input.bytes, now);
      case 'piece-checked':
        return this.#pieceChecked(input, now);
      case 'peer-connected':
        return this.#connections.connected(input.peer, input.endpoint, input.incoming, now);
      case 'peer-disconnected':
        return this.#withPeer(input.peer, (peer) => this.#connections.remove(peer, input.reason, now));
      case 'dial-failed':
        this.#swarm.report({ type: 'connection-failed', endpoint: input.endpoint, reason: input.reason });
        this.#swarm.known.dialFailed(input.endpoint, this.#swarm.live.size === 0, now);
        return this.#connections.dial(now);
      case 'peers-found':
        for (const endpoint of input.peers) this.#swarm.known.add(endpoint, input.source, now);
        return this.#connections.dial(now);
      case 'announced':
        return this.#announced(input, now);
      case 'announce-failed':
        return this.#announces.failed(input.reason, input.retryInMs, now);
      case 'read-failed':
        this.#troubled(`cannot read the data to upload: ${input.reason}`);
        return this.#withPeer(input.peer, (peer) => this.#uploading.readFailed(peer, input.bytes, input.blocks ?? []));
      case 'piece-found':
        return this.#possession.found(input.piece);
      case 'piece-missing':
        return this.#possession.missing(input.piece);
      case 'pieces-doubted':
        return this.#possession.doubted(input.pieces);
      case 'pieces-lost':
        return this.#possession.lost(input.pieces);
      case 'priorities':
        return this.#possession.prioritise(input.pieces);
      case 'sequential':
        this.#swarm.picker.sequential = input.on;
        return;
      case 'deadline':
        return this.#downloading.setDeadline(input.piece, input.at, now);
      case 'suspended':
        return this.#suspend(input.reason);
      case 'resumed':
        return this.#resume(now);
      case 'allowance':
        return this.#allow(input, now);
      case 'started':
        return this.#start(now);
      case 'stopped':
        return this.#stop(now);
      case 'time-passed':
        return this.#timePassed(now);
    }
  }

  #start(now: number): void {
    if (this.#state !== 'idle') return;
    this.#state = 'running';
    this.#downloading.paused = false;
    this.#uploading.paused = false;
    this.#connections.open = true;
    this.#nextHousekeeping = now + housekeepingMs;
    if (this.#trouble !== undefined) this.#suspend(this.#trouble);
    this.#announces.begin(now);
    this.#connections.dial(now);
  }

  #stop(now: number): void {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    this.#downloading.paused = true;
    this.#uploading.paused = true;
    this.#connections.open = false;
    this.#nextHousekeeping = Infinity;
    for (const peer of this.#swarm.live.values()) this.#connections.hangUp(peer, 'the torrent was stopped', now);
    this.#announces.end();
  }

  /** The disk's fault: nothing is asked or given for now; connections, announces and what was verified stay. */
  #suspend(reason: string): void {
    if (this.#state === 'stopped' || (this.#state === 'suspended' && this.#trouble === reason)) return;
    this.#trouble = reason;
    if (this.#state === 'idle') return;
    this.#swarm.report({ type: 'suspended', reason });
    if (this.#state === 'suspended') return;
    this.#state = 'suspended';
    this.#downloading.pause();
    this.#uploading.pause();
    this.#connections.paused = true;
  }

  /** An operation failed for good. While suspended the driver has said why. */
  #troubled(reason: string): void {
    if (this.#state !== 'suspended') this.#suspend(reason);
  }

  #resume(now: number): void {
    this.#trouble = undefined;
    if (this.#state !== 'suspended') return;
    this.#state = 'running';
    this.#swarm.report({ type: 'resumed' });
    this.#downloading.resume();
    this.#uploading.resume();
    this.#connections.paused = false;
    this.#connections.dial(now);
  }

  #allow(change: AllowanceChange, now: number): void {
    this.#swarm.allowance.change(change);
    this.#downloading.allowanceChanged();
    this.#uploading.allowanceChanged();
    this.#connections.shrink(now);
    this.#connections.dial(now);
  }

  #bytesReceived(key: PeerKey, chunk: Uint8Array, start: number, end: number, now: number): void {
    const peer = this.#swarm.live.get(key);
    if (peer === undefined) return;
    const events = peer.connection.receive(chunk, start, end, now);
    for (const event of events) {
      if (!this.#swarm.live.has(key)) return;
      this.#peerEvents.heard(peer, event, now);
    }
    if (!this.#swarm.live.has(key)) return;
    // Everything the chunk held is taken in: one refill and one pump for all of it.
    this.#downloading.refill(peer, now);
    this.#uploading.pump(peer, now);
    this.#swarm.touch(peer);
  }

  #uploaded(key: PeerKey, bytes: number, now: number): void {
    const peer = this.#swarm.live.get(key);
    if (peer === undefined) return this.#swarm.uploadedAfterwards(key, bytes, now);
    this.#uploading.uploaded(peer, bytes, now);
    this.#uploading.pump(peer, now);
  }

  #pieceChecked(input: Extract<TorrentInput, { type: 'piece-checked' }>, now: number): void {
    const { piece, outcome, reason } = input;
    if (outcome === 'stored') return this.#possession.stored(piece);
    if (outcome === 'corrupt') return this.#possession.corrupt(piece, now);
    this.#possession.unwritten(piece);
    return this.#troubled(reason ?? 'the disk failed');
  }

  #completionChanged(now: number): void {
    const { known, live, picker } = this.#swarm;
    const { complete } = picker;
    this.#wasComplete = complete;
    if (complete) {
      this.#swarm.report({ type: 'completed' });
      for (const peer of live.values())
        if (peer.joined && picker.isSeed(peer.key)) this.#connections.hangUp(peer, 'both are seeds', now);
    } else known.recall(now);
    this.#announces.completionChanged(complete && this.#possession.takeDownloaded(), now);
    this.#connections.dial(now);
  }

  #announced(input: Extract<TorrentInput, { type: 'announced' }>, now: number): void {
    this.#announces.answered(input, now);
    if (this.#state === 'stopped') return;
    for (const { ip, port } of input.reply.peers) this.#swarm.known.add({ ip, port }, 'tracker', now);
    this.#connections.dial(now);
    this.#announces.tellIfDue(now);
  }

  #timePassed(now: number): void {
    if (this.#state !== 'running' && this.#state !== 'suspended') return;
    if (now >= this.#nextHousekeeping) {
      this.#nextHousekeeping = now + housekeepingMs;
      this.#downloading.comparePeers(now);
      for (const peer of this.#swarm.live.values()) this.#lookAfter(peer, now);
    }
    this.#connections.dial(now);
    this.#announces.tellIfDue(now);
  }

  #lookAfter(peer: LivePeer, now: number): void {
    for (const event of peer.connection.timePassed(now)) this.#peerEvents.heard(peer, event, now);
    if (!this.#swarm.live.has(peer.key) || this.#connections.dropSilent(peer, now)) return;
    this.#downloading.expire(peer, now);
    this.#downloading.refill(peer, now);
    this.#uploading.pump(peer, now);
    this.#swarm.touch(peer);
  }

  #withPeer(key: PeerKey, act: (peer: LivePeer) => void): void {
    const peer = this.#swarm.live.get(key);
    if (peer !== undefined) act(peer);
  }
}
