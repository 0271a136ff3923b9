// What the parts of a torrent share: the live peers, the known ones, what was moved, and the outputs of this turn.
// It owns the order of outputs; it decides nothing about blocks, slots or announces.
import type { Picker } from '@shoal/picker';
import type { Endpoint } from '@shoal/tracker-protocol';
import { Allowance } from './allowance.ts';
import type { TorrentOutput, TorrentReport } from './outputs.ts';
import type { ResolvedOptions, TorrentDescription } from './options.ts';
import type { PeerKey } from './inputs.ts';
import type { LivePeer } from './live-peer.ts';
import type { PeerList } from './peers.ts';
import type { Progress } from './progress.ts';

/** The oldest are forgotten first. */
const maxDeparted = 100;

export class Swarm {
  readonly description: TorrentDescription;
  readonly options: ResolvedOptions;
  readonly allowance: Allowance;
  readonly picker: Picker;
  readonly known: PeerList;
  readonly progress: Progress;
  readonly live: Map<PeerKey, LivePeer> = new Map();
  /** Peers that left lately: payload under way to them still counts as theirs, and so does a piece that proves corrupt. */
  readonly #departed = new Map<PeerKey, { readonly peerId: string; readonly endpoint: Endpoint; bytes: number }>();
  #outputs: TorrentOutput[] = [];
  #dirty: LivePeer[] = [];

  constructor(
    description: TorrentDescription,
    options: ResolvedOptions,
    parts: { picker: Picker; known: PeerList; progress: Progress },
  ) {
    this.description = description;
    this.options = options;
    this.allowance = new Allowance(options);
    this.picker = parts.picker;
    this.known = parts.known;
    this.progress = parts.progress;
  }

  emit(output: TorrentOutput): void {
    this.#outputs.push(output);
  }

  report(report: TorrentReport): void {
    this.#outputs.push({ type: 'report', report });
  }

  departed(peer: LivePeer): void {
    this.live.delete(peer.key);
    if (!peer.joined) return;
    for (const oldest of this.#departed.keys()) {
      if (this.#departed.size < maxDeparted) break;
      this.#departed.delete(oldest);
    }
    this.#departed.set(peer.key, { peerId: peer.peerId, endpoint: peer.endpoint, bytes: peer.uploadInFlight });
  }

  /** The address of a peer, also of one that left lately. */
  endpointOf(key: PeerKey): Endpoint | undefined {
    return this.live.get(key)?.endpoint ?? this.#departed.get(key)?.endpoint;
  }

  /** Payload left for a peer that is gone from here: it was sent all the same. */
  uploadedAfterwards(key: PeerKey, bytes: number, now: number): void {
    const peer = this.#departed.get(key);
    if (peer === undefined) return;
    this.progress.uploaded(peer.peerId, Math.min(bytes, peer.bytes), now);
    peer.bytes -= Math.min(bytes, peer.bytes);
  }

  /** The peer's connection may have bytes to send: they go out, once, at the end of this turn. */
  touch(peer: LivePeer): void {
    if (peer.dirty) return;
    peer.dirty = true;
    this.#dirty.push(peer);
  }

  /** Ends the turn: the queued bytes of every touched peer become one `send` each. */
  takeOutputs(): readonly TorrentOutput[] {
    for (const peer of this.#dirty) {
      peer.dirty = false;
      const bytes = peer.connection.takeBytes();
      if (bytes !== undefined && this.live.has(peer.key)) this.#outputs.push({ type: 'send', peer: peer.key, bytes });
    }
    this.#dirty = [];
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }
}
