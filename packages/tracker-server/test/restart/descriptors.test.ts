import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { listeningDescriptors } from '../../src/restart/descriptors.ts';
import { serveHttp, serveUdp } from '../../src/index.ts';
import { announceTarget, ask, httpOn, trackerOf } from '../support.ts';

describe.runIf(process.platform === 'linux')('sockets by their numbers', () => {
  test.each(['127.0.0.1', '0.0.0.0', '::1', '::'])('are found at %s, and nothing else there is', async (host) => {
    await using http = await serveHttp(trackerOf(), { host, port: 0, workers: 3 });
    await using udp = await serveUdp(trackerOf(), { host, port: 0, workers: 2 });
    // Connections have the same address here.
    await ask(http, announceTarget());
    const [ofHttp, ofUdp] = [await http.descriptors(), await udp.descriptors()];
    expect([ofHttp.length, ofUdp.length]).toEqual([3, 2]);
    expect(new Set([...ofHttp, ...ofUdp]).size).toBe(5);
    expect(await listeningDescriptors('udp', http.address)).toEqual([]);
    expect(await listeningDescriptors('http', { ...http.address, ip: '127.0.0.9' })).toEqual([]);
  });

  test('are none where one thread does everything: it has a socket to give', async () => {
    await using http = await httpOn(trackerOf());
    await using udp = await serveUdp(trackerOf(), { host: '127.0.0.1', port: 0 });
    expect([await http.descriptors(), await udp.descriptors()]).toEqual([[], []]);
    expect(http.listener).toBeDefined();
    expect(udp.socket).toBeDefined();
  });

  test('are those of sockets that are open', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    expect(await listeningDescriptors('udp', { ip: '127.0.0.1', port })).toHaveLength(1);
    socket.close();
    await once(socket, 'close');
    expect(await listeningDescriptors('udp', { ip: '127.0.0.1', port })).toEqual([]);
  });
});
