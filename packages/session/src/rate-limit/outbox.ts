// Bytes of one socket on their way out: writes what its rate limit grants and keeps the rest in order. What waits here
// is bounded by who sends, a torrent's upload watermark, and by `maxWaitingBytes`. Must not know what the bytes are.
import type { Socket } from 'node:net';
import type { PacedFlow, Pacer } from './pacer.ts';
import type { RateLimit } from './limiter.ts';

/** What a waiting message costs beside its bytes, so that many small ones are bounded too: 289 measured for 17 bytes. */
const messageBytes = 300;

interface Waiting {
  readonly bytes: Uint8Array;
  readonly sent: ((ok: boolean) => void) | undefined;
}

export class Outbox {
  readonly #socket: Pick<Socket, 'write' | 'cork' | 'uncork'>;
  readonly #emptied: () => void;
  #flow: PacedFlow | undefined;
  #waiting: Waiting[] = [];
  /** How much of the first is written. */
  #at = 0;
  #waitingBytes = 0;
  #sentBytes = 0;

  /** `emptied` is called when the last byte that waited is written. */
  constructor(socket: Pick<Socket, 'write' | 'cork' | 'uncork'>, emptied: () => void) {
    this.#socket = socket;
    this.#emptied = emptied;
  }

  /** Bytes written to the socket. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Bytes that wait for the rate limit, with what keeping them costs. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** What is sent and what waits obeys `limit` from now on. */
  limit(pacer: Pacer, limit: RateLimit): void {
    this.#flow?.cancel();
    this.#flow = pacer.sending(limit, (bytes) => this.#release(bytes));
    let unsent = -this.#at;
    for (const { bytes } of this.#waiting) unsent += bytes.length;
    this.#flow.queue(unsent);
  }

  /** `bytes` may be reused once `sent` is called. */
  send(bytes: Uint8Array, sent?: (ok: boolean) => void): void {
    if (this.#waiting.length === 0 && (this.#flow === undefined || !this.#flow.isLimited))
      return this.#write(bytes, sent);
    this.#waiting.push({ bytes, sent });
    this.#waitingBytes += bytes.length + messageBytes;
    this.#release(this.#flow?.request(bytes.length) ?? bytes.length);
  }

  /** Nothing more is written; whoever waits is told. */
  fail(): void {
    this.#flow?.cancel();
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const { sent } of waiting) sent?.(false);
  }

  #release(granted: number): void {
    let left = granted;
    let whole = 0;
    this.#socket.cork();
    for (const { bytes, sent } of this.#waiting) {
      if (bytes.length - this.#at > left) break;
      left -= bytes.length - this.#at;
      this.#write(bytes.subarray(this.#at), sent);
      this.#at = 0;
      this.#waitingBytes -= bytes.length + messageBytes;
      whole += 1;
    }
    this.#waiting.splice(0, whole);
    const [first] = this.#waiting;
    if (first !== undefined && left > 0) {
      this.#write(first.bytes.subarray(this.#at, this.#at + left), undefined);
      this.#at += left;
    }
    this.#socket.uncork();
    if (whole > 0 && this.#waiting.length === 0) this.#emptied();
  }

  #write(bytes: Uint8Array, sent: ((ok: boolean) => void) | undefined): void {
    this.#sentBytes += bytes.length;
    if (sent === undefined) this.#socket.write(bytes);
    else this.#socket.write(bytes, (error) => sent(error === null || error === undefined));
  }
}
