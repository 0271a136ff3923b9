// Datagram in, at most one datagram out, nothing remembered in between: what is answered, what is dropped in
// silence, and how large an answer may be. An answer to an unproven address is never larger than what it sent.
// BEP 15; BEP 41 options are read and ignored.
import { randomBytes } from 'node:crypto';
import type { RemoteInfo } from 'node:dgram';
import type { PeerRecords, Tracker } from '@shoal/tracker';
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
import type { UdpTraffic } from '../traffic.ts';
import { ConnectionIds } from './connection-ids.ts';

/** Answers that may wait for the kernel before further ones are dropped: at most 1.2 MB. */
const sendQueueLimit = 1024;

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
  readonly #tracker: Tracker;
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

  constructor(tracker: Tracker, socket: DatagramSender, traffic: UdpTraffic, errorsPerSecond: number) {
    this.#tracker = tracker;
    this.#socket = socket;
    this.#traffic = traffic;
    this.#errorsPerSecond = errorsPerSecond;
  }

  /** Takes one datagram at `now` (ms). */
  receive(bytes: Uint8Array, from: RemoteInfo, now: number): void {
    const length = this.#answerTo(bytes, from, now);
    if (length === 0) this.#traffic.dropped++;
    else this.#send(length, from);
  }

  /** Writes the answer and says how long it is; 0 for none. */
  #answerTo(bytes: Uint8Array, from: RemoteInfo, now: number): number {
    const request = decodeUdpRequest(bytes);
    const address = from.family === 'IPv4' && parseIpv4Into(this.#ipv4, from.address) ? this.#ipv4 : addressOf(from);
    // Nothing can be sent to port 0.
    if (request === undefined || address === undefined || from.port === 0) return 0;
    const { transactionId } = request;
    if (request.action === 'connect') {
      this.#traffic.connects++;
      return encodeUdpConnectReply(this.#answer, transactionId, this.#ids.issue(address, now));
    }
    if (!this.#ids.accepts(address, request.connectionId, now)) {
      return this.#error(bytes, transactionId, 'connection id is not valid, connect again', now);
    }
    switch (request.action) {
      case 'announce':
        return this.#announce(bytes, request, address, now);
      case 'scrape':
        return this.#scrape(bytes, request, now);
      case 'unknown':
        return this.#error(bytes, transactionId, 'unknown action', now);
    }
  }

  #announce(
    bytes: Uint8Array,
    { transactionId, request }: UdpAnnounceRequest,
    address: Uint8Array,
    now: number,
  ): number {
    // A peer that cannot be dialled; only its goodbye makes sense.
    if (request.port === 0 && request.event !== 'stopped') return 0;
    const reply = this.#tracker.announcePacked(request, address, 'own', now);
    if (isFailure(reply)) return this.#error(bytes, transactionId, reply.failureReason, now);
    this.#traffic.announces++;
    const { interval, sample } = reply;
    const head = { interval, leechers: sample.leechers, seeders: sample.seeders };
    return encodeUdpAnnounceReply(
      this.#answer,
      transactionId,
      head,
      fitting(address.length === 4 ? sample.ipv4 : sample.ipv6),
    );
  }

  #scrape(bytes: Uint8Array, { transactionId, infoHashes }: UdpScrapeRequest, now: number): number {
    if (infoHashes.length === 0) return this.#error(bytes, transactionId, 'no hash', now);
    this.#traffic.scrapes++;
    const counts = this.#tracker.scrape(infoHashes, now).map((entry) => entry ?? nobody);
    return encodeUdpScrapeReply(this.#answer, transactionId, counts);
  }

  /** An error no longer than the request, so that a spoofed source gains nothing; and only so many in a second. */
  #error(bytes: Uint8Array, transactionId: number, message: string, now: number): number {
    const second = Math.floor(now / 1000);
    if (second !== this.#errorSecond) this.#errorsInSecond = 0;
    this.#errorSecond = second;
    if (this.#errorsInSecond++ >= this.#errorsPerSecond) return 0;
    this.#traffic.errors++;
    return encodeUdpError(this.#answer.subarray(0, bytes.length), transactionId, message);
  }

  #send(length: number, to: RemoteInfo): void {
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
