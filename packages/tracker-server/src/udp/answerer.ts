// Datagram in, at most one datagram out, nothing remembered in between: what is answered, what is dropped in
// silence, and how large an answer may be. An answer to an unproven address is never larger than what it sent.
// BEP 15; BEP 41 options are read and ignored.
import { randomBytes } from 'node:crypto';
import type { RemoteInfo } from 'node:dgram';
import type { PackedReply, PeerRecords } from '@shoal/tracker';
import {
  type UdpAnnounceRequest,
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
import { ConnectionIds } from './connection-ids.ts';

/** Answers that may wait for the kernel before further ones are dropped: at most 1.2 MB. */
const sendQueueLimit = 1024;

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
  readonly #ids = new ConnectionIds(randomBytes(8));
  #answer = new Uint8Array(udpLimits.replyBytes);
  /** Beginnings of `#answer` by their length: a view made for every datagram costs more than writing it. */
  #views: (Uint8Array | undefined)[] = [];
  /** The sender's address, where it is IPv4. */
  readonly #ipv4 = new Uint8Array(4);
  #errorSecond = 0;
  #errorsInSecond = 0;
  #closed = false;

  constructor(service: SwarmService, socket: DatagramSender, traffic: UdpTraffic, errorsPerSecond: number) {
    this.#service = service;
    this.#socket = socket;
    this.#traffic = traffic;
    this.#errorsPerSecond = errorsPerSecond;
  }

  /** Takes one datagram at `now` (ms). */
  receive(bytes: Uint8Array, from: RemoteInfo, now: number): void {
    const request = decodeUdpRequest(bytes);
    const address = from.family === 'IPv4' && parseIpv4Into(this.#ipv4, from.address) ? this.#ipv4 : addressOf(from);
    // Nothing can be sent to port 0.
    if (request === undefined || address === undefined || from.port === 0) {
      this.#traffic.dropped++;
      return;
    }
    const { transactionId } = request;
    if (request.action === 'connect') {
      this.#traffic.connects++;
      this.#send(encodeUdpConnectReply(this.#answer, transactionId, this.#ids.issue(address, now)), from);
    } else if (!this.#ids.accepts(address, request.connectionId, now)) {
      this.#refuse('connection id is not valid, connect again', transactionId, bytes.length, from, now);
    } else if (request.action === 'announce') this.#announce(request, bytes.length, address, from, now);
    else if (request.action === 'scrape') this.#scrape(request, bytes.length, from, now);
    else this.#refuse('unknown action', transactionId, bytes.length, from, now);
  }

  /** Answers nothing from now on: what a service says later finds no socket. */
  close(): void {
    this.#closed = true;
  }

  #announce(
    { transactionId, request }: UdpAnnounceRequest,
    size: number,
    address: Uint8Array,
    from: RemoteInfo,
    now: number,
  ): void {
    // A peer that cannot be dialled; only its goodbye makes sense.
    if (request.port === 0 && request.event !== 'stopped') {
      this.#traffic.dropped++;
      return;
    }
    const isIpv4 = address.length === 4;
    this.#service.announce(request, address, ownFamily, now, (reply) => {
      if (isFailure(reply)) this.#refuse(reply.failureReason, transactionId, size, from, now);
      else this.#list(reply, transactionId, isIpv4, from);
    });
  }

  #list({ interval, sample }: PackedReply, transactionId: number, isIpv4: boolean, to: RemoteInfo): void {
    this.#traffic.announces++;
    const head = { interval, leechers: sample.leechers, seeders: sample.seeders };
    const records = fitting(isIpv4 ? sample.ipv4 : sample.ipv6);
    this.#send(encodeUdpAnnounceReply(this.#answer, transactionId, head, records), to);
  }

  #scrape({ transactionId, infoHashes }: UdpScrapeRequest, size: number, from: RemoteInfo, now: number): void {
    if (infoHashes.length === 0) {
      this.#refuse('no hash', transactionId, size, from, now);
      return;
    }
    this.#service.scrape(infoHashes, now, (found) => {
      if (isFailure(found)) {
        this.#refuse(found.failureReason, transactionId, size, from, now);
        return;
      }
      this.#traffic.scrapes++;
      const counts = found.map((entry) => entry ?? nobody);
      this.#send(encodeUdpScrapeReply(this.#answer, transactionId, counts), from);
    });
  }

  /** An error no longer than the request of `size` bytes, so that a spoofed source gains nothing; and only so many in a second. */
  #refuse(message: string, transactionId: number, size: number, to: RemoteInfo, now: number): void {
    const second = Math.floor(now / 1000);
    if (second !== this.#errorSecond) this.#errorsInSecond = 0;
    this.#errorSecond = second;
    if (this.#errorsInSecond++ >= this.#errorsPerSecond) {
      this.#traffic.dropped++;
      return;
    }
    this.#traffic.errors++;
    this.#send(encodeUdpError(this.#answer.subarray(0, size), transactionId, message), to);
  }

  #send(length: number, to: RemoteInfo): void {
    if (this.#closed) return;
    if (this.#socket.getSendQueueCount() >= sendQueueLimit) {
      this.#traffic.dropped++;
      return;
    }
    // Without a callback nobody hears of failures: there is nothing to do about a datagram that cannot leave.
    this.#socket.send((this.#views[length] ??= this.#answer.subarray(0, length)), to.port, to.address);
    // Sent at once, the buffer is free again. A queued answer keeps it until the kernel has room.
    if (this.#socket.getSendQueueCount() === 0) return;
    this.#answer = new Uint8Array(udpLimits.replyBytes);
    this.#views = [];
  }
}

/** The sender's address in canonical bytes: 4 for an IPv4-mapped one, without the zone of a link-local one. */
function addressOf({ address }: RemoteInfo): Uint8Array | undefined {
  const zone = address.indexOf('%');
  return parseIp(zone < 0 ? address : address.slice(0, zone));
}

/** As many records as an answer holds that is never fragmented; they are in random order, so cutting is fair. */
function fitting({ count, stride, records }: PeerRecords): Uint8Array {
  const room = Math.floor((udpLimits.replyBytes - udpLimits.announceReplyBytes) / stride);
  return records.subarray(0, Math.min(count, room) * stride);
}
