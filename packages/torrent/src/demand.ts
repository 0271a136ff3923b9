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
/**
 * In the end game a peer is asked for little at a time: or the first idle one would take on all that is owed, and the
 * next ones the same again (measured in the simulator: a third of the time, and a copy of nearly every block).
 */
const endgameSeconds = 0.25;
const minEndgameRequests = 2;

/** What somebody waits for must not queue behind more than this of anything else. */
const urgentQueueSeconds = 0.5;
const minUrgentDepth = 4;
/** Twice what is on the way at a time keeps a link busy. */
const roundTrips = 2;
/** Of the mean rate: a peer below it would keep whoever waits waiting (libtorrent leaves the slowest tenth out). */
const slowShare = 0.25;

export class Demand {
  readonly #swarm: Swarm;
  /** Requests that all peers have to answer. */
  #outstanding = 0;
  /** Pieces that somebody waits for. */
  readonly #deadlines = new Set<number>();
  /** The mean rate of those who give, in bytes per second, looked at once a second. */
  #meanRate = 0;

  constructor(swarm: Swarm) {
    this.#swarm = swarm;
  }

  /** To be called when the peer's requests may have become more or fewer. */
  count(peer: LivePeer): void {
    const { outstanding } = peer.connection.pipeline;
    this.#outstanding += outstanding - peer.countedRequests;
    peer.countedRequests = outstanding;
  }

  /** Whether somebody waits for the piece. */
  setDeadline(piece: number, isWaitedFor: boolean): void {
    if (isWaitedFor) this.#deadlines.add(piece);
    else if (this.#deadlines.size > 0) this.#deadlines.delete(piece);
  }

  /** Requests that a peer may owe us while somebody waits for a piece: a piece, or what its distance takes. */
  urgentDepth({ connection, answersInMs }: LivePeer, now: number): number {
    const blocksPerSecond = connection.pipeline.rate(now) / blockLength;
    const blocksPerPiece = Math.ceil(this.#swarm.description.geometry.pieceLength / blockLength);
    const onTheWay = blocksPerSecond * roundTrips * Math.min(answersInMs / 1000, urgentQueueSeconds);
    const most = Math.max(minUrgentDepth, blocksPerSecond * urgentQueueSeconds);
    return Math.ceil(Math.min(most, Math.max(minUrgentDepth, blocksPerPiece, onTheWay)));
  }

  /** To be called once a second: whoever is far below the mean of those who give is slow. */
  compare(now: number): void {
    let givers = 0;
    let total = 0;
    for (const { connection } of this.#swarm.live.values()) {
      const rate = connection.pipeline.rate(now);
      if (rate === 0) continue;
      givers++;
      total += rate;
    }
    this.#meanRate = givers === 0 ? 0 : total / givers;
  }

  /** Of no use to anybody who waits, for a piece or for the end, while there are others. */
  isSlow({ connection }: LivePeer, now: number): boolean {
    if (this.#deadlines.size === 0 && !this.#swarm.picker.inEndgame) return false;
    return connection.pipeline.snubbed || connection.pipeline.rate(now) < this.#meanRate * slowShare;
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
    const target = pipeline.target(now);
    const depth = this.#deadlines.size > 0 ? Math.min(target, this.urgentDepth(peer, now)) : target;
    const room = (peer.answersInMs < nearbyMs ? Math.min(depth, nearbyRequests) : depth) - outstanding;
    if (room > minEndgameRequests && this.#swarm.picker.inEndgame)
      return Math.min(
        room,
        Math.max(minEndgameRequests, Math.floor((pipeline.rate(now) * endgameSeconds) / blockLength)),
      );
    const limit = this.#swarm.allowance.downloadBytesPerSecond;
    if (limit === Infinity) return room;
    const ofPeer = Math.max(1, Math.floor((limit * peerQueueSeconds) / blockLength));
    const ofAll = Math.max(minTotalRequests, Math.floor((limit * totalQueueSeconds) / blockLength));
    return Math.min(room, ofPeer - outstanding, ofAll - this.#outstanding);
  }

  /** Pieces that may be open when `room` more blocks are asked for, `checking` of them in their check. */
  openPieces(room: number, checking: number): number {
    // A piece that somebody waits for must find room.
    if (this.#deadlines.size > 0) return this.mostOpenPieces;
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
