// How much may be asked for: of one peer, of all of them under a download limit, and how many pieces may be open for
// it. What is asked is the picker's choice.
import { blockLength } from '@shoal/pieces';
import type { LivePeer } from './live-peer.ts';
import type { Swarm } from './swarm.ts';

/** Fewer pieces than this in the making would leave a peer without work while another piece is checked. */
const minOpenPieces = 2;
/** Open pieces for each peer beyond what its requests cover (libtorrent's bound on partial pieces). */
const openPiecesPerPeer = 1.5;
/** libtorrent's `request_queue_time`: of a limited rate no peer is asked for more. */
const peerQueueSeconds = 3;
/** All requests together, of a limited rate: half of the wire's block timeout, so that keeping to it snubs nobody. */
const totalQueueSeconds = 10;
/** The least that is asked of all peers together: below it a peer would stand idle between two blocks. */
const minTotalRequests = 4;
/** A peer that answers so soon, in ms, needs no deep queue: 256 blocks are then 800 MB/s, and more only costs memory. */
const nearbyMs = 5;
const nearbyRequests = 256;

export class Demand {
  readonly #swarm: Swarm;
  /** Requests that all peers have to answer. */
  #outstanding = 0;

  constructor(swarm: Swarm) {
    this.#swarm = swarm;
  }

  /** To be called when the peer's requests may have become more or fewer. */
  count(peer: LivePeer): void {
    const { outstanding } = peer.connection.pipeline;
    this.#outstanding += outstanding - peer.countedRequests;
    peer.countedRequests = outstanding;
  }

  left(peer: LivePeer): void {
    this.#outstanding -= peer.countedRequests;
    peer.countedRequests = 0;
  }

  /** Blocks that the peer may be asked for now; not more than 0 when there is no room. */
  of(peer: LivePeer, now: number): number {
    this.count(peer);
    const { pipeline } = peer.connection;
    const { outstanding } = pipeline;
    const depth = pipeline.target(now);
    const room = (peer.answersInMs < nearbyMs ? Math.min(depth, nearbyRequests) : depth) - outstanding;
    const limit = this.#swarm.allowance.downloadBytesPerSecond;
    if (limit === Infinity) return room;
    const ofPeer = Math.max(1, Math.floor((limit * peerQueueSeconds) / blockLength));
    const ofAll = Math.max(minTotalRequests, Math.floor((limit * totalQueueSeconds) / blockLength));
    return Math.min(room, ofPeer - outstanding, ofAll - this.#outstanding);
  }

  /** Pieces that may be open when `room` more blocks are asked for, `checking` of them in their check. */
  openPieces(room: number, checking: number): number {
    const { live, description } = this.#swarm;
    const covered = Math.ceil(((this.#outstanding + room) * blockLength) / description.geometry.pieceLength);
    const enough = Math.ceil(openPiecesPerPeer * live.size) + covered + checking;
    return Math.max(minOpenPieces, Math.min(enough, this.mostOpenPieces));
  }

  /** Pieces whose buffers fit the allowance. */
  get mostOpenPieces(): number {
    const { description, allowance } = this.#swarm;
    const pieceBytes = Math.max(description.geometry.pieceLength, blockLength);
    return Math.max(minOpenPieces, Math.floor(allowance.pieceBufferBytes / pieceBytes));
  }
}
