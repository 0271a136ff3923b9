import { once } from 'node:events';
import { type Socket as DatagramSocket, createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { serveUdp } from '@shoal/tracker-server';
import { exchange, httpOn, responsesIn, trackerOf } from '../support.ts';

const announce = (peer: number): string =>
  `/announce?info_hash=${'a'.repeat(20)}&peer_id=${String(peer).padStart(20, 'p')}&port=${6000 + peer}&left=0&compact=1`;
const request = (peer: number, more = '', before = ''): string =>
  `GET ${before}${announce(peer)} HTTP/1.1\r\nHost: t\r\n${more}\r\n`;

/** A connection on which one request was answered, and everything that came since. */
async function kept(port: number, first: string): Promise<{ send(text: string): void; rest(): Promise<Buffer> }> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  const closed = once(socket, 'close');
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(first);
  await once(socket, 'data');
  chunks.length = 0;
  return {
    send: (text) => void socket.write(text),
    rest: async () => {
      await closed;
      return Buffer.concat(chunks);
    },
  };
}

describe('an HTTP server that drains', () => {
  test.each([
    ['plain', ''],
    ['other', '/key'],
  ])('answers a connection of %s requests once more and says that it closes', async (_kind, before) => {
    await using server = await httpOn(trackerOf());
    const client = await kept(server.address.port, request(1, '', before));
    const drained = server.drain(5000);
    client.send(request(2, '', before));
    const responses = responsesIn(await client.rest());
    expect(responses.map(({ headers }) => headers.get('connection'))).toEqual(['close']);
    await drained;
  });

  test('answers all requests that came together', async () => {
    const tracker = trackerOf();
    await using server = await httpOn(tracker);
    const client = await kept(server.address.port, request(1));
    const drained = server.drain(5000);
    client.send(request(2) + request(3) + request(4));
    const responses = responsesIn(await client.rest());
    expect(responses.map(({ headers }) => headers.get('connection'))).toEqual(['keep-alive', 'keep-alive', 'close']);
    await drained;
    expect(tracker.counts.seeders).toBe(4);
  });

  test('takes nobody new, and waits no longer than it is told', async () => {
    await using server = await httpOn(trackerOf());
    await kept(server.address.port, request(1));
    await server.drain(1);
    await expect(exchange(server.address.port, request(2))).rejects.toThrow('ECONNREFUSED');
  });
});

describe('a server that is given a socket', () => {
  test('serves HTTP on it, and closes it', async () => {
    const given = createServer().listen(0, '127.0.0.1');
    await once(given, 'listening');
    const address = given.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    {
      await using server = await httpOn(trackerOf(), { inherit: async () => given });
      expect(server.address.port).toBe(port);
      const [response] = responsesIn(await exchange(port, request(1, 'Connection: close\r\n')));
      expect(response?.status).toBe(200);
    }
    await expect(exchange(port, request(2))).rejects.toThrow('ECONNREFUSED');
  });

  test('serves UDP on it', async () => {
    const given = createSocket('udp4').bind(0, '127.0.0.1');
    await once(given, 'listening');
    const { port } = given.address();
    await using server = await serveUdp(trackerOf(), { inherit: async () => given });
    expect(server.address.port).toBe(port);
    const client = createSocket('udp4');
    const connects = Array.from({ length: 40 }, (_, transaction) => {
      const bytes = new DataView(new ArrayBuffer(16));
      bytes.setBigUint64(0, 0x417_2710_1980n);
      bytes.setUint32(12, transaction);
      return new Uint8Array(bytes.buffer);
    });
    const answered = transactionsOf(client, connects.length);
    for (const bytes of connects) client.send(bytes, port, '127.0.0.1');
    // Each has the answer to its own request.
    expect((await answered).toSorted((one, other) => one - other)).toEqual(
      connects.map((_, transaction) => transaction),
    );
    client.close();
  });

  test('binds its own where none is given', async () => {
    await using http = await httpOn(trackerOf(), { inherit: async () => undefined });
    await using udp = await serveUdp(trackerOf(), { host: '127.0.0.1', port: 0, inherit: async () => undefined });
    expect(http.address.port).toBeGreaterThan(0);
    expect(udp.address.port).toBeGreaterThan(0);
  });
});

async function transactionsOf(socket: DatagramSocket, count: number): Promise<number[]> {
  const transactions: number[] = [];
  return new Promise((resolve) => {
    socket.on('message', (bytes) => {
      transactions.push(bytes.readUInt32BE(4));
      if (transactions.length === count) resolve(transactions);
    });
  });
}
