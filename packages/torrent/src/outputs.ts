// What a torrent wants done. A driver performs every output in order, before it hands in the next input.
import type { Block } from '@shoal/pieces';
import type { AnnounceEvent, Endpoint } from '@shoal/tracker-protocol';
import type { PeerKey } from './inputs.ts';

export type TorrentOutput =
  /** Open a connection; answer `peer-connected` or `dial-failed`. */
  | { readonly type: 'dial'; readonly endpoint: Endpoint }
  /** Write these bytes, in order with all other bytes to this peer. The bytes are the driver's. */
  | { readonly type: 'send'; readonly peer: PeerKey; readonly bytes: Uint8Array }
  /** Close the connection. No `peer-disconnected` is expected; one that comes is ignored. */
  | { readonly type: 'hang-up'; readonly peer: PeerKey; readonly reason: string }
  /**
   * Copy `chunk[start, end)` of the input just handled into the buffer of `piece` at `begin`.
   * Offsets are valid only during this turn. The first one for a piece asks for a buffer of its length.
   */
  | {
      readonly type: 'store';
      readonly piece: number;
      readonly begin: number;
      readonly start: number;
      readonly end: number;
    }
  /** The piece was given up half-way: its buffer is free. */
  | { readonly type: 'discard'; readonly piece: number }
  /** All blocks of the piece are in its buffer: check its hash, write it when right, answer `piece-checked`. */
  | { readonly type: 'check-piece'; readonly piece: number }
  /** Read this contiguous run of blocks of one piece and send each as a `piece` message; answer `uploaded` or `read-failed`. */
  | { readonly type: 'upload'; readonly peer: PeerKey; readonly blocks: readonly Block[] }
  /** Tell the tracker; answer `announced` or `announce-failed`. At most one is under way, except for `stopped`. */
  | { readonly type: 'announce'; readonly facts: AnnounceFacts }
  /** Something a person or a log may want to know. Asks for nothing. */
  | { readonly type: 'report'; readonly report: TorrentReport };

/** What an announce says of this torrent; the driver adds hash, id, port and key. */
export interface AnnounceFacts {
  readonly event: AnnounceEvent;
  /** Payload bytes sent and received since `started`; received without what was corrupt or redundant (BEP 3). */
  readonly uploaded: number;
  readonly downloaded: number;
  /** Bytes still missing. */
  readonly left: number;
  /** Peers wanted; 0 when there are enough or on `stopped`. */
  readonly numWant: number;
}

export type TorrentReport =
  | { readonly type: 'peer-joined'; readonly peer: PeerKey; readonly endpoint: Endpoint; readonly peerId: string }
  | { readonly type: 'peer-left'; readonly peer: PeerKey; readonly endpoint: Endpoint; readonly reason: string }
  /** A dial that led to nothing, or a connection that ended before its handshake. */
  | { readonly type: 'connection-failed'; readonly endpoint: Endpoint; readonly reason: string }
  | { readonly type: 'peer-banned'; readonly endpoint: Endpoint; readonly reason: string }
  | { readonly type: 'piece-verified'; readonly piece: number }
  | { readonly type: 'piece-corrupt'; readonly piece: number; readonly contributors: readonly PeerKey[] }
  | { readonly type: 'choked'; readonly peer: PeerKey }
  | { readonly type: 'unchoked'; readonly peer: PeerKey; readonly optimistic: boolean }
  | { readonly type: 'announced'; readonly event: AnnounceEvent; readonly peers: number; readonly tracker?: string }
  | { readonly type: 'announce-warning'; readonly warning: string }
  | { readonly type: 'announce-failed'; readonly reason: string; readonly retryInMs: number }
  /** Every wanted piece is here; said on the way from incomplete to complete only. */
  | { readonly type: 'completed' }
  /** The disk is in trouble: nothing is asked or given for now. What was verified stays. */
  | { readonly type: 'suspended'; readonly reason: string }
  | { readonly type: 'resumed' };
