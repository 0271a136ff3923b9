// The bytes of a response to a plain request: head and body in one piece, so that they leave in one write. RFC 9112.

/** Makes the responses of a server whose idle connections live for `keepAliveMs`. */
export class PlainAnswers {
  readonly #kept: Uint8Array;
  readonly #closed: Uint8Array;

  constructor(keepAliveMs: number) {
    const seconds = Math.floor(keepAliveMs / 1000);
    const promise = seconds > 0 ? `Keep-Alive: timeout=${seconds}\r\n` : '';
    this.#kept = headOf('200 OK', `Connection: keep-alive\r\n${promise}`);
    this.#closed = headOf('200 OK', 'Connection: close\r\n');
  }

  /** A success; the body may have been compressed. */
  success(body: Uint8Array, keepsAlive: boolean, isCompressed: boolean): Uint8Array {
    return joined(keepsAlive ? this.#kept : this.#closed, body, isCompressed ? 'Content-Encoding: gzip\r\n' : '');
  }

  /** A failure of our own. */
  failure(body: Uint8Array, keepsAlive: boolean): Uint8Array {
    return joined(headOf('500 Internal Server Error', keepsAlive ? '' : 'Connection: close\r\n'), body, '');
  }
}

function headOf(status: string, connection: string): Uint8Array {
  return bytesOf(`HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nPragma: no-cache\r\n${connection}Content-Length: `);
}

function joined(head: Uint8Array, body: Uint8Array, headers: string): Uint8Array {
  const rest = `${body.length}\r\n${headers}\r\n`;
  const bytes = Buffer.allocUnsafe(head.length + rest.length + body.length);
  bytes.set(head, 0);
  // A few characters: a loop costs less than a call into the runtime.
  for (let at = 0; at < rest.length; at++) bytes[head.length + at] = rest.charCodeAt(at);
  bytes.set(body, head.length + rest.length);
  return bytes;
}

function bytesOf(latin1: string): Uint8Array {
  return Uint8Array.from(latin1, (character) => character.charCodeAt(0));
}
