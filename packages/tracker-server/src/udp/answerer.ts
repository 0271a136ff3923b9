// Datagram in, at most one datagram out, nothing remembered in between: what is answered, what is dropped in
// silence, and how large an answer may be. An answer to an unproven address is never larger than what it sent.
// BEP 15; BEP 41 options are read and ignored.
import type { RemoteInfo } from 'node:dgram';
import type { PackedReply, PeerRecords } from '@shoal/tracker';
import {
  type ScrapeCounts,
  type UdpAnnounceRequest,
  type UdpRequestBytes,
  type UdpScrapeRequest,
  decodeUdpRequest,
  encodeUdpAnnounceReply,
  encodeUdpConnectReply,
  encodeUdpError,
  encodeUdpScrapeReply,
  isFailure,
  parseIp,
  parseIpv4Into,
  udpLimits,
} from '@shoal/tracker-protocol';
import type { PeersWanted, SwarmService } from '../swarm-service.ts';
import type { UdpTraffic } from '../traffic.ts';
import { AnswerBuffers } from './answer-buffers.ts';
import { AddressProof, type ConnectionIdMode, type ConnectionIdOptions } from './address-proof.ts';

/** BEP 15: records of the requester's family, which carry no ids. */
const ownFamily: PeersWanted = { families: 'own', withPeerIds: false };

/** BEP 48 by way of BEP 15: zeros keep the positions. */
const nobody = { complete: 0, incomplete: 0, downloaded: 0 } as const;

/** What is used of a socket to answer. */
export interface DatagramSender {
  send(bytes: Uint8Array, port: number, address: string): void;
  /** Datagrams that were given to `send` and still wait for the kernel. */
  getSendQueueCount(): number;
}

/** Answers the datagrams of one socket. */
export class UdpAnswerer {
  readonly #service: SwarmService;
  readonly #socket: DatagramSender;
  readonly #traffic: UdpTraffic;
  readonly #errorsPerSecond: number;
  readonly #proof: AddressProof;
  readonly #buffers: AnswerBuffers;
  /** The sender's address, where it is IPv4. */
  readonly #ipv4 = new Uint8Array(4);
  /** What an announce is about. */
  readonly #bytes: UdpRequestBytes = { infoHash: new Uint8Array(20), peerId: new Uint8Array(20) };
  #errorSecond = 0;
  #errorsInSecond = 0;
  /** Questions that were not answered yet. */
  #waiting = 0;
  #isClosing = false;
  #isClosed = false;
  #hearIdle: (() => void) | undefined;

  constructor(
    service: SwarmService,
    socket: DatagramSender,
    traffic: UdpTraffic,
    errorsPerSecond: number,
    connectionIds: ConnectionIdOptions = {},
  ) {
    this.#service = service;
    this.#socket = socket;
    this.#traffic = traffic;
    this.#errorsPerSecond = errorsPerSecond;
    this.#proof = new AddressProof(connectionIds);
    this.#buffers = new AnswerBuffers(() => socket.getSendQueueCount());
  }

  /** Takes one datagram at `now` (ms). */
  receive(bytes: Uint8Array, from: RemoteInfo, now: number): void {
    if (this.#isClosing) {
      this.#traffic.dropped++;
      return;
    }
    const request = decodeUdpRequest(bytes, this.#bytes);
    const address = from.family === 'IPv4' && parseIpv4Into(this.#ipv4, from.address) ? this.#ipv4 : addressOf(from);
    // Nothing can be sent to port 0.
    if (request === undefined || address === undefined || from.port === 0) {
      this.#traffic.dropped++;
      return;
    }
    const { transactionId } = request;
    if (request.action === 'connect') {
      this.#traffic.connects++;
      this.#send(encodeUdpConnectReply(this.#buffers.room, transactionId, this.#proof.issue(address, now)), from);
      return;
    }
    const most = this.#proof.answerLimit(address, request.connectionId, bytes.length, now);
    const question = { transactionId, from, now, size: bytes.length, most };
    if (most === 0) this.#refuse('connection id is not valid, connect again', question);
    else if (request.action === 'announce') this.#announce(request, address, question);
    else if (request.action === 'scrape') this.#scrape(request, question);
    else this.#refuse('unknown action', question);
  }

  /** Takes these connection ids from now on. */
  takeIds(mode: ConnectionIdMode): void {
    this.#proof.mode = mode;
  }

  /**
   * Takes nothing more; resolves when all that was asked is answered, or after `limitMs`. What a service says later
   * than that finds no socket.
   */
  async finish(limitMs: number): Promise<void> {
    this.#isClosing = true;
    if (this.#waiting > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#hearIdle = resolve;
      const timer = setTimeout(resolve, limitMs);
      await promise;
      clearTimeout(timer);
    }
    this.#isClosed = true;
  }

  #answered(): void {
    if (--this.#waiting === 0) this.#hearIdle?.();
  }

  #announce({ request }: UdpAnnounceRequest, address: Uint8Array, question: Question): void {
    // A peer that cannot be dialled; only its goodbye makes sense.
    if (request.port === 0 && request.event !== 'stopped') {
      this.#traffic.dropped++;
      return;
    }
    const isIpv4 = address.length === 4;
    this.#waiting++;
    this.#service.announce(request, address, ownFamily, question.now, (reply) => {
      if (isFailure(reply)) this.#refuse(reply.failureReason, question);
      else this.#list(reply, isIpv4, question);
      this.#answered();
    });
  }

  #list({ interval, sample }: PackedReply, isIpv4: boolean, { transactionId, from, most }: Question): void {
    this.#traffic.announces++;
    const head = { interval, leechers: sample.leechers, seeders: sample.seeders };
    const records = fitting(isIpv4 ? sample.ipv4 : sample.ipv6, most);
    this.#send(encodeUdpAnnounceReply(this.#buffers.room, transactionId, head, records), from);
  }

  #scrape({ infoHashes }: UdpScrapeRequest, question: Question): void {
    if (infoHashes.length === 0) {
      this.#refuse('no hash', question);
      return;
    }
    this.#waiting++;
    this.#service.scrape(infoHashes, question.now, (found) => {
      if (isFailure(found)) this.#refuse(found.failureReason, question);
      else this.#tally(found, question);
      this.#answered();
    });
  }

  #tally(found: readonly (ScrapeCounts | undefined)[], { transactionId, from }: Question): void {
    this.#traffic.scrapes++;
    const counts = found.map((entry) => entry ?? nobody);
    this.#send(encodeUdpScrapeReply(this.#buffers.room, transactionId, counts), from);
  }

  /** An error no longer than the request, so that a spoofed source gains nothing; and only so many in a second. */
  #refuse(message: string, { transactionId, from, now, size }: Question): void {
    const second = Math.floor(now / 1000);
    // What is answered late counts with what is answered now.
    if (second > this.#errorSecond) {
      this.#errorSecond = second;
      this.#errorsInSecond = 0;
    }
    if (this.#errorsInSecond++ >= this.#errorsPerSecond) {
      this.#traffic.dropped++;
      return;
    }
    this.#traffic.errors++;
    this.#send(encodeUdpError(this.#buffers.room.subarray(0, size), transactionId, message), from);
  }

  /** Sends the first `length` bytes of the room. */
  #send(length: number, to: RemoteInfo): void {
    if (this.#isClosed) return;
    const bytes = this.#buffers.take(length);
    // Without a callback nobody hears of failures: there is nothing to do about a datagram that cannot leave.
    if (bytes === undefined) this.#traffic.dropped++;
    else this.#socket.send(bytes, to.port, to.address);
  }
}

/** What an answer needs of its question, whenever it comes. */
interface Question {
  readonly transactionId: number;
  readonly from: RemoteInfo;
  readonly now: number;
  /** Bytes of the datagram. */
  readonly size: number;
  /** Most bytes of an answer. */
  readonly most: number;
}

/** The sender's address in canonical bytes: 4 for an IPv4-mapped one, without the zone of a link-local one. */
function addressOf({ address }: RemoteInfo): Uint8Array | undefined {
  const zone = address.indexOf('%');
  return parseIp(zone < 0 ? address : address.slice(0, zone));
}

/** As many records as fit into an answer of `most` bytes; they are in random order, so cutting is fair. */
function fitting({ count, stride, records }: PeerRecords, most: number): Uint8Array {
  const room = Math.floor((most - udpLimits.announceReplyBytes) / stride);
  return records.subarray(0, Math.min(count, room) * stride);
}
