import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type SignalReply,
  type SignalRequest,
  TrackerProtocolError,
  decodeSignalReply,
  decodeSignalRequest,
  encodeSignalReply,
  encodeSignalRequest,
  idBytes,
  idText,
  signalLimits,
} from '../../src/index.ts';
import { errorOf } from '../bytes.ts';

const id = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(idText);
const sdp = fc.string({ unit: 'binary', maxLength: 60 });
const counter = fc.maxSafeNat();
const counts = fc.record({ complete: counter, incomplete: counter, downloaded: counter });

const request: fc.Arbitrary<SignalRequest> = fc.oneof(
  fc.record({
    action: fc.constant('announce' as const),
    infoHash: id,
    peerId: id,
    uploaded: counter,
    downloaded: counter,
    left: fc.option(counter, { nil: undefined }),
    event: fc.constantFrom('started', 'completed', 'stopped', 'paused', 'none'),
    offers: fc.array(fc.record({ offerId: id, sdp }), { maxLength: signalLimits.offers }),
  }),
  fc.record({
    action: fc.constant('answer' as const),
    infoHash: id,
    peerId: id,
    toPeerId: id,
    offerId: id,
    sdp,
  }),
  fc.record({
    action: fc.constant('scrape' as const),
    infoHashes: fc.uniqueArray(id, { minLength: 1, maxLength: signalLimits.scrapedTorrents }),
  }),
);

const reply: fc.Arbitrary<SignalReply> = fc.oneof(
  fc.record({
    action: fc.constant('announce' as const),
    infoHash: id,
    interval: counter,
    minInterval: fc.option(counter, { nil: undefined }),
    complete: counter,
    incomplete: counter,
    warning: fc.option(sdp, { nil: undefined }),
  }),
  fc.record({
    action: fc.constantFrom('offer' as const, 'answer' as const),
    infoHash: id,
    peerId: id,
    offerId: id,
    sdp,
  }),
  fc.record({
    action: fc.constant('scrape' as const),
    files: fc.array(fc.tuple(id, counts), { maxLength: 8 }).map((entries) => new Map(entries)),
  }),
  fc.record({
    action: fc.constant('failure' as const),
    of: fc.constantFrom('announce' as const, 'scrape' as const, undefined),
    infoHash: fc.option(id, { nil: undefined }),
    failureReason: sdp,
    retryIn: fc.option(fc.oneof(counter, fc.constant('never' as const)), { nil: undefined }),
    interval: fc.option(counter, { nil: undefined }),
  }),
);

/** JSON that looks like a message in places. */
const hostileFields = fc.dictionary(
  fc.constantFrom(
    'action',
    'info_hash',
    'peer_id',
    'to_peer_id',
    'offers',
    'offer',
    'offer_id',
    'answer',
    'files',
    'left',
    'event',
    'failure reason',
    '__proto__',
    'constructor',
    'length',
  ),
  fc.oneof(
    id,
    fc.constantFrom('announce', 'scrape', 'started', null),
    fc.jsonValue(),
    fc.array(
      fc.dictionary(fc.constantFrom('offer', 'offer_id', 'type', 'sdp', '__proto__'), fc.oneof(id, fc.jsonValue())),
    ),
    fc.dictionary(
      fc.oneof(id, fc.constantFrom('type', 'sdp')),
      fc.oneof(fc.constantFrom('offer', 'answer'), fc.jsonValue()),
    ),
  ),
);

function expectOurError(run: () => unknown): void {
  const error = errorOf(run);
  if (error === undefined) return;
  expect(error).toBeInstanceOf(TrackerProtocolError);
  // What is sent back holds nothing of what came.
  expect((error as TrackerProtocolError).sendable).toMatch(/^[ -~]{1,100}$/);
}

describe('signals', () => {
  test('an id is bytes and text', () => {
    fc.assert(
      fc.property(id, (text) => {
        expect(idText(idBytes(text))).toBe(text);
      }),
    );
  });

  test('what a peer writes a tracker reads', () => {
    fc.assert(
      fc.property(request, (message) => {
        expect(decodeSignalRequest(encodeSignalRequest(message))).toEqual(message);
      }),
    );
  });

  test('what a tracker writes a peer reads', () => {
    fc.assert(
      fc.property(reply, (message) => {
        expect(decodeSignalReply(encodeSignalReply(message))).toEqual(message);
      }),
    );
  });

  test('any text is a message or an error of this package', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        expectOurError(() => decodeSignalRequest(text));
        expectOurError(() => decodeSignalReply(text));
      }),
    );
  });

  test('any JSON that looks like a message is one, or an error of this package', () => {
    fc.assert(
      fc.property(hostileFields, (fields) => {
        // `__proto__` as text is a field of its own; in an object of ours it would be none.
        const text = JSON.stringify(fields);
        expectOurError(() => decodeSignalRequest(text));
        expectOurError(() => decodeSignalReply(text));
      }),
      { numRuns: 2000 },
    );
  });
});
