// Refusals of requests that are none: bencoded like everything else a tracker client reads, small, and final. BEP 31.
import type { Duplex } from 'node:stream';
import { encodeAnnounceFailure } from '@shoal/tracker-protocol';
import type { FastifyReply } from 'fastify';

/** Sends a failure reason under a status that says it was not even an announce. */
export function sendRefusal(reply: FastifyReply, status: number, failureReason: string): void {
  void reply
    .status(status)
    .header('content-type', 'text/plain')
    .send(encodeAnnounceFailure({ failureReason, retryIn: 'never' }));
}

/** Answers what Node's parser refused before there was a request: raw bytes in the target, a header too long, no HTTP. */
export function refuseRaw(code: string | undefined, socket: Duplex): void {
  // The other end is gone, is too slow to be worth an answer, or has not come to where it could read one.
  if (!socket.writable || code === 'ECONNRESET' || code === 'ERR_HTTP_REQUEST_TIMEOUT' || isTls(code)) {
    socket.destroy();
    return;
  }
  const tooLong = code === 'HPE_HEADER_OVERFLOW';
  const status = tooLong ? '431 Request Header Fields Too Large' : '400 Bad Request';
  const failureReason = tooLong
    ? 'the request is too long'
    : 'the request is not valid HTTP; percent-encode info_hash and peer_id';
  const body = encodeAnnounceFailure({ failureReason, retryIn: 'never' });
  const head = `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  socket.write(head);
  socket.end(body, () => socket.destroy());
}

function isTls(code = ''): boolean {
  return code.startsWith('ERR_TLS_') || code.startsWith('ERR_SSL_');
}
