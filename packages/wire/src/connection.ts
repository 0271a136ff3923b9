// One connection to one peer as a machine: bytes in, events out; verbs in, bytes out (BEP 3 "peer protocol", 6, 10).
// States: handshake (to byte 48, then to 68), then messages, then ended. Both sides start choking and not interested.
// Invariants: `receive` never throws; after `end` nothing happens; everything a peer can make grow is bounded.
// Must not know which pieces anybody has, what is worth asking for, nor sockets, clocks and disks.
import { type Bitfield, type Block, isBlock } from '@shoal/pieces';
import type { WireEvent } from './events.ts';
import { maxExtendedLength, messageId } from './messages.ts';
import { type PeerConnectionOptions, resolveOptions } from './options.ts';
import type { RequestPipeline } from './pipeline.ts';
import { Receiver } from './receiver.ts';
import { ConnectionState } from './state.ts';
import type { UploadQueue } from './upload-queue.ts';

/** A live connection to one peer of one torrent. */
export class PeerConnection {
  /** What we asked of the peer. Its `deadline` is its own: ask it for `takeExpired` then. */
  readonly pipeline: RequestPipeline;
  /** What the peer asked of us and the torrent accepted. */
  readonly uploads: UploadQueue;
  readonly #state: ConnectionState;
  readonly #receiver: Receiver;
  readonly #handshakeDeadline: number;
  #heardAt: number;
  #keepAliveAt: number;
  /** Whether anything was sent since the last look at the clock. */
  #hasSpoken = true;

  /** @throws RangeError when an id is not 20 bytes or an option is out of range. */
  constructor(options: PeerConnectionOptions) {
    const resolved = resolveOptions(options);
    this.#state = new ConnectionState(resolved);
    this.#receiver = new Receiver(this.#state);
    this.pipeline = this.#state.pipeline;
    this.uploads = this.#state.uploads;
    this.#handshakeDeadline = resolved.now + resolved.handshakeTimeoutMs;
    this.#heardAt = resolved.now;
    this.#keepAliveAt = resolved.now + resolved.keepAliveMs / 2;
  }

  /** Whether we choke the peer. */
  get amChoking(): boolean {
    return this.#state.amChoking;
  }
  get amInterested(): boolean {
    return this.#state.amInterested;
  }
  get peerChoking(): boolean {
    return this.#state.peerChoking;
  }
  get peerInterested(): boolean {
    return this.#state.peerInterested;
  }
  /** Both sides do the fast extension (BEP 6). False until the handshake. */
  get fast(): boolean {
    return this.#state.fast;
  }
  /** Both sides do the extension protocol (BEP 10). False until the handshake. */
  get extended(): boolean {
    return this.#state.extended;
  }
  /** 20 bytes, once they came. */
  get peerId(): Uint8Array | undefined {
    return this.#state.peerId;
  }
  /** Requests that may be outstanding: the peer's `reqq`, 250 until it says so (BEP 10), and our own limit. */
  get peerRequestLimit(): number {
    return this.pipeline.limit;
  }
  /** Name and version of the peer's client, as it says; at most 128 bytes of UTF-8, and anybody's words. */
  get peerClient(): string | undefined {
    return this.#state.peerClient;
  }
  /** Where the peer listens, as it says. Update what is known of the peer, not of this connection. */
  get peerListenPort(): number | undefined {
    return this.#state.peerListenPort;
  }
  /** The peer wants nothing (BEP 21). */
  get peerUploadOnly(): boolean {
    return this.#state.peerUploadOnly;
  }
  /** Whether the `end` event came or `close` was called. */
  get ended(): boolean {
    return this.#state.isEnded;
  }
  /** When `timePassed` has something to do; Infinity once ended. */
  get deadline(): number {
    const { isEnded, hasHandshake, peerId, options } = this.#state;
    if (isEnded) return Infinity;
    const silence = this.#heardAt + options.silenceTimeoutMs;
    const end = peerId === undefined ? Math.min(silence, this.#handshakeDeadline) : silence;
    return hasHandshake ? Math.min(end, this.#keepAliveAt) : end;
  }

  /** Whether a request for `piece` would be served: unchoked, or allowed fast (BEP 6). */
  mayRequest(piece: number): boolean {
    const { isEnded, peerChoking, allowedToUs } = this.#state;
    return !isEnded && (!peerChoking || allowedToUs.has(piece));
  }

  /** Handles `chunk[start, end)`, the next bytes of the stream. Offsets in the events are into `chunk`. Never throws. */
  receive(chunk: Uint8Array, start: number, end: number, now: number): readonly WireEvent[] {
    const events: WireEvent[] = [];
    if (this.#state.isEnded || start >= end) return events;
    this.#heardAt = now;
    this.#receiver.receive(chunk, start, end, now, events);
    return events;
  }

  /** To be called when `deadline` is reached; any other time does no harm. */
  timePassed(now: number): readonly WireEvent[] {
    const events: WireEvent[] = [];
    const { isEnded, peerId, options } = this.#state;
    if (isEnded) return events;
    if (peerId === undefined && now >= this.#handshakeDeadline) this.#state.end('handshake-timeout', events);
    else if (now >= this.#heardAt + options.silenceTimeoutMs) this.#state.end('timed-out', events);
    else if (now >= this.#keepAliveAt) this.#lookAtSilence(now);
    return events;
  }

  /** Everything to be sent, as one array that is the caller's; undefined when there is nothing. */
  takeBytes(): Uint8Array | undefined {
    return this.#state.outbox.take();
  }

  /** The connection is over on our side: nothing happens any more. */
  close(): void {
    this.#state.isEnded = true;
    this.#state.outbox.clear();
  }

  /**
   * Says what we have, then the extended handshake; once, as the first verb after the `handshake` event.
   * @throws TypeError before the `handshake` event, or the second time.
   */
  sendPieces(have: Bitfield): void {
    const { isEnded, isGreeted, hasHandshake, fast, extended, outbox } = this.#state;
    if (isEnded) return;
    if (!hasHandshake || isGreeted) throw new TypeError('sendPieces comes once, after the handshake event');
    this.#hasSpoken = true;
    if (fast && have.isFull) outbox.plain(messageId.haveAll);
    else if (fast && have.isEmpty) outbox.plain(messageId.haveNone);
    else if (!have.isEmpty) outbox.bitfield(have.bytes);
    if (extended) this.#state.sendExtendedHandshake(have.isFull);
    this.#state.greeted();
  }

  /** Stops serving: throws out the upload queue, with a reject for each request where fast was agreed (BEP 6). */
  choke(): void {
    const state = this.#state;
    if (state.amChoking || !this.#maySpeak()) return;
    state.amChoking = true;
    state.outbox.plain(messageId.choke);
    state.gate.choked();
    for (const dropped of state.uploads.shut()) state.reject(dropped);
  }

  unchoke(): void {
    const state = this.#state;
    if (!state.amChoking || !this.#maySpeak()) return;
    state.amChoking = false;
    state.uploads.open();
    state.outbox.plain(messageId.unchoke);
  }

  setInterested(interested: boolean): void {
    const state = this.#state;
    if (state.amInterested === interested || !this.#maySpeak()) return;
    state.amInterested = interested;
    state.outbox.plain(interested ? messageId.interested : messageId.notInterested);
  }

  /**
   * Announces a piece. Does nothing before `sendPieces`, which will tell.
   * @throws RangeError when the torrent has no such piece.
   */
  have(piece: number): void {
    this.#requirePiece(piece);
    if (this.#state.isGreeted && this.#maySpeak()) this.#state.outbox.index(messageId.have, piece);
  }

  /**
   * Asks for a block. False, and nothing is sent, when the peer would not serve it (it chokes us by now, or has as many
   * requests as it takes) or the connection is over: give the block back to the picker.
   * @throws RangeError when it is not a block of the torrent.
   */
  request(block: Block, now: number): boolean {
    const { piece, begin, length } = block;
    const { options, pipeline, outbox } = this.#state;
    if (!isBlock(options.geometry, piece, begin, length)) {
      throw new RangeError(`piece ${piece} has no block of ${length} bytes at ${begin}`);
    }
    if (!this.mayRequest(piece) || !this.#maySpeak()) return false;
    if (pipeline.has(piece, begin)) return true;
    if (pipeline.outstanding >= pipeline.limit) return false;
    pipeline.add(block, now);
    outbox.block(messageId.request, piece, begin, length);
    return true;
  }

  /** Takes a request back, when it is outstanding. Its data may still come, as `late`. */
  cancel(block: Block): void {
    const { piece, begin, length } = block;
    if (!this.pipeline.cancel(piece, begin) || !this.#maySpeak()) return;
    this.#state.outbox.block(messageId.cancel, piece, begin, length);
  }

  /** Tells the peer that its request will not be served (BEP 6); without the fast extension nobody is told. */
  reject(request: Block): void {
    if (this.#maySpeak()) this.#state.reject(request);
  }

  /**
   * Lets the peer fetch a piece while choked (BEP 6). False without fast, or when 32 pieces are allowed already.
   * @throws RangeError when the torrent has no such piece.
   */
  allowFast(piece: number): boolean {
    this.#requirePiece(piece);
    const { fast, allowedToPeer, outbox } = this.#state;
    if (!fast || allowedToPeer.size >= maxAllowedFast || !this.#maySpeak()) return false;
    allowedToPeer.add(piece);
    outbox.index(messageId.allowedFast, piece);
    return true;
  }

  /**
   * Suggests a piece (BEP 6); does nothing without the fast extension.
   * @throws RangeError when the torrent has no such piece.
   */
  suggest(piece: number): void {
    this.#requirePiece(piece);
    if (this.#state.fast && this.#maySpeak()) this.#state.outbox.index(messageId.suggest, piece);
  }

  /** Tells our DHT port (BEP 5), when both sides do DHT. */
  port(port: number): void {
    if (this.#state.dht && this.#maySpeak()) this.#state.outbox.port(port);
  }

  /**
   * Sends a message of an extension. False when the peer has not that extension, or the connection is over.
   * @throws RangeError when the payload is longer than 64 KiB.
   */
  sendExtended(name: string, payload: Uint8Array): boolean {
    if (payload.length > maxExtendedLength) throw new RangeError(`extended message of ${payload.length} bytes`);
    const id = this.#state.extensions.peerIdOf(name);
    if (id === undefined || !this.#maySpeak()) return false;
    this.#state.outbox.extended(id, payload);
    return true;
  }

  #requirePiece(piece: number): void {
    const { pieceCount } = this.#state.options.geometry;
    if (!(piece >= 0 && piece < pieceCount)) throw new RangeError(`piece ${piece} is not one of ${pieceCount}`);
  }

  /** False when there is nobody to speak to any more. */
  #maySpeak(): boolean {
    if (this.#state.isEnded) return false;
    if (!this.#state.isGreeted) throw new TypeError('sendPieces comes before all other messages');
    this.#hasSpoken = true;
    return true;
  }

  /** Looked at twice in each keep-alive period, so that no silence of ours is longer than one. */
  #lookAtSilence(now: number): void {
    const { hasHandshake, outbox, options } = this.#state;
    if (hasHandshake && !this.#hasSpoken) outbox.keepAlive();
    this.#hasSpoken = false;
    this.#keepAliveAt = now + options.keepAliveMs / 2;
  }
}

/** BEP 6 proposes 10 pieces; more than 32 would be no choke. */
const maxAllowedFast = 32;
