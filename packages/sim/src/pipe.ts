// One direction of a connection: bytes written at one end come out at the other in the same order, cut into segments,
// no faster than the sender's uplink, the path and the receiver's downlink allow, and with a bounded number in flight.
// Decides when bytes move; must not know messages, or why a connection ends.
import type { FairServer, Flow } from './fair-server.ts';
import type { Scheduler } from './scheduler.ts';

/** Where a pipe's events go. None is called from inside `write` or `finish`. */
export interface PipeListener {
  /** The last byte of a `write` left the uplink; `payload` is the number given with it. */
  sent(payload: number): void;
  received(bytes: Uint8Array): void;
  /** The end that `finish` put after the bytes in flight arrived. */
  finished(): void;
}

export interface PipeOptions {
  readonly scheduler: Scheduler;
  readonly uplink: FairServer;
  readonly downlink: FairServer;
  /** Time from the uplink to the downlink for the next segment, in whole microseconds. */
  readonly latencyUs: () => number;
  /** Longest segment in bytes. */
  readonly segmentBytes: number;
  /** Most bytes between the two links: past it the sender waits, as with a full TCP window. */
  readonly windowBytes: number;
}

interface Writing {
  readonly bytes: Uint8Array;
  readonly payload: number;
}

export class Pipe {
  readonly #options: PipeOptions;
  readonly #listener: PipeListener;
  readonly #writings: Writing[] = [];
  /** Bytes of the first writing that are gone. */
  #taken = 0;
  #finishing = false;
  #dead = false;
  #inFlightBytes = 0;
  #sending: Uint8Array | undefined;
  /** Payloads whose last byte is in the segment being sent. */
  #sendingPayloads: number[] = [];
  readonly #arrived: Uint8Array[] = [];
  #lastArrivalUs = 0;
  readonly #departures: Flow;
  readonly #arrivals: Flow;

  constructor(options: PipeOptions, listener: PipeListener) {
    this.#options = options;
    this.#listener = listener;
    this.#departures = { takeSegment: () => this.#take(), served: () => this.#depart() };
    this.#arrivals = { takeSegment: () => this.#arrived[0]?.length, served: () => this.#deliver() };
  }

  /** Nothing written before arrives earlier than this: the other end does not know of the connection yet. */
  notBefore(timeUs: number): void {
    this.#lastArrivalUs = timeUs;
  }

  /** @param payload What to tell `sent` when all of it left; 0 = nothing. */
  write(bytes: Uint8Array, payload: number): void {
    if (this.#finishing || this.#dead || bytes.length === 0) return;
    this.#writings.push({ bytes, payload });
    this.#options.uplink.wake(this.#departures);
  }

  /** Drops what is not on its way yet and ends the stream behind what is, as closing a socket does. */
  finish(): void {
    if (this.#finishing || this.#dead) return;
    this.#finishing = true;
    this.#writings.length = 0;
    this.#taken = 0;
    if (this.#sending === undefined) this.#travel(endOfStream);
  }

  /** Nothing comes out any more, not even the end. */
  kill(): void {
    this.#dead = true;
    this.#writings.length = 0;
    this.#arrived.length = 0;
  }

  #take(): number | undefined {
    const first = this.#writings[0];
    if (first === undefined || this.#dead) return undefined;
    const { segmentBytes, windowBytes } = this.#options;
    if (this.#inFlightBytes >= windowBytes) return undefined;
    const segment = new Uint8Array(Math.min(segmentBytes, this.#queuedBytes(segmentBytes)));
    this.#sendingPayloads = [];
    for (let filled = 0; filled < segment.length;) filled += this.#takeInto(segment, filled);
    this.#sending = segment;
    this.#inFlightBytes += segment.length;
    return segment.length;
  }

  /** Bytes waiting, counted no further than `enough`. */
  #queuedBytes(enough: number): number {
    let queued = -this.#taken;
    for (const { bytes } of this.#writings) {
      queued += bytes.length;
      if (queued >= enough) break;
    }
    return queued;
  }

  #takeInto(segment: Uint8Array, filled: number): number {
    const { bytes, payload } = this.#writings[0]!;
    const taking = Math.min(bytes.length - this.#taken, segment.length - filled);
    segment.set(bytes.subarray(this.#taken, this.#taken + taking), filled);
    this.#taken += taking;
    if (this.#taken === bytes.length) {
      if (payload > 0) this.#sendingPayloads.push(payload);
      this.#writings.shift();
      this.#taken = 0;
    }
    return taking;
  }

  #depart(): void {
    const segment = this.#sending!;
    this.#sending = undefined;
    if (this.#dead) return;
    this.#travel(segment);
    if (this.#finishing) this.#travel(endOfStream);
    else for (const payload of this.#sendingPayloads) this.#listener.sent(payload);
  }

  #travel(segment: Uint8Array): void {
    const { scheduler, latencyUs, downlink } = this.#options;
    // Segments never overtake each other, whatever the jitter.
    this.#lastArrivalUs = Math.max(this.#lastArrivalUs, scheduler.nowUs + latencyUs());
    scheduler.at(this.#lastArrivalUs, () => {
      if (this.#dead) return;
      this.#arrived.push(segment);
      downlink.wake(this.#arrivals);
    });
  }

  #deliver(): void {
    const segment = this.#arrived.shift();
    if (segment === undefined || this.#dead) return;
    if (segment === endOfStream) {
      this.#listener.finished();
      return;
    }
    this.#inFlightBytes -= segment.length;
    this.#options.uplink.wake(this.#departures);
    this.#listener.received(segment);
  }
}

const endOfStream = new Uint8Array(0);
