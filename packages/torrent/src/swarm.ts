// What the parts of a torrent share: the live peers, the known ones, what was moved, and the outputs of this turn.
// It owns the order of outputs; it decides nothing about blocks, slots or announces.
import type { Picker } from '@shoal/picker';
import type { TorrentOutput, TorrentReport } from './outputs.ts';
import type { ResolvedOptions, TorrentDescription } from './options.ts';
import type { PeerKey } from './inputs.ts';
import type { LivePeer } from './live-peer.ts';
import type { PeerList } from './peers.ts';
import type { Progress } from './progress.ts';

export class Swarm {
  readonly description: TorrentDescription;
  readonly options: ResolvedOptions;
  readonly picker: Picker;
  readonly known: PeerList;
  readonly progress: Progress;
  readonly live: Map<PeerKey, LivePeer> = new Map();
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
