// Failures of our own where there are threads: whoever owns the server hears of them, clients are told to come back, and
// everybody else is served.
import { type Socket, createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { type PackedReply, PeerSample } from '@shoal/tracker';
import {
  type AnnounceFailure,
  decodeUdpReply,
  encodeUdpAnnounceRequest,
  encodeUdpConnectRequest,
  isFailure,
} from '@shoal/tracker-protocol';
import { type SwarmService, localService, serveUdp } from '../../src/index.ts';
import { ForwardingService } from '../../src/workers/forwarding-service.ts';
import { RingReader, RingWriter, ringMemory } from '../../src/workers/ring.ts';
import { SwarmOwner } from '../../src/workers/swarm-owner.ts';
import { announceTarget, ask, httpOn, someHash, somePeer, textOf, trackerOf } from '../support.ts';

const oddPort = 6667;

/** Answers as usual, except an announce of `oddPort`, of which `spoil` makes what it likes. */
function spoiled(spoil: (reply: PackedReply) => PackedReply): SwarmService {
  const inner = localService(trackerOf());
  return {
    ...inner,
    announce: (request, address, wanted, now, done) =>
      inner.announce(request, address, wanted, now, (reply) =>
        done(request.port === oddPort && !isFailure(reply) ? spoil(reply) : reply),
      ),
  };
}

const broken = (): never => {
  throw new Error('a mistake of ours');
};

describe.runIf(process.platform === 'linux')('a failure of our own', () => {
  test('in a thread of HTTP is told to who owns the server, and its client is told to come back', async () => {
    const errors: unknown[] = [];
    // More peers than any policy wants: it is the thread that has no room for them.
    const crowd = new PeerSample(1500);
    crowd.ipv4.count = 1500;
    const service = spoiled((reply) => ({ ...reply, sample: crowd }));
    await using server = await httpOn(trackerOf(), { workers: 2, service, onError: (error) => errors.push(error) });
    for (const path of ['/announce', '/announce', '/announce']) {
      const answer = await ask(server, announceTarget({ port: oddPort }, path));
      expect(textOf(answer.get('failure reason'))).toContain('failed to answer');
      expect(answer.get('interval')).toBe(60);
      expect((await ask(server, announceTarget({ port: 7000 }))).has('peers')).toBe(true);
    }
    // What it says goes another way than answers.
    await expect.poll(() => errors.length).toBe(3);
    expect(errors[0]).toBeInstanceOf(RangeError);
  });

  test('in who answers, behind threads of HTTP, is told as well, and no question is asked twice', async () => {
    const errors: unknown[] = [];
    let asked = 0;
    const service = spoiled(() => (asked++, broken()));
    await using server = await httpOn(trackerOf(), { workers: 2, service, onError: (error) => errors.push(error) });
    const answer = await ask(server, announceTarget({ port: oddPort }));
    expect(textOf(answer.get('failure reason'))).toContain('failed to answer');
    expect((await ask(server, announceTarget({ port: 7000 }))).has('peers')).toBe(true);
    expect(errors.map(String)).toEqual(['Error: a mistake of ours']);
    expect(asked).toBe(1);
  });

  test.each([1, 2])('in who answers UDP with %s workers is told, and others are answered', async (workers) => {
    const errors: unknown[] = [];
    const heard = { onError: (error: unknown): void => void errors.push(error) };
    const service = spoiled(broken);
    await using server = await serveUdp(trackerOf(), { host: '127.0.0.1', port: 0, workers, service, ...heard });
    const socket = createSocket('udp4');
    const bytes = new Uint8Array(98);
    const asking = asker(socket, server.address.port);
    const connected = await asking(bytes.subarray(0, encodeUdpConnectRequest(bytes, 1)));
    if (connected.action !== 'connect') throw new Error('no connection id');
    const announce = (port: number): Uint8Array => {
      const stay = { uploaded: 0, downloaded: 0, left: 1, event: 'none' } as const;
      const request = { ...stay, infoHash: someHash, peerId: somePeer, port };
      return bytes.subarray(0, encodeUdpAnnounceRequest(bytes, 2, connected.connectionId, request));
    };
    // Without threads there is nothing to be said: a datagram is lost, and asked for again.
    if (workers === 1) socket.send(announce(oddPort).slice(), server.address.port, '127.0.0.1');
    else expect((await asking(announce(oddPort))).action).toBe('error');
    expect((await asking(announce(7000))).action).toBe('announce');
    expect(errors.map(String)).toEqual(['Error: a mistake of ours']);
    socket.close();
  });
});

/** Sends a datagram and gives what comes next. */
function asker(socket: Socket, port: number): (bytes: Uint8Array) => Promise<Reply> {
  return async (bytes) => {
    socket.send(bytes.slice(), port, '127.0.0.1');
    const [answer] = (await once(socket, 'message')) as [Uint8Array];
    const reply = decodeUdpReply(answer, 4);
    if (reply === undefined) throw new Error('no reply');
    return reply;
  };
}

type Reply = NonNullable<ReturnType<typeof decodeUdpReply>>;

test('who cannot take an answer is told that there is none, others are answered, and its place is free again', () => {
  const [questions, answers] = [ringMemory(1 << 20), ringMemory(1 << 20)];
  const errors: unknown[] = [];
  const hear = (error: unknown): void => void errors.push(error);
  const silent = (): void => {};
  const service = localService(trackerOf());
  const forwarding = new ForwardingService(new RingWriter(questions, silent), new RingReader(answers), hear);
  const owner = new SwarmOwner(service, () => 0, new RingReader(questions), new RingWriter(answers, silent), hear);
  const heard: (PackedReply | AnnounceFailure)[] = [];
  const stay = { uploaded: 0, downloaded: 0, left: 1, event: 'none', infoHash: someHash, peerId: somePeer } as const;
  const announce = (port: number, done: (reply: PackedReply | AnnounceFailure) => void): void =>
    forwarding.announce(
      { ...stay, port },
      Uint8Array.of(10, 0, 0, 1),
      { families: 'own', withPeerIds: false },
      0,
      done,
    );
  // More often than there are places.
  for (let turn = 0; turn < 5000; turn++) {
    announce(1 + turn, (reply) => (isFailure(reply) ? heard.push(reply) : broken()));
    owner.serve();
    forwarding.collect();
  }
  announce(9, (reply) => heard.push(reply));
  owner.serve();
  forwarding.collect();
  expect(errors).toHaveLength(5000);
  expect(heard).toHaveLength(5001);
  expect(new Set(heard.slice(0, -1).map((reply) => isFailure(reply) && reply.failureReason))).toEqual(
    new Set(['the tracker failed to answer']),
  );
  expect(isFailure(heard.at(-1)!)).toBe(false);
  owner.close();
});
