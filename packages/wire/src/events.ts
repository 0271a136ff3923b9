// What a connection tells the torrent about its peer. Offsets are into the chunk handed to `receive` just now.
import type { Block } from '@shoal/pieces';
import type { WireErrorCode } from './errors.ts';
import type { ExtendedHandshake } from './extensions/negotiation.ts';
import type { BlockOutcome } from './pipeline.ts';

export type WireEvent =
  /** 48 bytes are there and the info-hash is ours: `sendPieces` now. 20 and 8 bytes. */
  | { readonly type: 'handshake'; readonly infoHash: Uint8Array; readonly reserved: Uint8Array }
  /** 20 bytes. May never come; no message comes before it. */
  | { readonly type: 'peer-id'; readonly peerId: Uint8Array }
  /** Without the fast extension it drops all we asked for; with it, nothing: rejects follow. */
  | { readonly type: 'choke'; readonly dropped: readonly Block[] }
  | { readonly type: 'unchoke' | 'interested' | 'not-interested' }
  /** These three replace all that was known of the peer's pieces. `bits`: own copy, right length, spare bits zero. */
  | { readonly type: 'have-all' | 'have-none' }
  | { readonly type: 'bitfield'; readonly bits: Uint8Array }
  /** In range; may come again for the same piece. */
  | { readonly type: 'have'; readonly piece: number }
  /** In range, and either unchoked or allowed fast: `uploads.accept` it, or `reject` it. */
  | { readonly type: 'request'; readonly piece: number; readonly begin: number; readonly length: number }
  /** What waited in `uploads` is out of it already. A request of the same turn may not be in there yet. */
  | { readonly type: 'cancel'; readonly piece: number; readonly begin: number; readonly length: number }
  /** A block of ours was outstanding and will not come from this peer. */
  | { readonly type: 'reject'; readonly piece: number; readonly begin: number; readonly length: number }
  | { readonly type: 'suggest' | 'allowed-fast'; readonly piece: number }
  /** `chunk[start, end)` belongs at `begin` of the piece. */
  | {
      readonly type: 'block-data';
      readonly piece: number;
      readonly begin: number;
      readonly start: number;
      readonly end: number;
      /** The same as `outcome === 'requested'`. */
      readonly requested: boolean;
      readonly outcome: BlockOutcome;
    }
  /** All data of a block was reported. `late`: we had given it up; usable if still missing. */
  | {
      readonly type: 'block-end';
      readonly piece: number;
      readonly begin: number;
      readonly length: number;
      readonly outcome: BlockOutcome;
    }
  /** The peer's DHT port (BEP 5). */
  | { readonly type: 'port'; readonly port: number }
  | { readonly type: 'extended-handshake'; readonly handshake: ExtendedHandshake }
  /** A message of an extension that we named in the options. `payload` is a copy. */
  | { readonly type: 'extended'; readonly name: string; readonly payload: Uint8Array }
  /** The peer broke the protocol or fell silent. The last event ever: hang up. */
  | { readonly type: 'end'; readonly code: WireErrorCode; readonly message: string };
