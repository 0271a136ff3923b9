import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TextSocket, openTextSocket } from '../src/check/text-socket.ts';

let server: Server;
let stream: Duplex;
let heard: string[];
let socket: TextSocket;
let closed: Promise<void>;
let tell: () => void;
beforeEach(async () => {
  heard = [];
  tell = () => {};
  server = createServer().on('upgrade', ({ headers }, upgraded: Duplex) => {
    stream = upgraded.on('error', () => {});
    const proof = `${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash('sha1').update(proof).digest('base64');
    const head = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}`;
    // A first message may come with the head.
    stream.write(Buffer.concat([Buffer.from(`${head}\r\n\r\n`), frame(0x81, 'welcome')]));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  closed = promise;
  const events = {
    message: (message: string) => {
      heard.push(message);
      tell();
    },
    closed: resolve,
  };
  const at = { address: '127.0.0.1', family: 4 } as const;
  socket = await openTextSocket(`ws://tracker.test:${port}/`, at, events, AbortSignal.timeout(10_000));
});
afterEach(async () => {
  socket.close();
  stream.destroy();
  await new Promise((resolve) => server.close(resolve));
});

/** A frame as a server sends it. */
function frame(first: number, text: string): Buffer {
  const payload = Buffer.from(text);
  const head = Buffer.alloc(payload.length < 126 ? 2 : payload.length < 65_536 ? 4 : 10);
  head[0] = first;
  head[1] = head.length === 2 ? payload.length : head.length === 4 ? 126 : 127;
  if (head.length === 4) head.writeUInt16BE(payload.length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([head, payload]);
}

async function messages(count: number): Promise<string[]> {
  while (heard.length < count) await new Promise<void>((resolve) => (tell = resolve));
  return heard;
}

/** Everything that the client sends until `length` bytes are there. */
async function sent(length: number): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  while (bytes.length < length) bytes = Buffer.concat([bytes, ((await once(stream, 'data')) as [Buffer])[0]]);
  return bytes;
}

function unmasked(bytes: Buffer, at: number): string {
  const mask = bytes.subarray(at, at + 4);
  return Buffer.from(bytes.subarray(at + 4).map((byte, index) => byte ^ mask[index % 4]!)).toString();
}

describe('a WebSocket of a check', () => {
  test('hears messages of every length, in one frame or several, however their bytes are cut', async () => {
    const long = 'é'.repeat(40_000);
    const frames = [
      frame(0x81, 'a'),
      frame(0x81, 'b'.repeat(200)),
      frame(0x81, long),
      frame(1, 'one, '),
      frame(0, 'two, '),
    ];
    const bytes = Buffer.concat([...frames, frame(0x89, 'between'), frame(0x80, 'three'), frame(0x82, 'passed over')]);
    const cuts = [0, 1, 3, 4, 150, 206, 80_000, 80_230, bytes.length];
    for (const [index, cut] of cuts.slice(1).entries()) {
      stream.write(bytes.subarray(cuts[index], cut));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await messages(5)).slice(0, 5)).toEqual(['welcome', 'a', 'b'.repeat(200), long, 'one, two, three']);
  });

  test('masks what it says, whatever its length, and answers pings', async () => {
    socket.send('hello');
    const short = await sent(11);
    expect([...short.subarray(0, 2), unmasked(short, 2)]).toEqual([0x81, 0x85, 'hello']);
    socket.send('m'.repeat(300));
    const middle = await sent(308);
    expect([...middle.subarray(0, 4), unmasked(middle, 4)]).toEqual([0x81, 0xfe, 1, 44, 'm'.repeat(300)]);
    socket.send('l'.repeat(70_000));
    const long = await sent(70_014);
    expect([long[1], long.readBigUInt64BE(2), unmasked(long, 10).length]).toEqual([0xff, 70_000n, 70_000]);
    stream.write(frame(0x89, 'there?'));
    const pong = await sent(12);
    expect([pong[0], unmasked(pong, 2)]).toEqual([0x8a, 'there?']);
  });

  test.each([
    ['is masked', Buffer.of(0x81, 0x80, 0, 0, 0, 0)],
    ['would be too large', Buffer.of(0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0)],
    ['says goodbye', Buffer.of(0x88, 0)],
  ])('ends when a frame %s', async (_, bytes) => {
    stream.write(bytes);
    await closed;
  });

  test('ends when frames of one message become too many', async () => {
    stream.write(frame(1, 'x'.repeat(60_000)));
    for (let count = 0; count < 4; count++) stream.write(frame(0, 'x'.repeat(60_000)));
    await closed;
  });

  test('ends when its server does', async () => {
    stream.end();
    await closed;
  });
});
