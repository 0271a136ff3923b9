import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { NatChecker, type NatCheckOptions } from '../../src/index.ts';
import { isHandshakeOf } from '../../src/nat-check/handshake.ts';
import type { ProbeResult } from '../../src/nat-check/probe.ts';
import { Verdicts } from '../../src/nat-check/verdicts.ts';
import { mulberry32, someHash } from '../support.ts';
import { Listener, closedPort, handshakeOf } from './listeners.ts';

const loopback = Uint8Array.of(127, 0, 0, 1);

function checkerOf(options: NatCheckOptions = {}): NatChecker {
  return new NatChecker({ mode: 'require', localAddresses: true, random: mulberry32(1), timeoutMs: 5000, ...options });
}

function look(checker: NatChecker, port: number, address: Uint8Array = loopback): Promise<ProbeResult | 'refused'> {
  return new Promise((resolve) => {
    if (!checker.look(address, port, someHash, 0, resolve)) resolve('refused');
  });
}

describe('a look at', () => {
  test('a peer of the torrent sends 48 bytes and finds it reachable', async () => {
    await using peer = await Listener.peer();
    using checker = checkerOf();
    expect(await look(checker, peer.port)).toBe('reachable');
    expect(peer.received).toEqual([handshakeOf(someHash).fill(0, 20, 28).subarray(0, 48)]);
    expect(checker.verdict(loopback, peer.port, someHash, performance.now())).toEqual({
      state: 'reachable',
      isDue: false,
    });
    expect(checker.counts).toEqual({ reachable: 1, unreachable: 0, failed: 0, skipped: 0, pending: 0, remembered: 1 });
  });

  test('a peer that sends its handshake byte by byte, or no peer id', async () => {
    await using slow = await Listener.open((socket) => {
      if (socket.bytesWritten === 0) for (const byte of handshakeOf(someHash)) socket.write(Uint8Array.of(byte));
    });
    await using short = await Listener.open((socket) => socket.write(handshakeOf(someHash).subarray(0, 48)));
    using checker = checkerOf();
    expect([await look(checker, slow.port), await look(checker, short.port)]).toEqual(['reachable', 'reachable']);
  });

  test('a port where nothing listens finds no connection', async () => {
    using checker = checkerOf();
    const port = await closedPort();
    expect(await look(checker, port)).toBe('no-connection');
    expect(checker.verdict(loopback, port, someHash, 0).state).toBe('no-connection');
  });

  test.each<[string, (socket: Socket) => void]>([
    ['a web server', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a peer of another torrent', (socket) => socket.write(handshakeOf(new Uint8Array(20)))],
    ['a peer that hangs up', (socket) => socket.destroy()],
    ['half a handshake', (socket) => socket.end(handshakeOf(someHash).subarray(0, 47))],
    ['a flood', (socket) => socket.write(Buffer.alloc(1_000_000, 'x'))],
  ])('%s finds no handshake', async (_, answer) => {
    await using listener = await Listener.open(answer);
    using checker = checkerOf();
    expect(await look(checker, listener.port)).toBe('no-handshake');
  });

  test('somebody who says nothing ends in time', async () => {
    await using silent = await Listener.open(() => undefined);
    using checker = checkerOf({ timeoutMs: 50 });
    expect(await look(checker, silent.port)).toBe('no-handshake');
  });
});

describe('several torrents of one announcer', () => {
  const lookFor = (checker: NatChecker, port: number, infoHash: Uint8Array): Promise<ProbeResult> =>
    new Promise((resolve) => checker.look(loopback, port, infoHash, 0, resolve));
  const hashes = [9, 8, 7].map((fill) => new Uint8Array(20).fill(fill));

  test('share one look where it answers', async () => {
    await using peer = await Listener.peer();
    using checker = checkerOf();
    const looks = [someHash, ...hashes].map((infoHash) => lookFor(checker, peer.port, infoHash));
    expect(await Promise.all(looks)).toEqual(looks.map(() => 'reachable'));
    expect(peer.connections).toBe(1);
  });

  test('are looked for one by one until one is answered', async () => {
    await using peer = await Listener.open((socket, received) => {
      if (received.subarray(28).equals(someHash)) socket.write(handshakeOf(someHash));
      else socket.end();
    });
    using checker = checkerOf();
    const looks = [hashes[0]!, hashes[1]!, someHash, hashes[2]!].map((hash) => lookFor(checker, peer.port, hash));
    expect(await Promise.all(looks)).toEqual(['no-handshake', 'no-handshake', 'reachable', 'reachable']);
    expect(peer.connections).toBe(3);
  });
});

describe('what is bounded', () => {
  test('looks at once: the others wait their turn', async () => {
    let open = 0;
    let most = 0;
    const sockets: Socket[] = [];
    const count = (socket: Socket): void => {
      most = Math.max(most, ++open);
      sockets.push(socket);
      socket.on('close', () => open--);
      // Each answers only after another has come, so that as many as possible are open at once.
      if (sockets.length >= 2) for (const waiting of sockets.splice(0)) waiting.write(handshakeOf(someHash));
    };
    const listeners = await Promise.all(Array.from({ length: 8 }, () => Listener.open(count)));
    using checker = checkerOf({ concurrency: 2 });
    const results = await Promise.all(listeners.map(({ port }) => look(checker, port)));
    expect(results).toEqual(listeners.map(() => 'reachable'));
    expect(most).toBe(2);
    await Promise.all(listeners.map((listener) => listener[Symbol.asyncDispose]()));
  });

  test('announcers that wait, and all the announces that wait for them', async () => {
    await using silent = await Listener.open(() => undefined);
    using checker = checkerOf({ concurrency: 1, queueLength: 20 });
    const first = Array.from({ length: 1001 }, () => look(checker, silent.port));
    expect(await first[1000]).toBe('refused');
    for (let port = 1; port < 10; port++) for (let count = 0; count < 1000; count++) void look(checker, port);
    expect(await look(checker, 10)).toBe('refused');
    using other = checkerOf({ concurrency: 1, queueLength: 2 });
    for (const port of [silent.port, 1001, 1002]) void look(other, port);
    expect(await look(other, 1003)).toBe('refused');
    expect(other.counts).toMatchObject({ pending: 3, skipped: 1 });
  });

  test('looks for one address', async () => {
    const port = await closedPort();
    using checker = checkerOf({ concurrency: 1 });
    const results = await Promise.all(Array.from({ length: 30 }, (_, at) => look(checker, at === 0 ? port : 1 + at)));
    expect(results.filter((result) => result === 'refused')).toHaveLength(10);
  });

  test('what is remembered', () => {
    const verdicts = new Verdicts(3);
    for (const name of ['a', 'b', 'c', 'a', 'd']) verdicts.judge(name, someHash, 'reachable', 0);
    expect(['a', 'b', 'c', 'd'].map((name) => verdicts.of(name, someHash, 0).state)).toEqual([
      'reachable',
      'unknown',
      'reachable',
      'reachable',
    ]);
    expect(verdicts.size).toBe(3);
  });
});

describe('a verdict', () => {
  test('lasts half an hour for who was reached, five minutes for who was not', () => {
    const verdicts = new Verdicts(10);
    verdicts.judge('in', someHash, 'reachable', 1000);
    verdicts.judge('out', someHash, 'no-connection', 1000);
    expect([1_800_999, 1_801_000].map((now) => verdicts.of('in', someHash, now).isDue)).toEqual([false, true]);
    expect([300_999, 301_000].map((now) => verdicts.of('out', someHash, now).isDue)).toEqual([false, true]);
    expect(verdicts.of('in', someHash, 9e9).state).toBe('reachable');
  });

  test('is turned against who was reached only by two looks in a row', () => {
    const verdicts = new Verdicts(10);
    const states = (['reachable', 'no-connection', 'reachable', 'no-handshake', 'no-connection'] as const).map(
      (result) => {
        verdicts.judge('peer', someHash, result, 0);
        return verdicts.of('peer', someHash, 0).state;
      },
    );
    expect(states).toEqual(['reachable', 'reachable', 'reachable', 'reachable', 'no-connection']);
  });

  test('for one torrent speaks for all of a peer that answered, and for itself alone of one that did not', () => {
    const [verdicts, other] = [new Verdicts(10), new Uint8Array(20).fill(9)];
    verdicts.judge('peer', other, 'no-handshake', 0);
    expect([other, someHash].map((hash) => verdicts.of('peer', hash, 0).state)).toEqual(['no-handshake', 'unknown']);
    verdicts.judge('peer', someHash, 'reachable', 0);
    for (let count = 0; count < 3; count++) verdicts.judge('peer', other, 'no-handshake', 0);
    expect([other, someHash].map((hash) => verdicts.of('peer', hash, 0).state)).toEqual(['reachable', 'reachable']);
    for (let count = 0; count < 2; count++) verdicts.judge('peer', other, 'no-connection', 0);
    expect(verdicts.of('peer', someHash, 0).state).toBe('no-connection');
  });

  test('is not touched by a look that could not be taken', () => {
    const verdicts = new Verdicts(10);
    verdicts.judge('peer', someHash, 'failed', 0);
    expect(verdicts.of('peer', someHash, 0)).toEqual({ state: 'unknown', isDue: true });
  });
});

describe('addresses that are looked at', () => {
  test.each([
    [[203, 0, 113, 5], false, true],
    [[127, 0, 0, 1], false, false],
    [[10, 0, 0, 1], false, false],
    [[10, 0, 0, 1], true, true],
    [[0, 0, 0, 0], true, false],
    [[224, 0, 0, 1], true, false],
  ])('%j with local addresses %s: %s', (bytes, localAddresses, expected) => {
    expect(checkerOf({ localAddresses }).concerns(Uint8Array.from(bytes))).toBe(expected);
  });

  test('are none while the check is off', () => {
    using checker = checkerOf({ mode: 'off' });
    expect(checker.concerns(loopback)).toBe(false);
    checker.mode = 'warn';
    expect(checker.concerns(loopback)).toBe(true);
  });
});

test('disposing ends all looks, and who waits hears of it', async () => {
  await using silent = await Listener.open(() => undefined);
  const checker = checkerOf({ concurrency: 1 });
  const looks = [look(checker, silent.port), look(checker, 1001)];
  checker[Symbol.dispose]();
  expect(await Promise.all(looks)).toEqual(['failed', 'failed']);
  expect(await look(checker, silent.port)).toBe('refused');
});

test('a handshake is incomplete until its 48th byte, and wrong at the first wrong one', () => {
  const bytes = handshakeOf(someHash);
  for (let length = 0; length < 48; length++) expect(isHandshakeOf(someHash, bytes, length)).toBe('incomplete');
  expect(isHandshakeOf(someHash, bytes, 68)).toBe(true);
  for (const at of [0, 1, 19, 28, 47]) {
    const wrong = Uint8Array.from(bytes);
    wrong[at]! ^= 1;
    expect([isHandshakeOf(someHash, wrong, at), isHandshakeOf(someHash, wrong, at + 1)]).toEqual(['incomplete', false]);
  }
});
