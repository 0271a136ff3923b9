// Connections on which something else than plain requests arrived, led from the thread that accepted them to the one
// that serves everything. A PROXY header says whose they are. proxy-protocol.txt of HAProxy, section 2.1.
import { type Socket, connect } from 'node:net';
import { canonicalIp } from '@shoal/tracker-protocol';

/** Leads a connection to the socket at `path`; `open` has both ends as long as they are. */
export function tunnel(socket: Socket, path: string, open: Set<Socket>): void {
  const inner = connect({ path, allowHalfOpen: true });
  for (const [end, other] of [
    [socket, inner],
    [inner, socket],
  ] as const) {
    open.add(end);
    // Whatever went wrong, the end closes next, and with it the other one.
    end.on('error', () => {});
    end.once('close', () => {
      open.delete(end);
      other.destroySoon();
    });
  }
  inner.write(headerOf(socket));
  socket.pipe(inner);
  inner.pipe(socket);
}

function headerOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  const ip = canonicalIp(remoteAddress.replace(/%.*/, ''));
  // Gone already: there is nobody to answer.
  if (ip === undefined) return 'PROXY UNKNOWN\r\n';
  return ip.includes(':') ? `PROXY TCP6 ${ip} :: ${remotePort} 0\r\n` : `PROXY TCP4 ${ip} 0.0.0.0 ${remotePort} 0\r\n`;
}
