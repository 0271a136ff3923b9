import { expect, test } from 'vitest';
import { decodeUdpReply, encodeUdpConnectRequest, encodeUdpScrapeRequest } from '@shoal/tracker-protocol';
import { type DatagramSender, UdpAnswerer } from '../src/udp/answerer.ts';
import { type SwarmService, createTraffic, localService } from '../src/index.ts';
import { trackerOf } from './support.ts';

/** A kernel that takes nothing until it is told to. */
class FullKernel implements DatagramSender {
  readonly queue: Uint8Array[] = [];

  send(bytes: Uint8Array): void {
    this.queue.push(bytes);
  }

  getSendQueueCount(): number {
    return this.queue.length;
  }
}

test('trackers 64: answers that wait for the kernel are not overwritten, and no more than 1024 wait', () => {
  const kernel = new FullKernel();
  const traffic = createTraffic();
  const answerer = new UdpAnswerer(localService(trackerOf()), kernel, traffic.udp, 1000);
  const from = { address: '127.0.0.1', family: 'IPv4', port: 1, size: 16 } as const;
  const request = new Uint8Array(16);
  for (let id = 0; id < 1100; id++) {
    encodeUdpConnectRequest(request, id);
    answerer.receive(request, from, 0);
  }
  expect(kernel.queue.map((bytes) => decodeUdpReply(bytes, 4)?.transactionId)).toEqual(
    Array.from({ length: 1024 }, (_, id) => id),
  );
  expect(traffic.udp.dropped).toBe(76);
});

test('an answer that left at once leaves its buffer to the next', () => {
  const buffers = new Set<ArrayBufferLike>();
  const sender: DatagramSender = { send: (bytes) => buffers.add(bytes.buffer), getSendQueueCount: () => 0 };
  const answerer = new UdpAnswerer(localService(trackerOf()), sender, createTraffic().udp, 1000);
  const request = new Uint8Array(16);
  encodeUdpConnectRequest(request, 1);
  for (let turn = 0; turn < 10; turn++)
    answerer.receive(request, { address: '::1', family: 'IPv6', port: 1, size: 16 }, 0);
  expect(buffers.size).toBe(1);
});

test('errors that come late do not make room for more of them', () => {
  const kernel = new FullKernel();
  const late: (() => void)[] = [];
  const service: SwarmService = {
    announce: () => expect.unreachable(),
    scrape: (_hashes, _now, done) => void late.push(() => done({ failureReason: 'away' })),
  };
  const answerer = new UdpAnswerer(service, kernel, createTraffic().udp, 2, { connectionIds: 'off' });
  const ask = (now: number): void => {
    const request = new Uint8Array(36);
    encodeUdpScrapeRequest(request, 1, { high: 0, low: 0 }, [new Uint8Array(20)]);
    answerer.receive(request, { address: '127.0.0.1', family: 'IPv4', port: 1, size: 36 }, now);
  };
  for (const now of [1000, 5000, 1000, 5000, 1000, 5000]) ask(now);
  for (const answer of late) answer();
  expect(kernel.queue).toHaveLength(3);
});

test.each([
  ['trackers 60: from port 0', { address: '127.0.0.1', port: 0 }],
  ['from an address that is none', { address: 'nowhere', port: 1 }],
])('a datagram %s is dropped', (_, from) => {
  const kernel = new FullKernel();
  const request = new Uint8Array(16);
  encodeUdpConnectRequest(request, 1);
  new UdpAnswerer(localService(trackerOf()), kernel, createTraffic().udp, 1000).receive(
    request,
    { family: 'IPv4', size: 16, ...from },
    0,
  );
  expect(kernel.queue).toEqual([]);
});

test('a link-local client is answered, whatever its zone is called', () => {
  const kernel = new FullKernel();
  const request = new Uint8Array(16);
  encodeUdpConnectRequest(request, 1);
  const from = { address: 'fe80::1%eth0', family: 'IPv6', port: 1, size: 16 } as const;
  new UdpAnswerer(localService(trackerOf()), kernel, createTraffic().udp, 1000).receive(request, from, 0);
  expect(kernel.queue).toHaveLength(1);
});
