// What can happen to a torrent. Every input names facts only; what follows from them is the torrent's decision.
// Drivers (session, sim) make these; nothing here may know sockets, disks or clocks.
import type { AnnounceReply, Endpoint } from '@shoal/tracker-protocol';

/** Names one live connection. Given by the driver, never used twice for one torrent. */
export type PeerKey = number;

/** Where an address came from; later sources never hide earlier ones. */
export type PeerSource = 'tracker' | 'user' | 'incoming';

export type TorrentInput =
  /** Begin: announce `started` and dial. Before it, inputs are accepted but nothing is announced. */
  | { readonly type: 'started' }
  | { readonly type: 'peers-found'; readonly peers: readonly Endpoint[]; readonly source: PeerSource }
  /** A socket is open. For an outgoing one, `endpoint` is the one of the `dial` output. */
  | {
      readonly type: 'peer-connected';
      readonly peer: PeerKey;
      readonly endpoint: Endpoint;
      readonly incoming: boolean;
    }
  | { readonly type: 'dial-failed'; readonly endpoint: Endpoint; readonly reason: string }
  /** `chunk[start, end)` arrived. The outputs of this turn may refer to `chunk` by offsets. */
  | {
      readonly type: 'bytes-received';
      readonly peer: PeerKey;
      readonly chunk: Uint8Array;
      readonly start: number;
      readonly end: number;
    }
  | { readonly type: 'peer-disconnected'; readonly peer: PeerKey; readonly reason: string }
  /** `bytes` of payload of an `upload` output left for the peer: there is room for as many again. */
  | { readonly type: 'uploaded'; readonly peer: PeerKey; readonly bytes: number }
  /** The blocks of an `upload` output could not be read: `bytes` of payload will never be sent. */
  | { readonly type: 'read-failed'; readonly peer: PeerKey; readonly bytes: number; readonly reason: string }
  /** Answers `check-piece`. `stored`: hash right and written. `corrupt`: hash wrong. `failed`: the disk's fault. */
  | {
      readonly type: 'piece-checked';
      readonly piece: number;
      readonly outcome: 'stored' | 'corrupt' | 'failed';
      readonly reason?: string;
    }
  /** Answers `announce`. */
  | { readonly type: 'announced'; readonly reply: AnnounceReply; readonly tracker?: string }
  | { readonly type: 'announce-failed'; readonly reason: string; readonly retryInMs?: number }
  /** End: hang up on everybody and announce `stopped`. No input matters after it but the answer to that announce. */
  | { readonly type: 'stopped' }
  /** `deadline` was reached. */
  | { readonly type: 'time-passed' };
