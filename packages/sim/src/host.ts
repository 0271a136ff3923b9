// A machine on the network: one address, one access link, the connections it has. Decides what its owner is told and
// what not; must not know how bytes travel, or anything of BitTorrent.
import type { Endpoint } from '@shoal/tracker-protocol';
import type { Connection, ConnectionHost } from './connection.ts';
import { FairServer } from './fair-server.ts';
import type { LinkOptions } from './options.ts';
import type { Scheduler } from './scheduler.ts';

/** What a host is told. Always from the scheduler, never from inside one of the network's own methods. */
export interface HostListener {
  /** Somebody dialled us. */
  accepted(connection: Connection): void;
  /** Our dial succeeded. */
  connected(connection: Connection): void;
  /** Our dial failed. */
  refused(remote: Endpoint, reason: string): void;
  /** `bytes` is the listener's to keep. */
  received(connection: Connection, bytes: Uint8Array): void;
  /** The last byte of a write that carried `payload` left our uplink. */
  sent(connection: Connection, payload: number): void;
  /** The other end closed, or the connection was lost. Not told for our own `close`. */
  closed(connection: Connection, reason: string): void;
}

/** A machine on the network: one address, one access link. */
export interface Host {
  readonly endpoint: Endpoint;
  readonly uplink: FairServer;
  readonly downlink: FairServer;
  /** Live connections, oldest first. */
  readonly connections: ReadonlySet<Connection>;
  dial(remote: Endpoint): void;
  /** Takes dials, or with `undefined` refuses them. */
  listen(listener: HostListener | undefined): void;
  /** While false nobody is reached from here or reaches here; connections are lost when it becomes false. */
  online: boolean;
  /** Ends every connection and every dial: `reset` tells the other ends at once, `silence` never. */
  cut(how: 'reset' | 'silence'): void;
}

/** @internal */
export interface HostFacts {
  readonly endpoint: Endpoint;
  readonly link: Required<LinkOptions>;
}

/** @internal */
export class NetworkHost implements Host, ConnectionHost {
  readonly endpoint: Endpoint;
  readonly link: Required<LinkOptions>;
  readonly uplink: FairServer;
  readonly downlink: FairServer;
  readonly connections: Set<Connection> = new Set();
  listener: HostListener | undefined;
  silent = false;
  #online = true;
  /** Counts the cuts: a dial of an earlier life is answered to nobody. */
  life = 0;
  readonly #dial: (remote: Endpoint) => void;

  constructor(facts: HostFacts, scheduler: Scheduler, dial: (from: NetworkHost, remote: Endpoint) => void) {
    const { endpoint, link } = facts;
    this.#dial = (remote) => dial(this, remote);
    this.endpoint = endpoint;
    this.link = link;
    this.uplink = new FairServer(scheduler, link.uplinkBytesPerSecond);
    this.downlink = new FairServer(scheduler, link.downlinkBytesPerSecond);
  }

  get online(): boolean {
    return this.#online;
  }

  set online(online: boolean) {
    this.#online = online;
    if (!online) for (const connection of this.connections) connection.lose();
  }

  dial(remote: Endpoint): void {
    this.#dial(remote);
  }

  listen(listener: HostListener | undefined): void {
    this.listener = listener;
    if (listener !== undefined) this.silent = false;
  }

  cut(how: 'reset' | 'silence'): void {
    this.life++;
    this.silent = how === 'silence';
    for (const connection of this.connections) {
      if (how === 'reset') connection.close();
      else connection.vanish();
    }
  }

  accept(connection: Connection): void {
    this.connections.add(connection);
    this.listener?.accepted(connection);
  }

  connect(connection: Connection): void {
    this.connections.add(connection);
    this.listener?.connected(connection);
  }

  release(connection: Connection): void {
    this.connections.delete(connection);
  }

  received(connection: Connection, bytes: Uint8Array): void {
    if (this.connections.has(connection)) this.listener?.received(connection, bytes);
  }

  sent(connection: Connection, payload: number): void {
    if (this.connections.has(connection)) this.listener?.sent(connection, payload);
  }

  closed(connection: Connection, reason: string): void {
    if (this.connections.delete(connection)) this.listener?.closed(connection, reason);
  }
}
