// Plain announces and scrapes answered before node:http sees them, which would cost several times as much. Connections
// on which anything else arrives are handed to it with the bytes that were not used. Timeouts by one timer for all.
import type { Server, Socket } from 'node:net';
import { takeListeners } from '../connection-listeners.ts';
import { type PlainConnectionParts, PlainConnection } from './plain-connection.ts';

export interface PlainPathOptions extends Omit<PlainConnectionParts, 'handOver'> {
  /** How long an idle connection stays open, in ms. */
  readonly keepAliveMs: number;
  /** How long the first request and the reading of an answer may take, in ms. */
  readonly requestTimeoutMs: number;
}

/** Looks at idle connections per idle time: one is closed at most a quarter late. */
const looks = 4;

/**
 * Takes over the connections of a server, which hears only of those that are not plain. Disposing closes the others.
 * `event` is what the server says when a connection is there: `secureConnection` for TLS.
 */
export function takePlainPath(
  server: Server,
  event: 'connection' | 'secureConnection',
  options: PlainPathOptions,
): Disposable {
  const handOver = takeListeners(server, event);
  const connections = new OpenConnections();
  const lookMs = Math.min(options.keepAliveMs, options.requestTimeoutMs) / looks;
  const parts = { ...options, handOver };
  server.on(event, (socket: Socket) => {
    const connection = new PlainConnection(socket, parts, () => connections.remove(connection));
    connections.add(connection);
  });
  const idleLooks = Math.ceil(options.keepAliveMs / lookMs);
  const busyLooks = Math.ceil(options.requestTimeoutMs / lookMs);
  const timer = setInterval(() => {
    for (const connection of connections.all) connection.look(idleLooks, busyLooks);
  }, lookMs).unref();
  return {
    [Symbol.dispose](): void {
      clearInterval(timer);
      for (const connection of connections.all) connection.close();
    },
  };
}

/**
 * Who is connected. Not a `Set`: each table that one outgrows refers to the next, and once one of them is old the
 * collector of new objects takes all that follow for alive. Half of the connections that were closed lived for a second.
 */
class OpenConnections {
  readonly all: PlainConnection[] = [];

  add(connection: PlainConnection): void {
    connection.place = this.all.length;
    this.all.push(connection);
  }

  /** The last one takes its place. */
  remove(connection: PlainConnection): void {
    const last = this.all.pop()!;
    if (last === connection) return;
    last.place = connection.place;
    this.all[last.place] = last;
  }
}
