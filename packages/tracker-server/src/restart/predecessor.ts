// The running tracker as its successor sees it: what it knows, its swarms, and the sockets that it listens on. Whatever it
// cannot or will not give, the successor gets for itself; so it does when the other one is gone.
import type { MemoryStore } from '@shoal/tracker';
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
  readonly #sockets = new Map<SocketName, (handle: Handle | undefined) => void>();
  #take: (entries: Uint8Array) => void = () => {};
  #isGone = false;

  /** `channel` is that to the process that started this one. */
  constructor(channel: ParentChannel) {
    this.#channel = channel;
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
   * The socket that it listens on as `name`, if that is configured for the same address; undefined if not. It has to be
   * listened to, in one go, as soon as it is there.
   */
  socket(name: SocketName, host: string, port: number): Promise<Handle | undefined> {
    if (this.#isGone) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#sockets.set(name, resolve);
      this.#tell({ ask: 'socket', name, host, port });
    });
  }

  /** Says that this process serves: the other one stops listening. */
  serving(): void {
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
    else {
      this.#sockets.get(message.name)?.(handle);
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
