// What can happen to a torrent. Every input names facts only; what follows from them is the torrent's decision.
// Drivers (session, sim) make these; nothing here may know sockets, disks or clocks.
import type { Bitfield, Block } from '@shoal/pieces';
import type { AnnounceReply, Endpoint } from '@shoal/tracker-protocol';
import type { AllowanceChange } from './allowance.ts';

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
  /**
   * The blocks of an `upload` output could not be read: `bytes` of payload will never be sent. Suspends the torrent.
   * With `blocks`, the peer is told (BEP 6).
   */
  | {
      readonly type: 'read-failed';
      readonly peer: PeerKey;
      readonly bytes: number;
      readonly reason: string;
      readonly blocks?: readonly Block[];
    }
  /**
   * Answers `check-piece`. `stored`: hash right and written. `corrupt`: hash wrong. `failed`: the disk's fault, and the
   * driver gave the buffer up: the piece is missing again and the torrent is suspended. A driver that can keep the
   * buffer says `suspended` instead, writes again, and answers with `stored` when that worked.
   */
  | {
      readonly type: 'piece-checked';
      readonly piece: number;
      readonly outcome: 'stored' | 'corrupt' | 'failed';
      readonly reason?: string;
    }
  /** A piece that was in doubt, or lost, is on disk and right. */
  | { readonly type: 'piece-found'; readonly piece: number }
  /** A piece that was in doubt is not there, or wrong: it may be downloaded now. */
  | { readonly type: 'piece-missing'; readonly piece: number }
  /** To be checked again while running: not had until found. Pieces in the making are given up, but for those in their check. */
  | { readonly type: 'pieces-doubted'; readonly pieces: Bitfield }
  /** Known to be gone from the disk. */
  | { readonly type: 'pieces-lost'; readonly pieces: Bitfield }
  /** One priority a piece, 0 to 7: 0 is not wanted, of the others 7 is started first; 4 until told otherwise. */
  | { readonly type: 'priorities'; readonly pieces: Uint8Array }
  /** Whether pieces are started in ascending order, within one priority, instead of the rarest first. */
  | { readonly type: 'sequential'; readonly on: boolean }
  /** Somebody waits for the piece: it comes before all others, the earliest `at`, in ms of `now`, first; undefined clears. */
  | { readonly type: 'deadline'; readonly piece: number; readonly at: number | undefined }
  /** The disk is in trouble and the driver tries again: nothing is requested and nobody served until `resumed`. */
  | { readonly type: 'suspended'; readonly reason: string }
  /** The cause of `suspended` is gone. */
  | { readonly type: 'resumed' }
  /** Budgets or limits changed; what is left out stays as it is. */
  | ({ readonly type: 'allowance' } & AllowanceChange)
  /** Answers `announce`. */
  | { readonly type: 'announced'; readonly reply: AnnounceReply; readonly tracker?: string }
  | { readonly type: 'announce-failed'; readonly reason: string; readonly retryInMs?: number }
  /** End: hang up on everybody and announce `stopped`. No input matters after it but the answer to that announce. */
  | { readonly type: 'stopped' }
  /** `deadline` was reached. */
  | { readonly type: 'time-passed' };
