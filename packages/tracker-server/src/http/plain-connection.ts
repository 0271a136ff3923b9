// One connection of plain requests: reads them, keeps their answers in order, and stops reading while its client does.
// Every bound is here: requests under way, bytes that wait, silence. Knows nothing of announces. RFC 9112 §9.
import type { Socket } from 'node:net';
import type { Closing } from '../restart/listening.ts';
import { type RequestHead, readRequestHead } from './request-head.ts';
import { socketAddress } from './source-address.ts';

export interface PlainConnectionParts {
  /**
   * Answers a request of a connection from `remote` (4 or 16 bytes): calls `done` once, at once or later, with the bytes of
   * a whole response. Of what is given at once the bytes stay as they are until the next request is answered, of what is
   * given later until `done` returns.
   */
  readonly answer: (head: RequestHead, remote: Uint8Array | undefined, done: (response: Uint8Array) => void) => void;
  /** Hears that the response given last is still to be sent, and so has to stay as it is. */
  readonly onKept: () => void;
  /** Hears that a connection was cut because nothing came. */
  readonly onSilence: () => void;
  /** Whether the next answer is the last. */
  readonly closing: Closing;
  /** Takes a connection on which something else arrived. */
  readonly handOver: (socket: Socket) => void;
}

/** Requests under way before reading stops: of dictionaries, 12 KB each, 200 KB. */
const mostWaiting = 16;

interface Slot {
  response: Uint8Array | undefined;
}

const nothing = Buffer.alloc(0);

export class PlainConnection {
  /** Its place among those that are open, for who keeps them. */
  place = 0;
  readonly #socket: Socket;
  readonly #parts: PlainConnectionParts;
  readonly #gone: () => void;
  readonly #remote: Uint8Array | undefined;
  /** Requests that were not answered yet, in order. */
  readonly #slots: Slot[] = [];
  /** What was received and not looked at, while answers are waited for. */
  #rest: Buffer = nothing;
  /** The rest is not ours to read. */
  #isForeign = false;
  /** No request comes after those in `#slots`. */
  #isLast = false;
  #isReading = false;
  #isDraining = false;
  /** Nothing is read until answers are sent. */
  #isPaused = false;
  /** Responses are kept by this socket, be it a slow one or one of TLS: it is given copies. */
  #keeps = false;
  #looks = 0;
  #hasAnswered = false;

  constructor(socket: Socket, parts: PlainConnectionParts, gone: () => void) {
    this.#socket = socket;
    this.#parts = parts;
    this.#gone = gone;
    this.#remote = socketAddress(socket.remoteAddress);
    socket.on('data', this.#onData).on('end', this.#onEnd).on('error', ignore).on('close', gone);
  }

  /** Called at regular times: cuts a client that has done nothing since too many of them. */
  look(idle: number, busy: number): void {
    const waits = this.#slots.length > 0 && this.#socket.writableLength === 0;
    // Our own answer is late: not the client's fault.
    if (waits) this.#looks = 0;
    const limit = this.#hasAnswered && this.#socket.writableLength === 0 ? idle : busy;
    if (this.#looks++ <= limit) return;
    if (!this.#hasAnswered) this.#parts.onSilence();
    this.#socket.destroy();
  }

  close(): void {
    this.#socket.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#looks = 0;
    this.#read(chunk);
  };

  readonly #onEnd = (): void => {
    this.#isLast = true;
    this.#proceed();
  };

  readonly #onDrain = (): void => {
    this.#looks = 0;
    this.#isDraining = false;
    this.#proceed();
  };

  /** Answers the requests in `bytes`, as far as they go. */
  #read(bytes: Buffer): void {
    let at = 0;
    this.#isReading = true;
    while (at < bytes.length && !this.#isLast && this.#slots.length < mostWaiting) {
      const head = readRequestHead(bytes, at);
      if (head === undefined) {
        this.#isForeign = true;
        break;
      }
      at = head.end;
      const isWhole = at === bytes.length;
      // Requests that came with it are answered too.
      const isLast = !head.keepsAlive || (isWhole && this.#parts.closing.now);
      this.#isLast = isLast;
      this.#ask(isLast && head.keepsAlive ? { ...head, keepsAlive: false } : head, isLast || isWhole);
    }
    this.#isReading = false;
    this.#rest = this.#isLast || at === bytes.length ? nothing : at === 0 ? bytes : bytes.subarray(at);
    this.#proceed();
  }

  /** `isAlone` unless more requests came with it, whose answers are to leave together with this one. */
  #ask(head: RequestHead, isAlone: boolean): void {
    let atOnce: Uint8Array | undefined;
    let slot: Slot | undefined;
    this.#parts.answer(head, this.#remote, (response) => {
      if (slot === undefined) atOnce = response;
      else {
        slot.response = Buffer.from(response);
        if (!this.#isReading) this.#proceed();
      }
    });
    if (atOnce !== undefined && isAlone && this.#slots.length === 0) this.#write(atOnce);
    else this.#slots.push((slot = { response: atOnce && Buffer.from(atOnce) }));
  }

  /** Sends what is ready and does what was waiting for it. */
  #proceed(): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    if (this.#slots.length > 0) this.#send();
    if (socket.writableNeedDrain) {
      this.#hold();
      if (!this.#isDraining) socket.once('drain', this.#onDrain);
      this.#isDraining = true;
    } else if (this.#slots.length > 0) {
      if (this.#rest.length > 0) this.#hold();
    } else if (this.#isLast) this.#end();
    else if (this.#isForeign) this.#handOver();
    else if (this.#rest.length > 0) this.#read(this.#rest);
    else if (this.#isPaused) this.#resume();
  }

  /** Reads nothing for now. What was not looked at goes back, so that no end of the stream comes before it. */
  #hold(): void {
    this.#isPaused = true;
    this.#socket.pause();
    if (this.#rest.length > 0) this.#socket.unshift(this.#rest);
    this.#rest = nothing;
  }

  #resume(): void {
    this.#isPaused = false;
    this.#socket.resume();
  }

  #send(): void {
    let ready = 0;
    while (this.#slots[ready]?.response !== undefined) ready++;
    if (ready === 0) return;
    const responses = this.#slots.splice(0, ready).map(({ response }) => response!);
    this.#noteAnswer();
    this.#socket.write(responses.length === 1 ? responses[0]! : Buffer.concat(responses));
  }

  /** Sends bytes that are somebody else's afterwards, unless the socket still has them. */
  #write(response: Uint8Array): void {
    const socket = this.#socket;
    this.#noteAnswer();
    socket.write(this.#keeps ? Buffer.from(response) : response);
    if (this.#keeps || socket.writableLength === 0) return;
    this.#keeps = true;
    this.#parts.onKept();
  }

  /** From now on no answer waits until the one before it has arrived. Where there is only this one a system call is saved. */
  #noteAnswer(): void {
    if (!this.#hasAnswered && (!this.#isLast || this.#slots.length > 0)) this.#socket.setNoDelay(true);
    this.#hasAnswered = true;
  }

  /** Closes once everything has left. Without a shutdown first: nothing more is expected, and it costs a system call. */
  #end(): void {
    if (this.#socket.writableLength === 0) this.#socket.destroy();
    else this.#socket.end(() => this.#socket.destroy());
  }

  #handOver(): void {
    const socket = this.#socket;
    socket.off('data', this.#onData).off('end', this.#onEnd).off('error', ignore).off('close', this.#gone);
    this.#gone();
    socket.pause();
    if (this.#rest.length > 0) socket.unshift(this.#rest);
    // As node:http would have it.
    socket.setNoDelay(true);
    this.#parts.handOver(socket);
    // Paused a moment ago; nobody resumes a socket that is thought to be new.
    socket.resume();
  }
}

function ignore(): void {}
