// How an HTTP server begins to listen, on an address or on a socket that another process gave, and how it stops: at once,
// or by answering those who are connected and nobody else.
import { once } from 'node:events';
import { Server as NetServer } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Gives a socket that listens already, or the numbers of several; undefined where there is none. */
export type Inherit<Handle> = () => Promise<Handle | Descriptors | undefined>;

/** Sockets by their numbers in this process. A server takes one for itself, or one for each of its threads as far as they go. */
export interface Descriptors {
  readonly descriptors: readonly number[];
}

/** The numbers in what was inherited, which belong to threads; none where there is another socket, or nothing. */
export function descriptorsIn(inherited: object | undefined): readonly number[] {
  return inherited !== undefined && 'descriptors' in inherited ? (inherited as Descriptors).descriptors : [];
}

/** Whether a server is to answer its connections once more, and then close them. */
export interface Closing {
  now: boolean;
}

export async function listenOn(
  app: FastifyInstance,
  inherit: Inherit<NetServer> | undefined,
  host: string,
  port: number,
): Promise<void> {
  await app.ready();
  const given = await inherit?.();
  const [fd] = descriptorsIn(given);
  if (given === undefined || ('descriptors' in given && fd === undefined)) {
    await app.listen({ host, port });
    return;
  }
  // At once: connections arrive from now on.
  app.server.listen(fd === undefined ? given : { fd });
  if (!app.server.listening) await once(app.server, 'listening');
}

/** Closes the server and its connections, whoever let it listen. */
export async function closeAll(app: FastifyInstance): Promise<void> {
  await app.close();
  app.server.closeAllConnections();
  if (app.server.listening) await new Promise<void>((resolve) => void app.server.close(() => resolve()));
}

/** Takes no more connections; resolves when those that are open have ended, or after `limitMs`. */
export async function drained(server: NetServer, limitMs: number): Promise<void> {
  // Not the `close` of HTTP, which cuts connections that wait for their next request.
  const ended = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, limitMs);
  await Promise.race([ended, late]);
  clearTimeout(timer);
}
