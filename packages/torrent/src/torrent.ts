// One torrent: takes every input, lets the parts decide, and gives the outputs of the turn in order.
// Connections and pieces come and go here. No socket, disk, clock or hash: those are outputs answered later by inputs.
//
// States: idle ─started→ running ─stopped→ stopped; running ─disk failure→ failed. Downloading and seeding are not
// states of their own but whether the picker misses anything.
import { Picker } from '@shoal/picker';
import { type Bitfield, blockLength, pieceLengthAt } from '@shoal/pieces';
import type { AnnounceEvent } from '@shoal/tracker-protocol';
import { Announcing } from './announcing.ts';
import { Connections } from './connections.ts';
import { Downloading } from './downloading.ts';
import type { PeerKey, TorrentInput } from './inputs.ts';
import type { LivePeer } from './live-peer.ts';
import { resolveOptions, type TorrentDescription, type TorrentOptions } from './options.ts';
import type { AnnounceFacts, TorrentOutput } from './outputs.ts';
import { PeerEvents } from './peer-events.ts';
import { PeerList } from './peers.ts';
import { Progress } from './progress.ts';
import { snapshotOf, type TorrentSnapshot } from './snapshot.ts';
import { Swarm } from './swarm.ts';
import { Uploading } from './uploading.ts';

export type TorrentState = 'idle' | 'running' | 'stopped' | 'failed';

/** Time-outs and keep-alives are looked after once a second: none of them is shorter than ten. */
const housekeepingMs = 1000;
/** Fewer pieces than this in the making would leave a peer without work while another piece is checked. */
const minOpenPieces = 2;

export class Torrent {
  readonly #swarm: Swarm;
  readonly #downloading: Downloading;
  readonly #uploading: Uploading;
  readonly #connections: Connections;
  readonly #peerEvents: PeerEvents;
  readonly #announcing: Announcing;
  #state: TorrentState = 'idle';
  #failure: string | undefined;
  #leftBytes: number;
  #nextHousekeeping = Infinity;
  #lastTracker: TorrentSnapshot['tracker'] = {};

  /** `have` is what is known to be right on disk. Throws RangeError when it does not fit the geometry. */
  constructor(description: TorrentDescription, have: Bitfield, options: TorrentOptions) {
    const resolved = resolveOptions(options);
    const { geometry } = description;
    if (have.length !== geometry.pieceCount)
      throw new RangeError(`have is of ${have.length} pieces, the torrent of ${geometry.pieceCount}`);
    const maxOpenPieces = Math.max(
      minOpenPieces,
      Math.floor(resolved.pieceBufferBytes / Math.max(geometry.pieceLength, blockLength)),
    );
    this.#swarm = new Swarm(description, resolved, {
      picker: new Picker({ geometry, have, random: resolved.random, maxOpenPieces }),
      known: new PeerList(resolved),
      progress: new Progress(geometry),
    });
    this.#downloading = new Downloading(this.#swarm);
    this.#uploading = new Uploading(this.#swarm);
    this.#connections = new Connections(this.#swarm, this.#downloading, this.#uploading);
    this.#peerEvents = new PeerEvents(this.#swarm, this.#connections, this.#downloading, this.#uploading);
    this.#announcing = new Announcing(resolved);
    this.#leftBytes = geometry.totalLength;
    for (const piece of have.indices()) this.#leftBytes -= pieceLengthAt(geometry, piece);
  }

  get complete(): boolean {
    return this.#swarm.picker.complete;
  }

  get state(): TorrentState {
    return this.#state;
  }

  /** Ms on the caller's clock at which `time-passed` is wanted; Infinity when never. */
  get deadline(): number {
    if (this.#state !== 'running') return Infinity;
    return Math.min(
      this.#nextHousekeeping,
      this.#uploading.deadline,
      this.#announcing.deadline(this.#needPeers()),
      this.#connections.dialDeadline,
    );
  }

  /** Never throws on what a remote sent. The outputs must be performed, in order, before the next call. */
  handle(input: TorrentInput, now: number): readonly TorrentOutput[] {
    this.#dispatch(input, now);
    if (this.#state === 'running') {
      this.#uploading.rechokeIfDue(this.complete, now);
      this.#downloading.refillWoken(now);
      this.#downloading.discardAbandoned();
    }
    return this.#swarm.takeOutputs();
  }

  snapshot(now: number): TorrentSnapshot {
    const facts = {
      state: this.#state,
      failure: this.#failure,
      leftBytes: this.#leftBytes,
      tracker: { ...this.#lastTracker, nextAnnounceInMs: Math.max(0, this.#announcing.dueAt - now) },
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
        return this.#pieceChecked(input.piece, input.outcome, input.reason, now);
      case 'peer-connected':
        return this.#connections.connected(input.peer, input.endpoint, input.incoming, now);
      case 'peer-disconnected':
        return this.#withPeer(input.peer, (peer) => this.#connections.remove(peer, input.reason, now));
      case 'dial-failed':
        this.#swarm.report({ type: 'connection-failed', endpoint: input.endpoint, reason: input.reason });
        this.#swarm.known.dialFailed(input.endpoint, now);
        return this.#connections.dial(now);
      case 'peers-found':
        for (const endpoint of input.peers) this.#swarm.known.add(endpoint, input.source, now);
        return this.#connections.dial(now);
      case 'announced':
        return this.#announced(input, now);
      case 'announce-failed':
        return this.#announceFailed(input.reason, input.retryInMs, now);
      case 'read-failed':
        return this.#withPeer(input.peer, (peer) => {
          this.#uploading.readFailed(peer, input.bytes);
          this.#fail(`cannot read the data to upload: ${input.reason}`, now);
        });
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
    this.#announcing.begin(now);
    for (const peer of this.#swarm.live.values()) this.#downloading.updateInterest(peer);
    this.#announceIfDue(now);
    this.#connections.dial(now);
  }

  #stop(now: number): void {
    if (this.#state === 'stopped') return;
    this.#end('stopped', 'the torrent was stopped', now);
  }

  /** The disk's fault: nothing more is asked or given, what was verified stays. */
  #fail(reason: string, now: number): void {
    if (this.#state !== 'running') return;
    this.#failure = reason;
    this.#swarm.report({ type: 'failed', reason });
    this.#end('failed', reason, now);
  }

  #end(state: 'stopped' | 'failed', reason: string, now: number): void {
    this.#state = state;
    this.#downloading.paused = true;
    this.#uploading.paused = true;
    this.#connections.open = false;
    this.#nextHousekeeping = Infinity;
    for (const peer of this.#swarm.live.values()) this.#connections.hangUp(peer, reason, now);
    if (this.#announcing.stop()) this.#announce('stopped');
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

  #pieceChecked(
    piece: number,
    outcome: 'stored' | 'corrupt' | 'failed',
    reason: string | undefined,
    now: number,
  ): void {
    const mixed = this.#downloading.takeMixed(piece);
    if (outcome === 'stored') return this.#pieceStored(piece, now);
    const contributors = this.#swarm.picker.failed(piece);
    this.#downloading.cancelCopies();
    this.#downloading.wake();
    if (outcome === 'failed') return this.#fail(reason ?? 'the disk failed', now);
    this.#swarm.progress.corrupted(piece);
    this.#swarm.report({ type: 'piece-corrupt', piece, contributors });
    // One contributor is proof, unless somebody else wrote into its blocks. Of several none is: the picker now asks a
    // single peer for the whole piece.
    const [only, ...others] = contributors;
    if (only === undefined || others.length > 0 || mixed) return;
    this.#connections.ban(only, `piece ${piece} from it alone failed its hash`, now);
  }

  #pieceStored(piece: number, now: number): void {
    const { picker, live, description } = this.#swarm;
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
    if (picker.complete) this.#completed(now);
  }

  #completed(now: number): void {
    this.#swarm.report({ type: 'completed' });
    this.#announcing.completed(now);
    for (const peer of this.#swarm.live.values())
      if (peer.joined && this.#swarm.picker.isSeed(peer.key)) this.#connections.hangUp(peer, 'both are seeds', now);
    this.#announceIfDue(now);
  }

  #announced(input: Extract<TorrentInput, { type: 'announced' }>, now: number): void {
    const { reply, tracker } = input;
    const event = this.#announcing.answered(reply, now);
    this.#lastTracker = {
      lastReply: { event, peers: reply.peers.length, complete: reply.complete, incomplete: reply.incomplete },
    };
    this.#swarm.report({
      type: 'announced',
      event,
      peers: reply.peers.length,
      ...(tracker === undefined ? {} : { tracker }),
    });
    if (reply.warning !== undefined) this.#swarm.report({ type: 'announce-warning', warning: reply.warning });
    if (this.#state !== 'running') return;
    for (const { ip, port } of reply.peers) this.#swarm.known.add({ ip, port }, 'tracker', now);
    this.#connections.dial(now);
    this.#announceIfDue(now);
  }

  #announceFailed(reason: string, retryInMs: number | undefined, now: number): void {
    const wait = this.#announcing.failed(retryInMs, now);
    this.#lastTracker = { ...this.#lastTracker, lastFailure: reason };
    this.#swarm.report({ type: 'announce-failed', reason, retryInMs: wait });
  }

  #announceIfDue(now: number): void {
    const event = this.#announcing.take(this.#needPeers(), now);
    if (event !== undefined) this.#announce(event);
  }

  #announce(event: AnnounceEvent): void {
    const { progress, live, options } = this.#swarm;
    const enough = event === 'stopped' || live.size >= options.maxConnections;
    const facts: AnnounceFacts = {
      event,
      uploaded: progress.uploadedBytes,
      downloaded: progress.downloadedBytes,
      left: this.#leftBytes,
      numWant: enough ? 0 : options.numWant,
    };
    this.#swarm.emit({ type: 'announce', facts });
  }

  #timePassed(now: number): void {
    if (this.#state !== 'running') return;
    if (now >= this.#nextHousekeeping) {
      this.#nextHousekeeping = now + housekeepingMs;
      for (const peer of this.#swarm.live.values()) this.#lookAfter(peer, now);
    }
    this.#connections.dial(now);
    this.#announceIfDue(now);
  }

  #lookAfter(peer: LivePeer, now: number): void {
    for (const event of peer.connection.timePassed(now)) this.#peerEvents.heard(peer, event, now);
    if (!this.#swarm.live.has(peer.key)) return;
    this.#downloading.expire(peer, now);
    this.#downloading.refill(peer, now);
    this.#uploading.pump(peer, now);
    this.#swarm.touch(peer);
  }

  /** Nobody to talk to and nobody to dial: worth asking the tracker before its interval is over. */
  #needPeers(): boolean {
    const { live, known } = this.#swarm;
    return !this.complete && live.size === 0 && known.dialing === 0 && known.deadline() === Infinity;
  }

  #withPeer(key: PeerKey, act: (peer: LivePeer) => void): void {
    const peer = this.#swarm.live.get(key);
    if (peer !== undefined) act(peer);
  }
}
