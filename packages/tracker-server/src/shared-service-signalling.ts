// WebTorrent peers of several nodes over a shared store: who announces here is written down there, is given others of all
// nodes, and meets those of this node alone while the store is away. Decides no policy; docs/decisions/0014.
import { randomBytes } from 'node:crypto';
import {
  type AdmittedMember,
  type Delivery,
  type MemberName,
  type NodeId,
  type RemoteMember,
  type RemoteMemberAnswer,
  type SignalHandover,
  type SignalledMember,
  type SignalledSwarms,
  decodeMemberNames,
  decodeSignalBatch,
  encodeMemberName,
  encodeRelayedSignal,
} from '@shoal/tracker';
import {
  type HeldSdp,
  type PeerSignal,
  type ScrapeCounts,
  type SignalAnnounce,
  encodeSignalReply,
  heldCharacters,
  idBytes,
} from '@shoal/tracker-protocol';
import { SignalBatches } from './shared-service-batches.ts';
import type { StoreQuestions } from './shared-service-questions.ts';
import type { WebSocketTraffic } from './traffic.ts';

/** The WebTorrent peers of a store elsewhere. Promises reject when it cannot answer. */
export interface RemoteSignalling {
  /** Records a member, or takes it out, and draws others of all nodes for it. The bytes are copied before this returns. */
  announce(member: RemoteMember): Promise<RemoteMemberAnswer>;
  /** Hands a batch to a node. The bytes are the store's from now on. */
  hand(node: NodeId, batch: Uint8Array): Promise<SignalHandover>;
  /** Gives each batch that is handed to `node` to `take`, which does not throw, until disposed. */
  listen(node: NodeId, take: (batch: Uint8Array) => void): Disposable;
}

/** An announce that was admitted and written down in this node. */
export interface SharedAnnounce {
  readonly connection: number;
  readonly message: SignalAnnounce<HeldSdp>;
  readonly admitted: AdmittedMember;
  /** Undefined for who leaves. */
  readonly member: SignalledMember | undefined;
  /** When it will announce again, as it is told: seconds. */
  readonly interval: number;
}

/** Takes everybody in the torrent, and which offers go where. */
export type SharedAnnounceDone = (counts: ScrapeCounts, deliveries: readonly Delivery[]) => void;

/** What brings signals to connections of this node. */
export interface SignalDoor {
  /** Sends a message as it is; nothing where the connection is gone. */
  readonly send: (connection: number, text: string) => void;
  readonly traffic: WebSocketTraffic;
}

/** One announce may be late or lost, and half a minute is for the way. */
const lifetimeMs = (interval: number): number => (2 * interval + 30) * 1000;

/** Offers that wait for the store, in characters: 512 announces with five of real size, or 256 of the largest. */
const mostWaiting = 32 * 1024 * 1024;

const nobody: ScrapeCounts = { complete: 0, incomplete: 0, downloaded: 0 };

/** The WebTorrent peers of this node among those of all nodes. */
export class SharedSignalling {
  /** The name of this node, of this start. */
  readonly node: NodeId = randomBytes(8).toString('latin1');
  readonly #swarms: SignalledSwarms;
  readonly #store: RemoteSignalling;
  readonly #questions: StoreQuestions;
  readonly #clock: () => number;
  readonly #batches: SignalBatches;
  #waiting = 0;
  #door: SignalDoor | undefined;

  constructor(
    swarms: SignalledSwarms,
    store: RemoteSignalling,
    { questions, clock }: { readonly questions: StoreQuestions; readonly clock: () => number },
  ) {
    this.#swarms = swarms;
    this.#store = store;
    this.#questions = questions;
    this.#clock = clock;
    this.#batches = new SignalBatches({
      hand: (node, batch) => store.hand(node, batch),
      lost: (count) => {
        if (this.#door !== undefined) this.#door.traffic.lost += count;
      },
    });
  }

  /** Brings what other nodes send to connections here, until disposed. */
  open(door: SignalDoor): Disposable {
    this.#door = door;
    const { send, traffic } = door;
    return this.#store.listen(this.node, (batch) => {
      const now = this.#clock();
      for (const signal of decodeSignalBatch(batch)) {
        const connection = this.#swarms.receive(signal, now);
        if (connection !== undefined) {
          send(connection, signal.text);
          continue;
        }
        traffic.lost++;
        this.#forget(signal.infoHash, signal.to);
      }
    });
  }

  /** Asks who else is there and passes the offers on; calls `done` once, within the time that a question may take. */
  announce(asked: SharedAnnounce, now: number, done: SharedAnnounceDone): void {
    const { connection, message, member, interval, admitted } = asked;
    const { infoHash, seeding, leaving, want } = admitted;
    const { peerId, offers } = message;
    const alone = (): void => {
      const isHere = member !== undefined && member.place >= 0;
      const deliveries = isHere ? this.#swarms.passOn(member, message, want, this.#clock()) : [];
      done(this.#swarms.counts(infoHash) ?? nobody, deliveries);
    };
    const size = offers.reduce((sum, { sdp }) => sum + heldCharacters(sdp), 0);
    if (this.#waiting + size > mostWaiting || !this.#questions.mayAsk()) return alone();
    const allowed = member === undefined ? 0 : this.#swarms.allowance(member, Math.min(offers.length, want), now);
    const name = encodeMemberName({ node: this.node, connection, peerId });
    const told = { infoHash, name, seeding, leaving, want: allowed, lifetimeMs: lifetimeMs(interval) };
    this.#waiting += size;
    const question = async (): Promise<RemoteMemberAnswer> => {
      try {
        return await this.#store.announce(told);
      } finally {
        this.#waiting -= size;
      }
    };
    const answered = ({ seeders, leechers, completed, drawn }: RemoteMemberAnswer): void => {
      const deliveries = member === undefined ? [] : this.#passOn(member, message, decodeMemberNames(drawn));
      done({ complete: seeders, incomplete: leechers, downloaded: completed }, deliveries);
    };
    this.#questions.ask(question, answered, alone);
  }

  /** Hands a message of a connection here to a member of another node. */
  hand(connection: number, signal: PeerSignal<HeldSdp>, to: MemberName): void {
    const { action, peerId, offerId } = signal;
    const infoHash = idBytes(signal.infoHash);
    const from = { node: this.node, connection, peerId };
    const text = encodeSignalReply(signal);
    if (this.#door !== undefined) this.#door.traffic.relayed++;
    const encoded = encodeRelayedSignal({ action, infoHash, from, to, offerId, text });
    this.#batches.add(to.node, encoded, () => this.#takeOut(infoHash, to));
  }

  /** A connection is about to be closed: its torrents hear of it. Call it before `SignalledSwarms.close`. */
  close(connection: number): void {
    for (const { swarm, peerId } of this.#swarms.membersOf(connection)) {
      this.#takeOut(swarm.infoHash, { node: this.node, connection, peerId });
    }
  }

  #passOn(
    member: SignalledMember,
    { infoHash, offers }: SignalAnnounce<HeldSdp>,
    drawn: readonly MemberName[],
  ): Delivery[] {
    const now = this.#clock();
    const deliveries: Delivery[] = [];
    // It may have left while the store was asked, and others of its offers been passed on.
    const allowed = member.place < 0 ? 0 : this.#swarms.allowance(member, Math.min(offers.length, drawn.length), now);
    for (let at = 0; at < allowed; at++) {
      const [name, offer] = [drawn[at]!, offers[at]!];
      const delivery =
        name.node === this.node
          ? this.#swarms.passHere(member, name, infoHash, offer, now)
          : this.#swarms.passAway(member, name, infoHash, offer);
      if (delivery !== undefined) deliveries.push(delivery);
      else if (name.node === this.node) this.#forget(member.swarm.infoHash, name);
    }
    return deliveries;
  }

  /** Takes out who is known elsewhere as a member here and is none any more. */
  #forget(infoHash: Uint8Array, name: MemberName): void {
    if (name.node === this.node && !this.#swarms.has(infoHash, name)) this.#takeOut(infoHash, name);
  }

  /** What is not taken out, because the store is away or busy, is forgotten there by itself. */
  #takeOut(infoHash: Uint8Array, name: MemberName): void {
    // When thousands of connections are closed at once, other announces shall not be sent away for that.
    if (!this.#questions.mayAsk(0.5)) return;
    const told = { infoHash, name: encodeMemberName(name), seeding: false, leaving: true, want: 0, lifetimeMs: 0 };
    this.#questions.ask(() => this.#store.announce(told), ignore, ignore);
  }
}

function ignore(): void {}
