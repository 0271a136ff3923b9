// How many answers may wait for one connection. Requests that arrive together are all read before the first answer is
// gone, so without a bound a client that sends many and reads nothing has us keep the answers to all of them. RFC 9112 §9.3.2.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Answers under way on one connection: of dictionaries, 12 KB each, 200 KB. Clients that pipeline ask for a few torrents
 * at a time; one read of ours holds six hundred announces.
 */
const mostWaiting = 16;

/** The answers under way on every connection. */
export class Pipelines {
  readonly #waiting = new WeakMap<Socket, ServerResponse[]>();

  /** Whether a request may be answered; if not, its connection has been cut. */
  admit({ socket }: IncomingMessage, response: ServerResponse): boolean {
    const waiting = this.#waiting.get(socket);
    if (waiting === undefined) {
      this.#waiting.set(socket, [response]);
      return true;
    }
    // Answers leave in the order of their requests.
    while (waiting[0]?.writableFinished === true) waiting.shift();
    if (waiting.length >= mostWaiting) {
      socket.destroy();
      return false;
    }
    waiting.push(response);
    return true;
  }
}
