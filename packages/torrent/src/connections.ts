// How connections begin and end: who is dialled, who may stay, who is greeted with what, who is never spoken to again.
import { PeerConnection } from '@shoal/wire';
import type { Endpoint } from '@shoal/tracker-protocol';
import type { Downloading } from './downloading.ts';
import type { PeerKey } from './inputs.ts';
import { LivePeer } from './live-peer.ts';
import type { Swarm } from './swarm.ts';
import type { Uploading } from './uploading.ts';

export class Connections {
  readonly #swarm: Swarm;
  readonly #downloading: Downloading;
  readonly #uploading: Uploading;
  /** New connections are welcome. */
  open = false;
  /** Nobody is dialled for now. */
  paused = false;
  /** When a peer that is merely idle may next make room. */
  #nextTurnover = 0;

  constructor(swarm: Swarm, downloading: Downloading, uploading: Uploading) {
    this.#swarm = swarm;
    this.#downloading = downloading;
    this.#uploading = uploading;
  }

  /** When there is somebody to dial and room to do it. */
  get dialDeadline(): number {
    return this.open && !this.paused && this.#room() > 0 ? this.#swarm.known.deadline() : Infinity;
  }

  dial(now: number): void {
    if (!this.open || this.paused) return;
    const { known, live, allowance } = this.#swarm;
    const idler = live.size >= allowance.maxConnections && known.deadline() <= now ? this.#idler(now) : undefined;
    // Its end dials, as every end does.
    if (idler !== undefined) return this.hangUp(idler, placeNeeded, now);
    for (const endpoint of this.#swarm.known.takeDialable(this.#room(), now))
      this.#swarm.emit({ type: 'dial', endpoint });
  }

  connected(key: PeerKey, endpoint: Endpoint, incoming: boolean, now: number): void {
    const { live, known } = this.#swarm;
    if (!incoming) known.dialled(endpoint);
    const idler = incoming && this.#isFull ? this.#idler(now) : undefined;
    const refusal = this.#refusal(endpoint, incoming && idler === undefined);
    if (refusal !== undefined) {
      if (!incoming) known.ended(endpoint, { useful: true, alone: false }, now);
      return this.#swarm.emit({ type: 'hang-up', peer: key, reason: refusal });
    }
    const peer = new LivePeer(key, endpoint, incoming, this.#connectionFor(incoming, now), now);
    live.set(key, peer);
    this.#swarm.touch(peer);
    if (idler !== undefined) this.hangUp(idler, placeNeeded, now);
  }

  /** Their handshake is here, perhaps still without their id: say what we have (BEP 3: before anything else). */
  greet(peer: LivePeer): void {
    peer.greeted = true;
    peer.connection.sendPieces(this.#swarm.picker.have);
  }

  /** They told their id: keep them unless theirs is the worse of two connections to one peer. */
  join(peer: LivePeer, peerId: Uint8Array, now: number): void {
    peer.peerId = hexOf(peerId);
    const ours = hexOf(this.#swarm.options.peerId);
    for (const other of this.#swarm.live.values()) {
      if (other === peer || other.peerId !== peer.peerId) continue;
      const loser = loserOf(other, peer, ours);
      this.hangUp(loser, 'already connected to this peer', now);
      if (loser === peer) return;
      break;
    }
    peer.joined = true;
    this.#swarm.picker.peerJoined(peer.key);
    this.#uploading.joined(peer, now);
    this.#swarm.report({ type: 'peer-joined', peer: peer.key, endpoint: peer.endpoint, peerId: peer.peerId });
  }

  /** As a seed: a peer that we unchoked and that asks for nothing is of no use to anybody (clients 33). */
  dropSilent(peer: LivePeer, now: number): boolean {
    const { connection } = peer;
    const isAsked = connection.uploads.length > 0 || peer.uploadInFlight > 0;
    if (!this.#swarm.picker.complete || connection.amChoking || !connection.peerInterested || isAsked) return false;
    if (now < Math.max(peer.usefulAt, peer.unchokedAt) + idleMs) return false;
    this.hangUp(peer, 'it asks for nothing though it may', now);
    return true;
  }

  /** BEP 10 `p`: where an incoming peer can be dialled. It corrects the known address, never the socket's. */
  learnListenPort(peer: LivePeer, now: number): void {
    const port = peer.connection.peerListenPort;
    if (!peer.incoming || peer.listenEndpoint !== undefined || port === undefined || port === 0) return;
    peer.listenEndpoint = { ip: peer.endpoint.ip, port };
    this.#swarm.known.add(peer.listenEndpoint, 'incoming', now);
    this.#swarm.known.connected(peer.listenEndpoint);
  }

  /** Corrupt data from this peer alone: never again, even if it has left meanwhile. */
  ban(key: PeerKey, reason: string, now: number): void {
    const endpoint = this.#swarm.endpointOf(key);
    if (endpoint === undefined) return;
    this.#swarm.known.ban(endpoint);
    this.#swarm.report({ type: 'peer-banned', endpoint, reason });
    const peer = this.#swarm.live.get(key);
    if (peer !== undefined) this.hangUp(peer, reason, now);
  }

  /** Fewer connections are allowed than there are: those that gave and took least go. */
  shrink(now: number): void {
    const { live, allowance } = this.#swarm;
    const excess = live.size - allowance.maxConnections;
    if (excess <= 0) return;
    const byUse = [...live.values()].toSorted((a, b) => usefulness(a, now) - usefulness(b, now));
    for (const peer of byUse.slice(0, excess)) this.hangUp(peer, 'fewer connections are allowed now', now);
  }

  hangUp(peer: LivePeer, reason: string, now: number): void {
    this.#swarm.emit({ type: 'hang-up', peer: peer.key, reason });
    this.remove(peer, reason, now);
  }

  /** The connection is over, whoever ended it. */
  remove(peer: LivePeer, reason: string, now: number): void {
    const { picker, known } = this.#swarm;
    const bothAreSeeds = this.#swarm.picker.complete && peer.joined && picker.isSeed(peer.key);
    this.#swarm.departed(peer);
    if (peer.joined) {
      picker.peerLeft(peer.key);
      this.#uploading.left(peer);
      this.#downloading.left(peer);
      this.#swarm.report({ type: 'peer-left', peer: peer.key, endpoint: peer.endpoint, reason });
    } else this.#swarm.report({ type: 'connection-failed', endpoint: peer.endpoint, reason });
    const endpoint = peer.listenEndpoint ?? peer.endpoint;
    known.ended(endpoint, { useful: peer.joined, alone: this.#swarm.live.size === 0 }, now);
    // Seeds that dial seeds only meet and part, again and again, at every wait's end.
    if (bothAreSeeds) known.setAside(endpoint);
    this.dial(now);
  }

  #connectionFor(incoming: boolean, now: number): PeerConnection {
    const { options, description } = this.#swarm;
    return new PeerConnection({
      infoHash: description.infoHash,
      peerId: options.peerId,
      geometry: description.geometry,
      initiator: !incoming,
      fast: options.fast,
      clientVersion: options.clientVersion,
      listenPort: options.listenPort,
      now,
    });
  }

  #refusal(endpoint: Endpoint, needsRoom: boolean): string | undefined {
    const { known } = this.#swarm;
    if (!this.open) return 'the torrent is not running';
    if (known.isBanned(endpoint)) return 'banned for corrupt data';
    if (needsRoom && this.#isFull) return 'all connections are in use';
    return undefined;
  }

  get #isFull(): boolean {
    const { live, known, allowance } = this.#swarm;
    return live.size + known.dialing >= allowance.maxConnections;
  }

  /**
   * Who may not keep others out for ever: of the peers that take requests and send nothing the one that gave least, else
   * of those with which nothing was exchanged for a minute the one of least use, and of these one at a time.
   */
  #idler(now: number): LivePeer | undefined {
    let snubbing: LivePeer | undefined;
    let idle: LivePeer | undefined;
    for (const peer of this.#swarm.live.values()) {
      if (peer.connection.pipeline.snubbed) {
        if (snubbing === undefined || peer.downloadedBytes < snubbing.downloadedBytes) snubbing = peer;
      } else if (now >= peer.usefulAt + idleMs && (idle === undefined || isOfLessUse(peer, idle))) idle = peer;
    }
    if (snubbing !== undefined) return snubbing;
    if (idle === undefined || now < this.#nextTurnover) return undefined;
    this.#nextTurnover = now + turnoverMs;
    return idle;
  }

  #room(): number {
    const { known, live, options, allowance } = this.#swarm;
    return Math.min(options.maxDialing - known.dialing, allowance.maxConnections - live.size - known.dialing);
  }
}

const placeNeeded = 'it sends nothing and its place is needed';
/** A peer with which nothing went either way for so long may make room (libtorrent's time without a request). */
const idleMs = 60_000;
/** Between two peers that only had no turn yet; of those that owe us something every one may go. */
const turnoverMs = 10_000;

/** Neither of them exchanged anything lately: who wants nothing of the other goes first, then who gave and took less. */
function isOfLessUse(peer: LivePeer, other: LivePeer): boolean {
  const wanted = interests(peer) - interests(other);
  if (wanted !== 0) return wanted < 0;
  return peer.downloadedBytes + peer.uploadedBytes < other.downloadedBytes + other.uploadedBytes;
}

function interests({ connection }: LivePeer): number {
  return (connection.amInterested ? 1 : 0) + (connection.peerInterested ? 1 : 0);
}

/** Bytes per second both ways, and a little for having been of use at all. */
function usefulness(peer: LivePeer, now: number): number {
  const rate = peer.connection.pipeline.rate(now) + peer.uploadMeter.rate(now);
  return rate + (peer.downloadedBytes + peer.uploadedBytes > 0 ? 1 : 0) + (peer.joined ? 1 : 0);
}

/**
 * Of two connections to one peer both ends must drop the same: the one with the larger id keeps what it opened;
 * two opened by the same side: the newer goes.
 */
function loserOf(older: LivePeer, newer: LivePeer, ourId: string): LivePeer {
  if (older.incoming === newer.incoming) return newer;
  const keepIncoming = newer.peerId > ourId;
  return newer.incoming === keepIncoming ? older : newer;
}

function hexOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}
