// The running tracker as its successor sees it: what it knows, its swarms, and the sockets that it listens on. Whatever it
// cannot or will not give, the successor gets for itself; so it does when the other one is gone.
import { closeSync } from 'node:fs';
import type { MemoryStore } from '@shoal/tracker';
import type { Relay } from '../udp/outlet.ts';
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

/** The side of the channel that a child process has, such as `process`. */
export interface ParentChannel {
  send?(message: unknown): boolean;
  on(event: 'message', listener: (message: unknown, handle: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
  disconnect?(): void;
}

/** Disposing lets it go. */
export class Predecessor implements Disposable {
  readonly #channel: ParentChannel;
  readonly #state = Promise.withResolvers<SharedState | undefined>();
  readonly #caughtUp = Promise.withResolvers<boolean>();
  readonly #sockets = new Map<SocketName, (given: Handle | Descriptors | undefined) => void>();
  /** Sockets that this process was started with and nobody has taken. */
  readonly #spare: Set<number>;
  #take: (entries: Uint8Array) => void = () => {};
  #relay: Relay = () => {};
  #isGone = false;

  /** `channel` is that to the process that started this one, with so many sockets by number (`Legacy.descriptors`). */
  constructor(channel: ParentChannel, descriptors = 0) {
    this.#channel = channel;
    this.#spare = new Set(Array.from({ length: descriptors }, (_, index) => firstInherited + index));
    channel.on('message', (message, handle) => this.#receive(message as ToSuccessor, handle as Handle | undefined));
    channel.on('disconnect', () => this.#lose());
  }

  /** What both must have in common; undefined where the other one is gone or of a release that speaks otherwise. */
  state(): Promise<SharedState | undefined> {
    this.#tell({ ask: 'state', version: restartVersion });
    return this.#state.promise;
  }

  /**
   * Takes its swarms into a store, and then whatever still happens over there, until it ends. Resolves when both have the
   * same; false if it was gone before.
   */
  swarms(store: MemoryStore, clock: () => number): Promise<boolean> {
    // Both have one clock, and who is expired is expired by either.
    this.#take = (entries) => void store.restore(entries, 0, Infinity, clock());
    this.#tell({ ask: 'swarms' });
    return this.#caughtUp.promise;
  }

  /**
   * The socket that it listens on as `name`, if that is configured for the same address, or those of its threads, `most` of
   * them; undefined if not. A socket has to be listened to, in one go, as soon as it is there.
   */
  async socket(name: SocketName, host: string, port: number, most = 1): Promise<Handle | Descriptors | undefined> {
    if (this.#isGone) return undefined;
    const given = await new Promise<Handle | Descriptors | undefined>((resolve) => {
      this.#sockets.set(name, resolve);
      this.#tell({ ask: 'socket', name, host, port });
    });
    if (given === undefined || !('descriptors' in given)) return given;
    const descriptors = given.descriptors.filter((number) => this.#spare.has(number)).slice(0, most);
    for (const number of descriptors) this.#spare.delete(number);
    return { descriptors };
  }

  /** Has answers that come too late for a socket of the other one sent. */
  onDatagram(relay: Relay): void {
    this.#relay = relay;
  }

  /** Says that this process serves: the other one stops listening. What nobody has taken of its sockets is closed here. */
  serving(): void {
    for (const number of this.#spare) closeSync(number);
    this.#spare.clear();
    this.#tell({ tell: 'serving' });
  }

  [Symbol.dispose](): void {
    if (!this.#isGone) this.#channel.disconnect?.();
  }

  #receive(message: ToSuccessor, handle: Handle | undefined): void {
    if (message.tell === 'entries') this.#take(message.entries);
    else if (message.tell === 'caught-up') this.#caughtUp.resolve(true);
    else if (message.tell === 'state')
      this.#state.resolve(message.version === restartVersion ? message.state : undefined);
    else if (message.tell === 'datagram') this.#relay(message.datagram);
    else {
      const { descriptors } = message;
      this.#sockets.get(message.name)?.(descriptors === undefined ? handle : { descriptors });
      this.#sockets.delete(message.name);
    }
  }

  #lose(): void {
    this.#isGone = true;
    this.#state.resolve(undefined);
    this.#caughtUp.resolve(false);
    for (const give of this.#sockets.values()) give(undefined);
    this.#sockets.clear();
  }

  #tell(message: ToPredecessor): void {
    if (this.#isGone) return;
    // Who cannot be told any more is gone: `disconnect` follows.
    this.#channel.send?.(message);
  }
}
