// The port while nobody has proved anything yet: silent strangers must neither shut others out nor outlive it.
import { once } from 'node:events';
import net from 'node:net';
import { encodeHandshake } from '@shoal/wire';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Listener, type Introduced } from '../src/listener.ts';
import { PeerSocket } from '../src/tcp.ts';

async function openListener(maxPending: number): Promise<{ listener: Listener; introduced: Promise<Introduced> }> {
  const { promise: introduced, resolve } = Promise.withResolvers<Introduced>();
  const options = { port: 0, bind: '127.0.0.1', maxPending, timeoutMs: 60_000 };
  const listener = await Listener.open(options, resolve);
  onTestFinished(() => listener.close());
  return { listener, introduced };
}

/** A connection that says nothing; the listener accepts in the order in which these are made. */
async function silent(port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'connect');
  return socket;
}

const infoHash = new Uint8Array(20).fill(7);
const handshake = encodeHandshake({ infoHash, peerId: new Uint8Array(20).fill(66) });

describe('connections that say nothing', () => {
  test('clients 11: make room, the oldest first, when as many are pending as may be', async () => {
    const { listener, introduced } = await openListener(2);
    const oldest = await silent(listener.port);
    await silent(listener.port);
    const closed = once(oldest, 'close');
    const honest = await silent(listener.port);
    honest.write(handshake);
    const { socket, bytes } = await introduced;
    expect(bytes).toEqual(handshake);
    socket.destroy();
    await closed;
  });

  test('leave no timer behind when the port is closed', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { listener, introduced } = await openListener(10);
    await silent(listener.port);
    // Accepted later, so the silent one is pending by now.
    (await silent(listener.port)).write(handshake);
    (await introduced).socket.destroy();
    expect(vi.getTimerCount()).toBe(1);
    await listener.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a socket that is hung up', () => {
  test('is gone after two seconds, however slowly the peer reads what is left', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const server = net.createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const reader = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
    onTestFinished(() => void reader.destroy());
    reader.on('error', () => {});
    reader.pause();
    const [ours] = (await once(server, 'connection')) as [net.Socket];
    onTestFinished(() => void ours.destroy());
    const peer = new PeerSocket(ours);
    for (let sent = 0; sent < 64 && ours.writableLength < 1024 * 1024; sent++) peer.send(new Uint8Array(1024 * 1024));
    peer.close();
    vi.advanceTimersByTime(1999);
    expect(ours.destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    expect(ours.destroyed).toBe(true);
    await once(ours, 'close');
    expect(vi.getTimerCount()).toBe(0);
  });
});
