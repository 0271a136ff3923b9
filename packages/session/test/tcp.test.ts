// Peer sockets on real loopback connections, with and without rate limits.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { encodeHandshake } from '@shoal/wire';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Listener } from '../src/listener.ts';
import { RateLimit } from '../src/rate-limit/limiter.ts';
import { Pacer } from '../src/rate-limit/pacer.ts';
import { accepted, Dialer, ReceiveBuffer, type PeerSocket } from '../src/tcp.ts';

interface Pair {
  readonly dialled: PeerSocket;
  readonly accepted: PeerSocket;
}

/** Two ends of one connection. `prepare` sees the accepted socket before it is wrapped. */
async function connect(prepare: (raw: net.Socket) => void = () => {}, buffer = new ReceiveBuffer()): Promise<Pair> {
  const server = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const incoming = once(server, 'connection') as Promise<[net.Socket]>;
  const dialer = new Dialer({ localAddress: undefined, timeoutMs: 5000 });
  const { port } = server.address() as net.AddressInfo;
  const dialled = await new Promise<PeerSocket>((resolve, reject) =>
    dialer.dial({ ip: '127.0.0.1', port }, (socket, reason) =>
      socket === undefined ? reject(new Error(reason)) : resolve(socket),
    ),
  );
  const [raw] = await incoming;
  prepare(raw);
  const pair = { dialled, accepted: accepted(raw, buffer) };
  onTestFinished(async () => {
    pair.dialled.destroy();
    pair.accepted.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return pair;
}

/** Node without what `accepted` reads faster with. */
const withoutOnread = (raw: net.Socket): void => {
  Object.defineProperty((raw as unknown as { _handle: object })._handle, 'useUserBuffer', { value: undefined });
};

/** Everything a socket receives until its end, and its end. */
class Sink {
  readonly chunks: Uint8Array[] = [];
  length = 0;
  readonly ended: Promise<string>;
  readonly #marks: { length: number; resolve: () => void }[] = [];

  constructor(socket: PeerSocket) {
    this.ended = new Promise((resolve) =>
      socket.attach({
        ended: resolve,
        bytes: (chunk, start, end) => {
          this.chunks.push(new Uint8Array(chunk.subarray(start, end)));
          // Whoever keeps the chunk instead of a copy reads this.
          chunk.fill(0xee, start, end);
          this.length += end - start;
          for (const mark of this.#marks) if (this.length >= mark.length) mark.resolve();
        },
      }),
    );
  }

  get bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.chunks));
  }

  reached(length: number): Promise<void> {
    return new Promise((resolve) => {
      this.#marks.push({ length, resolve });
      if (this.length >= length) resolve();
    });
  }
}

/** Time passed, and how much of it this process was busy elsewhere or not run at all. */
class Stopwatch {
  readonly #startedAt = performance.now();
  readonly #timer = setInterval(() => this.#look(), 10);
  #lookedAt = this.#startedAt;
  #stalledMs = 0;

  stop(): { seconds: number; awakeSeconds: number } {
    this.#look();
    clearInterval(this.#timer);
    const elapsedMs = this.#lookedAt - this.#startedAt;
    return { seconds: elapsedMs / 1000, awakeSeconds: (elapsedMs - this.#stalledMs) / 1000 };
  }

  #look(): void {
    const now = performance.now();
    // A timer of 10 ms that comes after 20 was not late.
    this.#stalledMs += now - this.#lookedAt > 20 ? now - this.#lookedAt - 10 : 0;
    this.#lookedAt = now;
  }
}

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const sent = (socket: PeerSocket, bytes: Uint8Array): Promise<boolean> =>
  new Promise((resolve) => socket.send(bytes, resolve));

describe.each([
  ['with onread on both sides', undefined],
  ["with 'data' events on the accepting side", withoutOnread],
])('a pair of sockets %s', (_, prepare) => {
  test('carries bytes both ways, in order and whole, and counts them', async () => {
    const { dialled, accepted } = await connect(prepare);
    const [there, back] = [new Sink(accepted), new Sink(dialled)];
    const [ping, pong] = [random(3_000_001), random(1_000_003)];
    expect(await Promise.all([sent(dialled, ping), sent(accepted, pong)])).toEqual([true, true]);
    await Promise.all([there.reached(ping.length), back.reached(pong.length)]);
    expect(Buffer.compare(there.bytes, ping)).toBe(0);
    expect(Buffer.compare(back.bytes, pong)).toBe(0);
    expect([dialled.sentBytes, accepted.receivedBytes]).toEqual([ping.length, ping.length]);
    expect([accepted.sentBytes, dialled.receivedBytes]).toEqual([pong.length, pong.length]);
  });

  test('says the end of the one to the other', async () => {
    const { dialled, accepted } = await connect(prepare);
    const end = new Sink(accepted).ended;
    dialled.close();
    expect(await end).toBe('the peer closed the connection');
    expect(await sent(accepted, random(1))).toBe(false);
  });

  test('keeps bytes whole and in order under any limits, changed on the way', async () => {
    const rates = fc.oneof(fc.integer({ min: 300_000, max: 30_000_000 }), fc.constant(Infinity));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.tuple(rates, rates), { minLength: 1, maxLength: 4 }),
        async (lengths, changes) => {
          const { dialled, accepted } = await connect(prepare);
          const pacer = new Pacer();
          const [down, up] = [new RateLimit(pacer.down), new RateLimit(pacer.up)];
          accepted.limit(pacer, down, up);
          dialled.limit(pacer, down, up);
          const sink = new Sink(accepted);
          const messages = lengths.map((length) => random(length));
          const all = new Uint8Array(Buffer.concat(messages));
          const left: Promise<boolean>[] = [];
          for (const [index, message] of messages.entries()) {
            const [downRate, upRate] = changes[index % changes.length]!;
            down.bytesPerSecond = downRate;
            up.bytesPerSecond = upRate;
            left.push(sent(dialled, message));
            if (index % 2 === 0) await sink.reached(sink.length + 1 > all.length ? 0 : Math.min(1, message.length));
          }
          await sink.reached(all.length);
          expect(Buffer.compare(sink.bytes, all)).toBe(0);
          expect(new Set(await Promise.all(left))).toEqual(new Set([true]));
          dialled.destroy();
          accepted.destroy();
        },
      ),
      { numRuns: 15 },
    );
  });
});

describe('a limited socket', () => {
  test.each([
    [200_000, 'received by the dialling side'],
    [200_000, 'received by the accepting side'],
    [200_000, 'sent by the dialling side'],
    [20_000_000, 'received by the dialling side'],
    [20_000_000, 'received by the accepting side'],
    [20_000_000, 'received by the accepting side, with events'],
    [20_000_000, 'sent by the accepting side'],
  ])('moves %d B/s %s where so many are allowed', async (rate, where) => {
    const pair = await connect(where.endsWith('events') ? withoutOnread : undefined);
    const toDialler = where === 'received by the dialling side' || where === 'sent by the accepting side';
    const [from, to] = toDialler ? [pair.accepted, pair.dialled] : [pair.dialled, pair.accepted];
    const pacer = new Pacer();
    if (where.startsWith('received')) to.limit(pacer, new RateLimit(pacer.down, rate), pacer.up);
    else from.limit(pacer, pacer.down, new RateLimit(pacer.up, rate));
    const sink = new Sink(to);
    const clock = new Stopwatch();
    const message = random(65_536);
    // One at a time, as a torrent that watches what has left does.
    const more = (ok: boolean): void => (ok ? from.send(message, more) : undefined);
    more(true);
    more(true);
    await sink.reached(rate / 2);
    const { seconds, awakeSeconds } = clock.stop();
    // The bucket began empty, so nothing was saved; what a busy machine withheld from this process is not its fault.
    expect(sink.length / rate).toBeLessThanOrEqual(seconds);
    expect(sink.length / rate).toBeGreaterThan(0.9 * awakeSeconds);
  });

  /** 100 KiB sent to a side that may receive 1 MB/s, of which some is held back now. */
  async function holding(): Promise<Pair & { pacer: Pacer; sink: Sink; bytes: Uint8Array }> {
    const pair = await connect();
    const pacer = new Pacer();
    pair.accepted.limit(pacer, new RateLimit(pacer.down, 500_000), pacer.up);
    const sink = new Sink(pair.accepted);
    const bytes = random(100 * 1024);
    pair.dialled.send(bytes);
    await sink.reached(1);
    expect(sink.length).toBeLessThan(bytes.length);
    return { ...pair, pacer, sink, bytes };
  }

  test('shares the rate of its torrent with another one, half and half', async () => {
    const pacer = new Pacer();
    const torrent = new RateLimit(pacer.down, 2_000_000);
    const [first, second] = [await connect(), await connect()];
    const ends = [
      { from: first.dialled, to: first.accepted },
      { from: second.accepted, to: second.dialled },
    ];
    const sinks = ends.map(({ from, to }) => {
      to.limit(pacer, new RateLimit(torrent), pacer.up);
      const message = random(65_536);
      const more = (ok: boolean): void => (ok ? from.send(message, more) : undefined);
      more(true);
      more(true);
      return new Sink(to);
    });
    await sinks[0]!.reached(500_000);
    expect(Math.abs(sinks[1]!.length / sinks[0]!.length - 1)).toBeLessThan(0.15);
  });

  test('keeps what it holds while another one reads into the same memory', async () => {
    const buffer = new ReceiveBuffer();
    const [first, second] = [await connect(undefined, buffer), await connect(undefined, buffer)];
    const pacer = new Pacer();
    first.accepted.limit(pacer, new RateLimit(pacer.down, 500_000), pacer.up);
    const [sink, other] = [new Sink(first.accepted), new Sink(second.accepted)];
    const bytes = random(100_000);
    first.dialled.send(bytes);
    await sink.reached(1);
    expect(first.accepted.isPaused).toBe(true);
    second.dialled.send(random(100_000));
    await other.reached(100_000);
    await sink.reached(bytes.length);
    expect(Buffer.compare(sink.bytes, bytes)).toBe(0);
  });

  test('hands on everything that was received before the end', async () => {
    const { dialled, sink, bytes } = await holding();
    dialled.close();
    await sink.ended;
    expect(Buffer.compare(sink.bytes, bytes)).toBe(0);
  });

  test('hands on what it holds of a connection that broke, then its end', async () => {
    const { accepted, sink, bytes } = await holding();
    const before = sink.length;
    for (let i = 0; i < 10; i++) accepted.send(new Uint8Array(1024 * 1024));
    expect(await sink.ended).toBe('it does not read what we send');
    expect(sink.length).toBeGreaterThan(before);
    expect(Buffer.compare(sink.bytes, bytes.subarray(0, sink.length))).toBe(0);
  });

  test('hands on nothing after it is closed, and leaves no timer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { dialled, accepted, pacer } = await (async () => {
      const pair = await connect();
      const held = new Pacer();
      pair.accepted.limit(held, new RateLimit(held.down, 1000), new RateLimit(held.up, 1000));
      return { ...pair, pacer: held };
    })();
    const heard: number[] = [];
    accepted.attach({ bytes: (_, start, end) => heard.push(end - start), ended: () => heard.push(-1) });
    const before = vi.getTimerCount();
    const failed = sent(accepted, random(5000));
    dialled.send(random(5000));
    await vi.waitUntil(() => accepted.isPaused);
    expect(vi.getTimerCount()).toBe(before + 1);
    accepted.destroy();
    expect(await failed).toBe(false);
    expect(heard).toEqual([]);
    expect(vi.getTimerCount()).toBe(before);
    expect(pacer.down.held + pacer.up.held).toBe(0);
  });

  test('lets what was sent before it was closed leave within its limit', async () => {
    const { dialled, accepted } = await connect();
    const pacer = new Pacer();
    dialled.limit(pacer, pacer.down, new RateLimit(pacer.up, 500_000));
    const sink = new Sink(accepted);
    const bytes = random(60_000);
    const start = performance.now();
    dialled.send(bytes);
    dialled.close();
    await sink.ended;
    // Takes 120 ms; cutting it off would have taken two seconds.
    expect(performance.now() - start).toBeLessThan(1900);
    expect(Buffer.compare(sink.bytes, bytes)).toBe(0);
  });

  test('lets what was sent leave although it holds bytes back itself, and reads on for that', async () => {
    const { dialled, accepted } = await connect();
    const pacer = new Pacer();
    accepted.limit(pacer, new RateLimit(pacer.down, 1000), new RateLimit(pacer.up, 500_000));
    accepted.attach({ bytes: () => {}, ended: () => {} });
    const sink = new Sink(dialled);
    const there = sent(dialled, random(1_000_000));
    await vi.waitUntil(() => accepted.isPaused);
    const bytes = random(60_000);
    accepted.send(bytes);
    accepted.close();
    await sink.ended;
    expect(Buffer.compare(sink.bytes, bytes)).toBe(0);
    expect(await there).toBe(true);
    expect(accepted.receivedBytes).toBeGreaterThan(500_000);
    expect([pacer.down.held, pacer.up.held]).toEqual([0, 0]);
  });

  test('drops a peer that makes more wait than the limit lets out', async () => {
    const { dialled } = await connect();
    const pacer = new Pacer();
    dialled.limit(pacer, pacer.down, new RateLimit(pacer.up, 1));
    const sink = new Sink(dialled);
    const answers = Array.from({ length: 9 }, () => sent(dialled, new Uint8Array(1024 * 1024)));
    expect(await sink.ended).toBe('it asks for more than our upload limit lets out');
    expect(new Set(await Promise.all(answers))).toEqual(new Set([false]));
  });

  test('obeys another limit from then on, with what it holds', async () => {
    const { accepted, sink, bytes, pacer } = await holding();
    accepted.limit(pacer, pacer.down, pacer.up);
    await sink.reached(bytes.length);
    expect(Buffer.compare(sink.bytes, bytes)).toBe(0);
  });

  test('takes the limits of its own pacer only', async () => {
    const { dialled } = await connect();
    const pacer = new Pacer();
    expect(() => dialled.limit(pacer, pacer.up, pacer.up)).toThrow(TypeError);
  });
});

test('a connection obeys the limits the listener gives it, from its first byte on', async () => {
  const pacer = new Pacer();
  pacer.down.bytesPerSecond = 1;
  const { promise: paused, resolve } = Promise.withResolvers<PeerSocket>();
  const introduced = vi.fn();
  const options = { port: 0, bind: '127.0.0.1', maxPending: 1, timeoutMs: 60_000 };
  const limit = (socket: PeerSocket): void => (socket.limit(pacer, pacer.down, pacer.up), resolve(socket));
  const listener = await Listener.open({ ...options, limit }, introduced);
  onTestFinished(() => listener.close());
  const peer = net.connect(listener.port, '127.0.0.1');
  onTestFinished(() => void peer.destroy());
  peer.write(encodeHandshake({ infoHash: new Uint8Array(20), peerId: new Uint8Array(20) }));
  const socket = await paused;
  await vi.waitUntil(() => socket.isPaused);
  expect(introduced).not.toHaveBeenCalled();
  pacer.down.bytesPerSecond = Infinity;
  await vi.waitUntil(() => introduced.mock.calls.length === 1);
});

test('no timer runs while nothing is limited', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const { dialled, accepted } = await connect();
  const before = vi.getTimerCount();
  const pacer = new Pacer();
  for (const socket of [dialled, accepted]) socket.limit(pacer, new RateLimit(pacer.down), new RateLimit(pacer.up));
  const sink = new Sink(accepted);
  dialled.send(random(1_000_000));
  await sink.reached(1_000_000);
  expect(vi.getTimerCount()).toBe(before);
});
