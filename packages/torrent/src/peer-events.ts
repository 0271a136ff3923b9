// What a peer's messages mean for the torrent: each event of its connection goes to the part that it concerns.
// Nothing is decided here but that.
import { Bitfield } from '@shoal/pieces';
import type { WireEvent } from '@shoal/wire';
import type { Connections } from './connections.ts';
import type { Downloading } from './downloading.ts';
import type { LivePeer } from './live-peer.ts';
import type { Swarm } from './swarm.ts';
import type { Uploading } from './uploading.ts';

export class PeerEvents {
  readonly #swarm: Swarm;
  readonly #connections: Connections;
  readonly #downloading: Downloading;
  readonly #uploading: Uploading;

  constructor(swarm: Swarm, connections: Connections, downloading: Downloading, uploading: Uploading) {
    this.#swarm = swarm;
    this.#connections = connections;
    this.#downloading = downloading;
    this.#uploading = uploading;
  }

  heard(peer: LivePeer, event: WireEvent, now: number): void {
    const { picker } = this.#swarm;
    switch (event.type) {
      case 'block-data':
        return this.#downloading.data(peer, event);
      case 'block-end':
        return this.#downloading.end(peer, event, now);
      case 'request':
        return this.#uploading.requested(peer, event);
      case 'cancel':
        return this.#uploading.cancelled(peer, event);
      case 'have':
        picker.peerHas(peer.key, event.piece);
        return this.#piecesChanged(peer, now);
      case 'bitfield':
      case 'have-all':
      case 'have-none':
        return this.#peerHasPieces(peer, event, now);
      case 'choke':
        return this.#downloading.choked(peer, event.dropped);
      case 'unchoke':
        return;
      case 'reject':
        if (this.#downloading.rejected(peer, event)) return;
        return this.#connections.hangUp(peer, 'it offers pieces and rejects every request', now);
      case 'interested':
      case 'not-interested':
        return this.#uploading.interestChanged(peer);
      case 'handshake':
        return this.#connections.greet(peer);
      case 'peer-id':
        return this.#connections.join(peer, event.peerId, now);
      case 'extended-handshake':
        return this.#connections.learnListenPort(peer, now);
      case 'end':
        if (event.code === 'self-connection') this.#swarm.known.refuse(peer.endpoint);
        return this.#connections.hangUp(peer, event.message, now);
      case 'suggest':
      case 'allowed-fast':
      case 'port':
      case 'extended':
        // Advice that we do not follow and extensions that nobody here speaks.
        return;
    }
  }

  #peerHasPieces(peer: LivePeer, event: PiecesEvent, now: number): void {
    this.#swarm.picker.peerPieces(peer.key, bitfieldOf(event, this.#swarm.description.geometry.pieceCount));
    this.#piecesChanged(peer, now);
  }

  #piecesChanged(peer: LivePeer, now: number): void {
    if (this.#swarm.picker.complete && this.#swarm.picker.isSeed(peer.key))
      return this.#connections.hangUp(peer, 'both are seeds', now);
    this.#downloading.updateInterest(peer);
  }
}

type PiecesEvent = Extract<WireEvent, { type: 'bitfield' | 'have-all' | 'have-none' }>;

function bitfieldOf(event: PiecesEvent, pieceCount: number): Bitfield {
  if (event.type === 'have-all') return Bitfield.full(pieceCount);
  return new Bitfield(pieceCount, event.type === 'bitfield' ? event.bits : undefined);
}
