// The peer's half of a connection: its bytes become events, and change its half of the state (BEP 3, 5, 6, 10).
// Decides all that the protocol alone can decide: order, ranges, fast rules, limits. Never throws for what a peer sent.
// Every decision is made at a fixed byte of the stream, so that its cutting into chunks changes nothing.
import { BlockReader } from './block-reader.ts';
import { WireError, type WireErrorCode } from './errors.ts';
import type { WireEvent } from './events.ts';
import { decodeExtendedHandshake, type ExtendedHandshake } from './extensions/negotiation.ts';
import { Framer } from './framer.ts';
import { featuresOf, HandshakeReader } from './handshake.ts';
import { readUint32 } from './integers.ts';
import { isFastMessage, messageId } from './messages.ts';
import type { ConnectionState } from './state.ts';

/** Reads one peer's stream. Internal to the package. */
export class Receiver {
  readonly #state: ConnectionState;
  readonly #framer: Framer;
  readonly #blocks: BlockReader;
  #handshake: HandshakeReader | undefined = new HandshakeReader();
  #mostRequests = Infinity;
  /** Requests passed on in this turn: the torrent can accept them only when the turn is over. */
  #passed = 0;

  constructor(state: ConnectionState) {
    this.#state = state;
    this.#framer = new Framer(state.options.geometry.pieceCount);
    this.#blocks = new BlockReader(state.options.geometry, state.pipeline);
  }

  /** Appends what `chunk[start, end)` says to `events`. */
  receive(chunk: Uint8Array, start: number, end: number, now: number, events: WireEvent[]): void {
    this.#passed = 0;
    const position =
      this.#handshake === undefined ? start : this.#readHandshake(this.#handshake, chunk, start, end, events);
    if (this.#handshake !== undefined) return;
    const framer = this.#framer;
    let frame = framer.next(chunk, position, end);
    while (frame !== undefined) {
      if (frame === 'block-data') this.#blocks.data(framer, now, events);
      else {
        const fault = this.#handle(frame, now, events);
        if (fault !== undefined) {
          this.#state.end(fault, events);
          break;
        }
      }
      frame = framer.next(chunk, framer.position, end);
    }
    framer.release();
  }

  /** Where the messages begin in the chunk. */
  #readHandshake(reader: HandshakeReader, chunk: Uint8Array, start: number, end: number, events: WireEvent[]): number {
    let position = start;
    for (;;) {
      const found = reader.next(chunk, position, end);
      position = reader.position;
      if (found === undefined) return position;
      const fault = this.#handleHandshake(found, reader, events);
      if (fault !== undefined) {
        this.#state.end(fault, events);
        return end;
      }
      if (found === 'peer-id') {
        this.#handshake = undefined;
        return position;
      }
    }
  }

  #handleHandshake(
    found: 'handshake' | 'peer-id' | 'fault',
    reader: HandshakeReader,
    events: WireEvent[],
  ): WireErrorCode | undefined {
    const state = this.#state;
    if (found === 'fault') return 'not-bittorrent';
    if (found === 'handshake') {
      const { infoHash, reserved } = reader;
      if (!isEqual(infoHash, state.options.infoHash)) return 'wrong-info-hash';
      const offered = featuresOf(reserved);
      state.hasHandshake = true;
      state.fast = offered.fast && state.options.fast;
      state.limitRequests();
      state.extended = offered.extended && state.options.extensionProtocol;
      state.dht = offered.dht && state.options.dht;
      state.answerHandshake();
      events.push({ type: 'handshake', infoHash, reserved });
      return undefined;
    }
    const { peerId } = reader;
    const { expectedPeerId } = state.options;
    if (isEqual(peerId, state.options.peerId)) return 'self-connection';
    if (expectedPeerId !== undefined && !isEqual(peerId, expectedPeerId)) return 'wrong-peer-id';
    state.peerId = peerId;
    if (isBitComet(peerId)) {
      this.#mostRequests = bitCometRequests;
      state.pipeline.limitTo(bitCometRequests);
    }
    events.push({ type: 'peer-id', peerId });
    return undefined;
  }

  /** Everything but the data of blocks. Says why the connection has to end, or undefined. */
  #handle(frame: 'message' | 'block-start' | 'fault', now: number, events: WireEvent[]): WireErrorCode | undefined {
    if (frame === 'fault') return this.#framer.fault;
    if (frame === 'block-start') return this.#blocks.start(this.#framer, now, events);
    const { id } = this.#framer;
    if (isFastMessage(id)) return this.#state.fast ? this.#handleFast(id, events) : 'fast-not-negotiated';
    return this.#handleMessage(id, now, events);
  }

  #handleMessage(id: number, now: number, events: WireEvent[]): WireErrorCode | undefined {
    const state = this.#state;
    switch (id) {
      case messageId.choke:
        return this.#handleChoke(events);
      case messageId.unchoke:
        if (state.peerChoking) {
          state.peerChoking = false;
          state.pipeline.restart();
          events.push({ type: 'unchoke' });
        }
        return undefined;
      case messageId.interested:
        return this.#handleInterest(true, events);
      case messageId.notInterested:
        return this.#handleInterest(false, events);
      case messageId.have:
        return this.#handleHave(events);
      case messageId.bitfield:
        events.push({ type: 'bitfield', bits: this.#bitfield() });
        return undefined;
      case messageId.request:
        return this.#handleRequest(now, events);
      case messageId.cancel:
        return this.#handleCancel(events);
      case messageId.port:
        events.push({ type: 'port', port: (this.#byte(0) << 8) | this.#byte(1) });
        return undefined;
      default:
        return this.#handleExtended(events);
    }
  }

  #handleFast(id: number, events: WireEvent[]): WireErrorCode | undefined {
    switch (id) {
      case messageId.haveAll:
        events.push({ type: 'have-all' });
        return undefined;
      case messageId.haveNone:
        events.push({ type: 'have-none' });
        return undefined;
      case messageId.reject:
        return this.#handleReject(events);
      default:
        return this.#handleAdvice(id === messageId.suggest ? 'suggest' : 'allowed-fast', events);
    }
  }

  #handleChoke(events: WireEvent[]): undefined {
    const state = this.#state;
    if (state.peerChoking) return;
    state.peerChoking = true;
    // With fast every request still gets its answer, so a choke drops nothing (BEP 6).
    events.push({ type: 'choke', dropped: state.fast ? [] : state.pipeline.clear() });
  }

  #handleInterest(interested: boolean, events: WireEvent[]): undefined {
    if (this.#state.peerInterested === interested) return;
    this.#state.peerInterested = interested;
    events.push({ type: interested ? 'interested' : 'not-interested' });
  }

  #handleHave(events: WireEvent[]): WireErrorCode | undefined {
    const piece = this.#integer(0);
    if (piece >= this.#state.options.geometry.pieceCount) return 'piece-out-of-range';
    events.push({ type: 'have', piece });
    return undefined;
  }

  #handleRequest(now: number, events: WireEvent[]): WireErrorCode | undefined {
    const state = this.#state;
    // Who asks is interested, whether it said so or not (libtorrent).
    this.#handleInterest(true, events);
    const request = {
      type: 'request',
      piece: this.#integer(0),
      begin: this.#integer(4),
      length: this.#integer(8),
    } as const;
    const verdict = state.gate.judge(request, state.amChoking, state.uploads.length + this.#passed, now);
    switch (verdict) {
      case 'pass':
        this.#passed += 1;
        events.push(request);
        return undefined;
      case 'remind':
        state.remind();
        state.reject(request);
        return undefined;
      case 'full':
        if (!state.fast) state.uploads.hasPassedOver = true;
        state.reject(request);
        return undefined;
      case 'refuse':
        state.reject(request);
        return undefined;
      default:
        return verdict;
    }
  }

  #handleCancel(events: WireEvent[]): undefined {
    const cancel = {
      type: 'cancel',
      piece: this.#integer(0),
      begin: this.#integer(4),
      length: this.#integer(8),
    } as const;
    // A block on its way is the other permitted answer (BEP 6), so what does not wait here needs none.
    if (this.#state.uploads.cancel(cancel)) this.#state.reject(cancel);
    events.push(cancel);
  }

  #handleReject(events: WireEvent[]): undefined {
    const state = this.#state;
    const piece = this.#integer(0);
    const block = state.pipeline.reject(piece, this.#integer(4), this.#integer(8));
    if (state.peerChoking) state.allowedToUs.delete(piece);
    if (block !== undefined) events.push({ type: 'reject', piece, begin: block.begin, length: block.length });
  }

  #handleAdvice(type: 'suggest' | 'allowed-fast', events: WireEvent[]): undefined {
    const state = this.#state;
    const piece = this.#integer(0);
    // Advice about a piece that is not there is no harm (libtorrent ignores it).
    if (piece >= state.options.geometry.pieceCount) return;
    if (type === 'allowed-fast') {
      if (state.allowedToUs.size >= maxAllowedFast) return;
      state.allowedToUs.add(piece);
    }
    events.push({ type, piece });
  }

  #handleExtended(events: WireEvent[]): undefined {
    if (!this.#state.extended) return;
    const { body, bodyStart, bodyEnd } = this.#framer;
    const id = this.#byte(0);
    const payload = body.slice(bodyStart + 1, bodyEnd);
    if (id === 0) {
      const handshake = readExtendedHandshake(payload);
      if (handshake === undefined) return;
      this.#believe(handshake);
      events.push({ type: 'extended-handshake', handshake });
      return;
    }
    const name = this.#state.extensions.nameOf(id);
    if (name !== undefined) events.push({ type: 'extended', name, payload });
  }

  /** A handshake may come again; what it does not name stays as it was (BEP 10). */
  #believe(handshake: ExtendedHandshake): void {
    const state = this.#state;
    state.extensions.merge(handshake.extensions);
    state.peerClient = handshake.client ?? state.peerClient;
    state.peerListenPort = handshake.listenPort ?? state.peerListenPort;
    state.peerUploadOnly = handshake.uploadOnly ?? state.peerUploadOnly;
    if (handshake.requestLimit !== undefined) {
      state.pipeline.limitTo(Math.min(this.#mostRequests, handshake.requestLimit));
    }
  }

  /** Own copy with the spare bits cleared, as most clients do; the framer let only the right length through. */
  #bitfield(): Uint8Array {
    const { body, bodyStart, bodyEnd } = this.#framer;
    const bits = body.slice(bodyStart, bodyEnd);
    const used = this.#state.options.geometry.pieceCount & 7;
    if (used !== 0) bits[bits.length - 1]! &= 0xff00 >> used;
    return bits;
  }

  #byte(at: number): number {
    return this.#framer.body[this.#framer.bodyStart + at]!;
  }

  #integer(at: number): number {
    return readUint32(this.#framer.body, this.#framer.bodyStart + at);
  }
}

/** Undefined for nonsense: BEP 10 handshakes are advice, a peer without one is still a peer. */
function readExtendedHandshake(payload: Uint8Array): ExtendedHandshake | undefined {
  try {
    return decodeExtendedHandshake(payload);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

/** Azureus-style ids of BitComet begin with "-BC". */
function isBitComet(peerId: Uint8Array): boolean {
  return peerId[0] === 0x2d && peerId[1] === 0x42 && peerId[2] === 0x43;
}

/** BitComet drops requests above 50 without saying so (libtorrent). */
const bitCometRequests = 50;
/** BEP 6 proposes 10; a peer that offers more than 100 pieces is not choking in earnest. */
const maxAllowedFast = 100;
