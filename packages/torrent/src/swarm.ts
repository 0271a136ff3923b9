// What the parts of a torrent share: the live peers, the known ones, what was moved, and the outputs of this turn.
// It owns the order of outputs; it decides nothing about blocks, slots or announces.
import type { Picker } from '@shoal/picker';
import type { TorrentOutput, TorrentReport } from './outputs.ts';
import type { ResolvedOptions, TorrentDescription } from './options.ts';
import type { PeerKey } from './inputs.ts';
import type { LivePeer } from './live-peer.ts';
import type { PeerList } from './peers.ts';
import type { Progress } from './progress.ts';

/** A socket that broke never tells what left of it: such entries are forgotten in their order. */
const maxDeparted = 100;

export class Swarm {
  readonly description: TorrentDescription;
  readonly options: ResolvedOptions;
  readonly picker: Picker;
  readonly known: PeerList;
  readonly progress: Progress;
  readonly live: Map<PeerKey, LivePeer> = new Map();
  /** Peers that left with payload under way: what of it still arrives is counted as theirs. */
  readonly #departed = new Map<PeerKey, { readonly peerId: string; bytes: number }>();
  #outputs: TorrentOutput[] = [];
  #dirty: LivePeer[] = [];

  constructor(
    description: TorrentDescription,
    options: ResolvedOptions,
    parts: { picker: Picker; known: PeerList; progress: Progress },
  ) {
    this.description = description;
    this.options = options;
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
    if (peer.uploadInFlight === 0) return;
    for (const oldest of this.#departed.keys()) {
      if (this.#departed.size < maxDeparted) break;
      this.#departed.delete(oldest);
    }
    this.#departed.set(peer.key, { peerId: peer.peerId, bytes: peer.uploadInFlight });
  }

  /** Payload left for a peer that is gone from here: it was sent all the same. */
  uploadedAfterwards(key: PeerKey, bytes: number, now: number): void {
    const peer = this.#departed.get(key);
    if (peer === undefined) return;
    this.progress.uploaded(peer.peerId, bytes, now);
    peer.bytes -= bytes;
    if (peer.bytes <= 0) this.#departed.delete(key);
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
