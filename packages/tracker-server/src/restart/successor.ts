// The process that shall take the place of a running tracker, as that one sees it: is given what it asks for, while
// everything goes on as before; says when it serves, or fails and nothing has changed. Afterwards it still hears of
// what is announced over connections that had been open.
import type { ChildProcess } from 'node:child_process';
import type { MemoryStore, SwarmCursor } from '@shoal/tracker';
import type { OutgoingDatagram } from '../udp/outlet.ts';
import { firstInherited } from './descriptors.ts';
import type { Descriptors } from './listening.ts';
import {
  type Handle,
  type SharedState,
  type SocketName,
  type ToPredecessor,
  type ToSuccessor,
  restartVersion,
} from './messages.ts';

/** What is given to a successor. */
export interface Legacy {
  readonly state: SharedState;
  /** The swarms, where they are in memory. */
  readonly store: MemoryStore | undefined;
  readonly clock: () => number;
  /** Numbers of sockets that the process was started with, as its streams behind the channel, in this order. */
  readonly descriptors: readonly number[];
  /** The socket of that name, if it is configured for that address, or those among `descriptors`. */
  readonly socket: (name: SocketName, host: string, port: number) => Handle | Descriptors | undefined;
}

/** How long it may take to serve, in ms; systemd waits as long for a start. */
const startLimitMs = 90_000;

/** How long the last slices may take, in ms: they are those of a few milliseconds. */
const releaseLimitMs = 5000;

/** Entries of one message: a thousand peers. */
const sliceBytes: number = 64 * 1024;

/** Between two looks for what happened, once there is nothing left: a peer of this process is known to the other by then. */
const lookMs = 5;

export class Successor {
  readonly #process: ChildProcess;
  readonly #legacy: Legacy;
  readonly #outcome = Promise.withResolvers<string | undefined>();
  readonly #deadline: NodeJS.Timeout;
  #walk: SwarmCursor | undefined;
  #pumping: Promise<void> = Promise.resolve();
  #relayed: Promise<unknown> = Promise.resolve();
  #isEnding = false;

  /** `started`: a process with a channel that carries binary data (`serialization: 'advanced'`). */
  constructor(started: ChildProcess, legacy: Legacy) {
    this.#process = started;
    this.#legacy = legacy;
    started.on('message', (message) => this.#answer(message as ToPredecessor));
    started.on('error', (error) => this.#settle(error.message));
    started.on('exit', (code, signal) => this.#settle(`it ended with ${signal ?? `code ${code}`}`));
    this.#deadline = setTimeout(() => {
      this.#settle(`it did not serve within ${startLimitMs / 1000} seconds`);
      this.abort();
    }, startLimitMs);
  }

  /** Resolves when it serves, with undefined, or to why it does not. */
  get outcome(): Promise<string | undefined> {
    return this.#outcome.promise;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Gives up on it. */
  abort(): void {
    this.#isEnding = true;
    this.#process.kill('SIGKILL');
    this.#walk?.end();
  }

  /** Has it send an answer that came too late for a socket of this process. */
  relay(datagram: OutgoingDatagram): void {
    this.#relayed = this.#tell({ tell: 'datagram', datagram });
  }

  /** Tells it the last that happened here and lets it go. */
  async release(): Promise<void> {
    this.#isEnding = true;
    // One that does not take it does without.
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, releaseLimitMs);
    // Messages leave in order.
    await Promise.race([Promise.all([this.#pumping, this.#relayed]), late.promise]);
    clearTimeout(timer);
    if (this.#process.connected) this.#process.disconnect();
    this.#process.unref();
  }

  #settle(problem: string | undefined): void {
    clearTimeout(this.#deadline);
    this.#outcome.resolve(problem);
    if (problem === undefined) return;
    this.#isEnding = true;
    this.#walk?.end();
  }

  #answer(message: ToPredecessor): void {
    if ('tell' in message) this.#settle(undefined);
    else if (message.ask === 'state')
      void this.#tell({ tell: 'state', version: restartVersion, state: this.#legacy.state });
    else if (message.ask === 'swarms') this.#pumping = this.#pump();
    else {
      const { name, host, port } = message;
      this.#give(name, this.#legacy.socket(name, host, port));
    }
  }

  #give(name: SocketName, given: Handle | Descriptors | undefined): void {
    if (given === undefined || !('descriptors' in given)) {
      void this.#tell({ tell: 'socket', name }, given);
      return;
    }
    const all = this.#legacy.descriptors;
    const descriptors = given.descriptors.map((number) => firstInherited + all.indexOf(number));
    void this.#tell({ tell: 'socket', name, descriptors });
  }

  /** Sends the swarms, one slice after the other, and what happens to them afterwards. */
  async #pump(): Promise<void> {
    const { store, clock } = this.#legacy;
    const walk = store?.walk();
    this.#walk = walk;
    const slice = new Uint8Array(sliceBytes);
    let isCaughtUp = false;
    for (;;) {
      const isLast = this.#isEnding;
      let length = 0;
      while ((length = walk?.write(slice, clock()) ?? 0) > 0) {
        // The next slice leaves when this one has left: no more than one waits.
        if (!(await this.#tell({ tell: 'entries', entries: slice.slice(0, length) }))) break;
      }
      if (!isCaughtUp) void this.#tell({ tell: 'caught-up' });
      isCaughtUp = true;
      if (isLast || !this.#process.connected) break;
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
    walk?.end();
  }

  /** False when it is gone. */
  #tell(message: ToSuccessor, handle?: Handle): Promise<boolean> {
    return new Promise((resolve) => {
      const sent = (error: Error | null): void => resolve(error === null);
      if (!this.#process.connected) resolve(false);
      else if (handle === undefined) this.#process.send(message, sent);
      else this.#process.send(message, handle, sent);
    });
  }
}
