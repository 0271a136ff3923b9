// Connections of proxies that send a PROXY header first: it is read before the server sees the connection, which then
// has the client's address as its own. Connections of everybody else go by untouched. proxy-protocol.txt of HAProxy.
import type { Server, Socket } from 'node:net';
import type { Endpoint } from '@shoal/tracker-protocol';
import { takeListeners } from '../connection-listeners.ts';
import { proxyHeaderLimit, readProxyHeader } from './header.ts';

/** Knows the proxies. */
export interface ProxyJudge {
  /** Whether an address, as the socket writes it, is that of a proxy that says whom it forwards. May change. */
  sendsHeader(remoteAddress: string): boolean;
}

/**
 * From now on reads the headers of proxies before anybody who listens for `connection` on `server` hears of it.
 * Proxies must send one within `timeoutMs`; a connection whose header is none is closed. Disposing closes those that
 * are not complete: the server does not know them yet.
 */
export function expectProxyHeaders(server: Server, judge: ProxyJudge, timeoutMs: number): Disposable {
  const waiting = new Set<Socket>();
  const secured = new Map<string, Endpoint>();
  const deliver = takeListeners(server, 'connection');
  server.on('connection', (socket: Socket) => {
    if (!judge.sendsHeader(socket.remoteAddress ?? '')) {
      deliver(socket);
      return;
    }
    waiting.add(socket);
    socket.once('close', () => waiting.delete(socket));
    awaitHeader(socket, timeoutMs, (source) => {
      waiting.delete(socket);
      if (source !== undefined) remember(secured, socket, source);
      deliver(socket);
      // Paused since its header was read; nobody resumes a socket that is thought to be new. TLS reads it by itself,
      // and what flowed out of it would be lost to it.
      if (socket.listenerCount('data') > 0) socket.resume();
    });
  });
  // What a TLS server hands on is another socket, which asks the system for the address again.
  server.prependListener('secureConnection', (socket: Socket) => {
    const source = secured.size === 0 ? undefined : secured.get(peerOf(socket));
    if (source !== undefined) disguise(socket, source);
  });
  return {
    [Symbol.dispose]: () => {
      for (const socket of waiting) socket.destroy();
    },
  };
}

/** Reads one header and puts back what came behind it; calls back only if there was one. */
function awaitHeader(socket: Socket, timeoutMs: number, done: (source: Endpoint | undefined) => void): void {
  const bytes = new Uint8Array(proxyHeaderLimit);
  let length = 0;
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  const fail = (): void => void socket.destroy();
  const take = (chunk: Buffer): void => {
    const before = length;
    length += chunk.copy(bytes, length);
    const header = readProxyHeader(bytes, length, 1);
    if (header === 'incomplete') return;
    if (header === 'invalid') {
      fail();
      return;
    }
    socket.off('data', take).off('error', fail).off('end', fail).off('close', stop);
    stop();
    socket.pause();
    const rest = chunk.subarray(header.length - before);
    if (rest.length > 0) socket.unshift(rest);
    done(header.source);
  };
  const stop = (): void => clearTimeout(timer);
  socket.on('data', take).on('error', fail).on('end', fail).on('close', stop);
}

/** Gives the connection its client's address, and keeps it for the socket that TLS will put around this one. */
function remember(secured: Map<string, Endpoint>, socket: Socket, source: Endpoint): void {
  const peer = peerOf(socket);
  secured.set(peer, source);
  socket.once('close', () => secured.delete(peer));
  disguise(socket, source);
}

function disguise(socket: Socket, { ip, port }: Endpoint): void {
  const family = ip.includes(':') ? 'IPv6' : 'IPv4';
  const values = { remoteAddress: ip, remotePort: port, remoteFamily: family };
  for (const [name, value] of Object.entries(values))
    Object.defineProperty(socket, name, { value, configurable: true });
}

/** One end of a connection, which no other has at the same time. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
