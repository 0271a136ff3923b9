// What both directions of a connection share: the choke and interest bits, what was agreed, and the queues.
// The receiver changes the peer's half, the verbs change ours. Must not know how bytes become messages.
import { messageId } from './messages.ts';
import type { Block } from '@shoal/pieces';
import { faultText, type WireErrorCode } from './errors.ts';
import type { WireEvent } from './events.ts';
import { encodeExtendedHandshake, ExtensionTable } from './extensions/negotiation.ts';
import { encodeHandshake } from './handshake.ts';
import type { ResolvedOptions } from './options.ts';
import { Outbox } from './outbox.ts';
import { RequestPipeline } from './pipeline.ts';
import { RequestGate } from './request-gate.ts';
import { UploadQueue } from './upload-queue.ts';

/** The shared state of one connection. Internal to the package. */
export class ConnectionState {
  readonly options: ResolvedOptions;
  readonly pipeline: RequestPipeline;
  readonly uploads: UploadQueue;
  readonly gate: RequestGate;
  readonly extensions: ExtensionTable;
  readonly outbox: Outbox = new Outbox();
  /** Answers to a peer that asks before we said what we have: that comes first (BEP 3 "bitfield", BEP 6). */
  readonly #early: Outbox = new Outbox();
  /** Pieces that the peer may fetch from us while choked, and we from it (BEP 6). Both bounded. */
  readonly allowedToPeer: Set<number> = new Set();
  readonly allowedToUs: Set<number> = new Set();
  /** 48 bytes came: the features are agreed, and our own handshake is out. */
  hasHandshake = false;
  peerId: Uint8Array | undefined;
  isEnded = false;
  /** `sendPieces` was called: other messages may follow. */
  isGreeted = false;
  amChoking = true;
  amInterested = false;
  peerChoking = true;
  peerInterested = false;
  fast = false;
  extended = false;
  dht = false;
  peerClient: string | undefined;
  peerListenPort: number | undefined;
  peerUploadOnly = false;

  /** @throws RangeError when an id is not 20 bytes. */
  constructor(options: ResolvedOptions) {
    const { geometry, requestQueueLimit: limit, requestTimeoutMs, blockTimeoutMs } = options;
    const exempt = this.allowedToPeer;
    this.options = options;
    const most = options.maxOutstandingRequests;
    this.pipeline = new RequestPipeline({ geometry, limit: most, requestTimeoutMs, blockTimeoutMs });
    this.pipeline.limitTo(defaultRequestLimit);
    this.uploads = new UploadQueue({ geometry, limit, exempt });
    this.gate = new RequestGate({ geometry, limit, exempt });
    this.extensions = new ExtensionTable(options.extensions);
    const handshake = this.#ownHandshake();
    if (options.initiator) this.outbox.raw(handshake);
  }

  /** What is agreed decides how many requests may wait: a peer without BEP 6 cannot be told that one will not be served. */
  limitRequests(): void {
    if (this.fast) return;
    const limit = Math.max(this.options.requestQueueLimit, unansweredRequestLimit);
    this.uploads.limitTo(limit);
    this.gate.limitTo(limit);
  }

  /** A responder's answer, due as soon as the info-hash is known. */
  answerHandshake(): void {
    if (!this.options.initiator) this.outbox.raw(this.#ownHandshake());
  }

  /** Our facts for the extended handshake (BEP 10). */
  sendExtendedHandshake(uploadOnly: boolean): void {
    const { clientVersion, listenPort, peerAddress, requestQueueLimit } = this.options;
    const payload = encodeExtendedHandshake({
      extensions: this.extensions.ours,
      requestLimit: requestQueueLimit,
      uploadOnly,
      ...(clientVersion === undefined ? {} : { client: clientVersion }),
      ...(listenPort === 0 ? {} : { listenPort }),
      ...(peerAddress === undefined ? {} : { yourAddress: peerAddress }),
    });
    this.outbox.extended(0, payload);
  }

  /** Answers a request that will not be served; without the fast extension there is no way to say so. */
  reject(request: Block): void {
    if (this.fast) this.#replies.block(messageId.reject, request.piece, request.begin, request.length);
  }

  /** Says `choke` again to a peer that seems to have missed it. */
  remind(): void {
    this.#replies.plain(messageId.choke);
  }

  /** What we have was said; now the answers that waited for it. */
  greeted(): void {
    this.isGreeted = true;
    const early = this.#early.take();
    if (early !== undefined) this.outbox.raw(early);
  }

  /** Ends for the peer's fault; nothing that was queued is sent any more. */
  end(code: WireErrorCode, events: WireEvent[]): void {
    this.isEnded = true;
    this.outbox.clear();
    events.push({ type: 'end', code, message: faultText[code] });
  }

  get #replies(): Outbox {
    return this.isGreeted ? this.outbox : this.#early;
  }

  #ownHandshake(): Uint8Array {
    const { infoHash, peerId, fast, extensionProtocol: extended, dht } = this.options;
    return encodeHandshake({ infoHash, peerId, fast, extended, dht });
  }
}

/**
 * rtorrent asks a fast peer for a fifth of a second's kilobytes, 80,000 blocks at 400 MB/s, and waits two minutes for what
 * was dropped. So many are queued, 2 MB of them; what is passed over beyond is asked for again after a choke.
 */
const unansweredRequestLimit = 16_384;
/** BEP 10: what libtorrent, and so most of the field, queues unless it says otherwise. */
const defaultRequestLimit = 250;
