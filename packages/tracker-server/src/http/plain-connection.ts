// One connection of plain requests: reads them, keeps their answers in order, and stops reading while its client does.
// Every bound is here: requests under way, bytes that wait, silence. Knows nothing of announces. RFC 9112 §9.
import type { Socket } from 'node:net';
import type { Closing } from '../restart/listening.ts';
import { type RequestHead, readRequestHead } from './request-head.ts';

export interface PlainConnectionParts {
  /** Answers a request: calls `done` once, at once or later, with the bytes of a whole response. */
  readonly answer: (head: RequestHead, socket: Socket, done: (response: Uint8Array) => void) => void;
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
  readonly #socket: Socket;
  readonly #parts: PlainConnectionParts;
  readonly #gone: () => void;
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
  #looks = 0;
  #hasAnswered = false;

  constructor(socket: Socket, parts: PlainConnectionParts, gone: () => void) {
    this.#socket = socket;
    this.#parts = parts;
    this.#gone = gone;
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
    // While answers are waited for nothing is read, but what was under way comes.
    if (this.#rest.length > 0) this.#rest = Buffer.concat([this.#rest, chunk]);
    else this.#read(chunk);
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
    const text = bytes.toString('latin1');
    let at = 0;
    this.#isReading = true;
    while (at < text.length && !this.#isLast && this.#slots.length < mostWaiting) {
      const head = readRequestHead(text, at);
      if (head === undefined) {
        this.#isForeign = true;
        break;
      }
      at = head.end;
      // Requests that came with it are answered too.
      const isLast = !head.keepsAlive || (this.#parts.closing.now && at === text.length);
      this.#isLast = isLast;
      this.#ask(isLast && head.keepsAlive ? { ...head, keepsAlive: false } : head);
    }
    this.#isReading = false;
    this.#rest = this.#isLast ? nothing : at === 0 ? bytes : bytes.subarray(at);
    this.#proceed();
  }

  #ask(head: RequestHead): void {
    const slot: Slot = { response: undefined };
    this.#slots.push(slot);
    this.#parts.answer(head, this.#socket, (response) => {
      slot.response = response;
      if (!this.#isReading) this.#proceed();
    });
  }

  /** Sends what is ready and does what was waiting for it. */
  #proceed(): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    this.#send();
    if (socket.writableNeedDrain) {
      socket.pause();
      if (!this.#isDraining) socket.once('drain', this.#onDrain);
      this.#isDraining = true;
    } else if (this.#slots.length > 0) {
      if (this.#rest.length > 0) socket.pause();
    } else if (this.#isLast) this.#end();
    else if (this.#isForeign) this.#handOver();
    else if (this.#rest.length > 0) this.#read(this.#rest);
    else if (socket.isPaused()) socket.resume();
  }

  #send(): void {
    let ready = 0;
    while (this.#slots[ready]?.response !== undefined) ready++;
    if (ready === 0) return;
    this.#hasAnswered = true;
    const responses = this.#slots.splice(0, ready).map(({ response }) => response!);
    this.#socket.write(responses.length === 1 ? responses[0]! : Buffer.concat(responses));
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
    socket.unshift(this.#rest);
    this.#parts.handOver(socket);
    // Paused a moment ago; nobody resumes a socket that is thought to be new.
    socket.resume();
  }
}

function ignore(): void {}
