// One end of a connection, as its host holds it. Decides what ending means for both ends; must not know what is sent.
import type { Endpoint } from '@shoal/tracker-protocol';
import type { Pipe } from './pipe.ts';

/** What an end needs of the machine it is on. */
export interface ConnectionHost {
  readonly endpoint: Endpoint;
  /** The connection ended at the machine's own wish. */
  release(connection: Connection): void;
  /** The connection ended otherwise. */
  closed(connection: Connection, reason: string): void;
}

export class Connection {
  /** Given once in a run: names this end, not the pair. */
  readonly id: number;
  /** The other end; for an incoming connection with a port of the moment. */
  readonly remote: Endpoint;
  readonly incoming: boolean;
  readonly #host: ConnectionHost;
  #other: Connection | undefined;
  #out: Pipe | undefined;
  #ended = false;

  constructor(facts: { id: number; remote: Endpoint; incoming: boolean; host: ConnectionHost }) {
    this.id = facts.id;
    this.remote = facts.remote;
    this.incoming = facts.incoming;
    this.#host = facts.host;
  }

  /** This end is closed, was lost, or learned that the other is. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Listening address of the machine at the other end, which a real client cannot see: for measurements only. */
  get otherHost(): Endpoint {
    return this.#other!.#host.endpoint;
  }

  /** @param payload Told to the host's `sent` once all of `bytes` left its uplink; 0 = not told. */
  write(bytes: Uint8Array, payload: number = 0): void {
    if (!this.#ended) this.#out!.write(bytes, payload);
  }

  /** Hangs up: nothing more is told to this end, and the other learns of it behind what is already on its way. */
  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#host.release(this);
    this.#other!.#out!.kill();
    this.#out!.finish();
  }

  /** The path broke: both ends are told now, and what is on its way is gone. */
  lose(): void {
    this.#out!.kill();
    this.#other!.#out!.kill();
    this.end('connection lost');
    this.#other!.end('connection lost');
  }

  /** This machine lost its power: the other end is told nothing, and what it sends goes nowhere. */
  vanish(): void {
    this.#ended = true;
    this.#host.release(this);
    this.#out!.kill();
    this.#other!.#out!.kill();
  }

  /** @internal Ties the two ends together. */
  join(other: Connection, out: Pipe): void {
    this.#other = other;
    this.#out = out;
  }

  /** @internal The end of the stream arrived here. */
  end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#out!.kill();
    this.#host.closed(this, reason);
  }
}
