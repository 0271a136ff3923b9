// The bytes of a response to a plain request: head and body in one piece, so that they leave in one write. RFC 9112.
import { type PackedReply, downloadersIn } from '@shoal/tracker';
import { type CompactReply, compactReplyHeadLimit, writeCompactReply } from '@shoal/tracker-protocol';

/** Makes the responses of a server whose idle connections live for `keepAliveMs`. */
export class PlainAnswers {
  readonly #kept: Draft;
  readonly #closed: Draft;

  constructor(keepAliveMs: number) {
    const seconds = Math.floor(keepAliveMs / 1000);
    const promise = seconds > 0 ? `Keep-Alive: timeout=${seconds}\r\n` : '';
    this.#kept = new Draft(headOf('200 OK', `Connection: keep-alive\r\n${promise}`));
    this.#closed = new Draft(headOf('200 OK', 'Connection: close\r\n'));
  }

  /**
   * Counts and packed peers, from the address that is told its client. Valid until the next response is asked for, unless
   * `release` was called; undefined where it is too long to be written this way.
   */
  compact(reply: PackedReply, address: Uint8Array, keepsAlive: boolean): Uint8Array | undefined {
    return (keepsAlive ? this.#kept : this.#closed).write(reply, address);
  }

  /** Leaves what `compact` gave last to who reads it. */
  release(): void {
    this.#kept.release();
    this.#closed.release();
  }

  /** A success; the body may have been compressed. */
  success(body: Uint8Array, keepsAlive: boolean, isCompressed: boolean): Uint8Array {
    const { head } = keepsAlive ? this.#kept : this.#closed;
    return joined(head, body, isCompressed ? 'Content-Encoding: gzip\r\n' : '');
  }

  /** A failure of our own. */
  failure(body: Uint8Array, keepsAlive: boolean): Uint8Array {
    return joined(headOf('500 Internal Server Error', keepsAlive ? '' : 'Connection: close\r\n'), body, '');
  }
}

/** Bytes of a draft: 200 peers of IPv4 have 1,200. What is longer is rare. */
const draftBytes = 2048;

/** Digits of the length of a body for which there is room: of bodies of 100 to 999 bytes, which most are. */
const lengthDigits = 3;
const headEnd = Buffer.from('\r\n\r\n');

/** A response that is written over the one before it, which most have left by then: its head is there already. */
class Draft {
  readonly head: Uint8Array;
  readonly #bodyAt: number;
  #bytes: Buffer;

  /** `head` ends where the length of the body is said, as its last header. */
  constructor(head: Uint8Array) {
    this.head = head;
    this.#bodyAt = head.length + lengthDigits + headEnd.length;
    this.#bytes = this.#fresh();
  }

  write(reply: PackedReply, address: Uint8Array): Buffer | undefined {
    const { ipv4, ipv6 } = reply.sample;
    const lists = ipv4.count * ipv4.stride + ipv6.count * ipv6.stride;
    if (this.#bodyAt + compactReplyHeadLimit + lists > draftBytes) return undefined;
    const bytes = this.#bytes;
    const end = writeCompactReply(bytes, this.#bodyAt, fieldsOf(reply), address, ipv4, ipv6);
    const length = end - this.#bodyAt;
    if (length < 100 || length > 999) return Buffer.from(joined(this.head, bytes.subarray(this.#bodyAt, end), ''));
    const at = this.head.length;
    bytes[at] = 0x30 + ((length / 100) | 0);
    bytes[at + 1] = 0x30 + (((length / 10) | 0) % 10);
    bytes[at + 2] = 0x30 + (length % 10);
    return bytes.subarray(0, end);
  }

  release(): void {
    this.#bytes = this.#fresh();
  }

  #fresh(): Buffer {
    const bytes = Buffer.allocUnsafeSlow(draftBytes);
    bytes.set(this.head);
    bytes.set(headEnd, this.head.length + lengthDigits);
    return bytes;
  }
}

function fieldsOf({ sample, interval, minInterval, trackerId, last, numPeers }: PackedReply): CompactReply {
  return {
    interval,
    minInterval,
    complete: sample.seeders,
    incomplete: sample.leechers,
    downloaded: sample.completed,
    downloaders: downloadersIn(sample),
    last,
    numPeers,
    trackerId,
  };
}

function headOf(status: string, connection: string): Uint8Array {
  return bytesOf(`HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nPragma: no-cache\r\n${connection}Content-Length: `);
}

function joined(head: Uint8Array, body: Uint8Array, headers: string): Uint8Array {
  const rest = `${body.length}\r\n${headers}\r\n`;
  const bytes = Buffer.allocUnsafe(head.length + rest.length + body.length);
  bytes.set(head, 0);
  // A few characters: a loop costs less than a call into the runtime.
  for (let at = 0; at < rest.length; at++) bytes[head.length + at] = rest.charCodeAt(at);
  bytes.set(body, head.length + rest.length);
  return bytes;
}

function bytesOf(latin1: string): Uint8Array {
  return Uint8Array.from(latin1, (character) => character.charCodeAt(0));
}
