import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PackedReply, PeerSample } from '@shoal/tracker';
import { AnswerReader, listingLength, rareAnswer, writeListing, writeRare } from '../../src/workers/answer-records.ts';
import { longestAnnounce, readQuestion, writeAnnounce, writeScrape } from '../../src/workers/question-records.ts';

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const counter = fc.maxSafeNat();
const latin1 = fc.string({ unit: 'binary-ascii', maxLength: 100 });
const maybe = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(value, { nil: undefined });

const request = fc.record({
  infoHash: bytes(20),
  peerId: bytes(20),
  port: fc.nat(65_535),
  uploaded: counter,
  downloaded: counter,
  left: maybe(counter),
  event: fc.constantFrom('none', 'started', 'completed', 'stopped', 'paused'),
  numWant: maybe(fc.nat(0x7fff_ffff)),
  key: maybe(fc.oneof(fc.nat(0xffff_ffff), latin1)),
  compact: maybe(fc.boolean()),
  noPeerId: maybe(fc.constant(true)),
  trackerId: maybe(latin1),
  last: maybe(fc.nat()),
  ip: maybe(latin1),
  ipv4: maybe(fc.record({ ip: latin1, port: fc.nat(65_535) })),
});

const memory = new Uint8Array(200_000);
const view = new DataView(memory.buffer);

test('an announce is the same on both sides', () => {
  const wanted = fc.record({ families: fc.constantFrom('own', 'both'), withPeerIds: fc.boolean() });
  fc.assert(
    fc.property(request, fc.oneof(bytes(4), bytes(16)), wanted, fc.nat(), (announce, address, wants, id) => {
      const length = writeAnnounce(memory, view, 16, id, announce, address, wants);
      expect(length).toBeLessThanOrEqual(longestAnnounce);
      const question = readQuestion(memory, view, 16, length);
      expect(question).toMatchObject({ kind: 'announce', id, address, wanted: wants });
      if (question.kind === 'announce') expect({ ...announce, ...question.request }).toEqual(announce);
    }),
  );
});

test('whoever wants more peers than there are numbers for wants many on the other side too', () => {
  const announce = { infoHash: new Uint8Array(20), peerId: new Uint8Array(20), port: 1, uploaded: 0, downloaded: 0 };
  const greedy = { ...announce, left: 0, event: 'none', numWant: 2 ** 32 + 5 } as const;
  const wanted = { families: 'both', withPeerIds: false } as const;
  const length = writeAnnounce(memory, view, 16, 1, greedy, new Uint8Array(4), wanted);
  expect(readQuestion(memory, view, 16, length)).toMatchObject({ request: { numWant: 0x7fff_ffff } });
});

test('a scrape is the same on both sides', () => {
  fc.assert(
    fc.property(fc.array(bytes(20), { maxLength: 74 }), fc.nat(), (infoHashes, id) => {
      const length = writeScrape(memory, view, 8, id, infoHashes);
      expect(length).toBe(8 + 20 * infoHashes.length);
      expect(readQuestion(memory, view, 8, length)).toEqual({ kind: 'scrape', id, infoHashes });
    }),
  );
});

const count = fc.nat(0xffff_ffff);

test('an answer is the same on both sides', () => {
  const head = fc.record({
    interval: fc.nat(86_400),
    minInterval: maybe(fc.nat(86_400)),
    warning: maybe(latin1),
    trackerId: maybe(latin1),
    last: maybe(fc.nat()),
    numPeers: maybe(fc.nat()),
  });
  const list = fc.array(fc.tuple(bytes(18), bytes(20)), { maxLength: 60 });
  const counts = fc.record({ seeders: count, leechers: count, partialSeeds: count, completed: count, mark: counter });
  const reader = new AnswerReader();
  fc.assert(
    fc.property(head, counts, list, list, fc.boolean(), fc.nat(), (rest, numbers, four, six, withIds, id) => {
      const sample = Object.assign(new PeerSample(1000), numbers);
      for (const [records, peers] of [
        [sample.ipv4, four],
        [sample.ipv6, six],
      ] as const) {
        records.count = peers.length;
        for (const [index, [record, peerId]] of peers.entries()) {
          records.records.set(record.subarray(0, records.stride), index * records.stride);
          records.peerIds.set(peerId, index * 20);
        }
      }
      const reply: PackedReply = { ...rest, sample };
      const length = writeListing(memory, view, 8, id, reply, withIds);
      expect(length).toBeLessThanOrEqual(listingLength(reply));
      const answer = reader.read(memory, view, 8, length);
      if (answer.kind !== 'listing') throw new Error('not a listing');
      const { sample: read, ...others } = answer.reply;
      expect(answer.id).toBe(id);
      expect(others).toEqual(rest);
      expect(read).toMatchObject(numbers);
      for (const family of ['ipv4', 'ipv6'] as const) {
        expect(read[family].packed()).toEqual(sample[family].packed());
        const ids = sample[family].count * 20;
        if (withIds) expect(read[family].peerIds.subarray(0, ids)).toEqual(sample[family].peerIds.subarray(0, ids));
      }
    }),
    { numRuns: 50 },
  );
});

test('refusals and counts are the same on both sides', () => {
  const reader = new AnswerReader();
  const refusal = { failureReason: 'nö', retryIn: 'never', interval: 7 } as const;
  const counts = [undefined, { complete: 1, incomplete: 2, downloaded: 3, downloaders: 1 }];
  const first = writeRare(memory, view, 0, 5, 'refusal', rareAnswer(refusal));
  expect(reader.read(memory, view, 0, first)).toEqual({ kind: 'refusal', id: 5, failure: refusal });
  const second = writeRare(memory, view, 0, 6, 'counts', rareAnswer(counts));
  expect(reader.read(memory, view, 0, second)).toEqual({ kind: 'counts', id: 6, counts });
});
