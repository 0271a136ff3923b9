import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConformanceError } from '../src/index.ts';
import { bodyDictionary, readResponses } from '../src/http-response.ts';
import { httpTracker, ok, resultsOf, udpTracker } from './support.ts';

const pieces = [
  'HTTP/1.1 200 OK\r\n',
  'HTTP/1.1 404 No\r\n',
  'Content-Length: 5\r\n',
  'Content-Length: -60\r\n',
  'Content-Length: 1e3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Content-Encoding: gzip\r\n',
  '\r\n',
  '-5\r\n',
  '3\r\nabc\r\n',
  '0\r\n\r\n',
  'd8:intervali1e5:peers6:aaaaaae',
  'd5:filesde',
];

const responses = fc
  .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 8 })), { maxLength: 12 })
  .map((parts) => parts.join(''));

describe('a tracker may send anything', () => {
  test('whatever bytes stand for a response are read or refused, and no response is longer than the bytes', () => {
    fc.assert(
      fc.property(responses, fc.boolean(), (text, ended) => {
        const bytes = Buffer.from(text, 'latin1');
        try {
          for (const response of readResponses(bytes, ended)) {
            expect(response.body.length).toBeLessThanOrEqual(bytes.length);
            bodyDictionary(response);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(ConformanceError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('a response cut anywhere is read whole once it is whole, and never before', () => {
    const whole = Buffer.from(ok('d8:intervali1e5:peers0:e'), 'latin1');
    for (let cut = 0; cut < whole.length; cut++) expect(readResponses(whole.subarray(0, cut), false)).toEqual([]);
    expect(readResponses(Buffer.concat([whole, whole]), false)).toHaveLength(2);
  });

  test('over HTTP every case ends in a verdict', async () => {
    const samples = fc.sample(responses, { numRuns: 200, seed: 1 });
    let next = 0;
    await using tracker = await httpTracker(() => samples[next++ % samples.length]);
    const results = await resultsOf(tracker.url, { timeoutMs: 200, concurrency: 16 });
    expect(results.map(({ outcome }) => outcome)).not.toContain(undefined);
  });

  test('over HTTPS an address has no server name, and a tracker without TLS fails every case', async () => {
    const hellos: number[] = [];
    await using tracker = await httpTracker(
      () => undefined,
      false,
      (bytes) => hellos.push(bytes[0]!),
    );
    const results = await resultsOf(tracker.url.replace('http:', 'https:'), { only: new Set([1, 31]), timeoutMs: 300 });
    expect(results.map(({ outcome }) => outcome)).toEqual(['fail', 'fail']);
    // A TLS record of type handshake (RFC 8446 section 5.1).
    expect(new Set(hellos)).toEqual(new Set([22]));
  });

  test('over UDP every case ends in a verdict', async () => {
    const samples = fc.sample(fc.uint8Array({ maxLength: 60 }), { numRuns: 200, seed: 1 });
    let next = 0;
    await using tracker = await udpTracker((packet) => {
      const reply = Buffer.from(samples[next++ % samples.length]!);
      // A right transaction id and a known action get it past the door.
      if (reply.length >= 8 && packet.length >= 16) packet.copy(reply, 4, 12, 16);
      if (reply.length >= 4) reply.writeUInt32BE(next % 4, 0);
      return reply;
    });
    const results = await resultsOf(tracker.url, { timeoutMs: 200, concurrency: 16 });
    expect(results.map(({ outcome }) => outcome)).not.toContain(undefined);
  });
});
