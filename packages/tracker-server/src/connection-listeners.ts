// How one listener for connections comes before others, and decides which connections they hear of.
import type { Server, Socket } from 'node:net';

/** Removes those who listen for connections on a server, under `event`; calling the result calls them. */
export function takeListeners(server: Server, event: 'connection' | 'secureConnection'): (socket: Socket) => void {
  const listeners = server.listeners(event);
  server.removeAllListeners(event);
  return (socket) => {
    for (const listener of listeners) Reflect.apply(listener, server, [socket]);
  };
}
