// One live connection as the torrent sees it: the protocol machine, who it is, and what went over it.
import { RateMeter } from '@shoal/choker';
import type { Endpoint } from '@shoal/tracker-protocol';
import type { PeerConnection } from '@shoal/wire';
import type { PeerKey } from './inputs.ts';

export class LivePeer {
  readonly key: PeerKey;
  /** The address of the socket. */
  readonly endpoint: Endpoint;
  /** Where it can be dialled: the same for an outgoing connection, its announced port for an incoming one. */
  listenEndpoint: Endpoint | undefined;
  readonly incoming: boolean;
  readonly connection: PeerConnection;
  /** Hex; empty until the peer told it. */
  peerId = '';
  /** Our bitfield went out: from now on it must hear every `have`. */
  greeted = false;
  /** It told its id: the picker and the choker know it. */
  joined = false;
  /** In the list of peers whose bytes go out at the end of this turn. */
  dirty = false;
  /** The block that it is sending, and whether every byte of the block so far lies in the piece's buffer. */
  arrivingPiece = -1;
  arrivingBlock = -1;
  arrivingIntact = false;
  /** It is in the middle of that block, and noted so. */
  isInside = false;
  /** Requests of ours that are counted with those of all peers. */
  countedRequests = 0;
  /** When it was asked for a block while it owed none; undefined once it has answered. */
  askedIdleAt: number | undefined = undefined;
  /** The shortest time, in ms, in which it answered such a request. */
  answersInMs: number = Infinity;
  /** At which count of changes there was nothing to ask it for; -1 when that is not known. */
  idleSince: number = -1;
  /** When payload last went either way, or it connected. */
  usefulAt: number;
  /** When we last unchoked it. */
  unchokedAt = 0;
  /** Requests of ours it refused while it had unchoked us, since its last block. */
  rejects = 0;
  downloadedBytes = 0;
  uploadedBytes = 0;
  /** Payload handed to the driver and not yet gone. */
  uploadInFlight = 0;
  readonly uploadMeter: RateMeter = new RateMeter();

  constructor(key: PeerKey, endpoint: Endpoint, incoming: boolean, connection: PeerConnection, now: number) {
    this.key = key;
    this.endpoint = endpoint;
    this.incoming = incoming;
    this.connection = connection;
    this.usefulAt = now;
    this.listenEndpoint = incoming ? undefined : endpoint;
  }
}
