import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type HeldSdp,
  type IdText,
  type PeerSignal,
  type SignalRequest,
  TrackerProtocolError,
  decodeRelayedRequest,
  decodeSignalReply,
  decodeSignalRequest,
  encodeSignalReply,
  encodeSignalRequest,
  idText,
  signalLimits,
} from '../../src/index.ts';
import { errorOf } from '../bytes.ts';

const id = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(idText);
const sdp = fc.string({ unit: fc.constantFrom('\r\n', '"', '\\', '\u0000', 'é', '🦈', '\ud800', 'a', 'b', '/') });
const offers = fc.array(fc.record({ offerId: id, sdp }), { minLength: 1, maxLength: signalLimits.offers + 2 });

const announce = fc
  .record({
    action: fc.constant('announce' as const),
    infoHash: id,
    peerId: id,
    uploaded: fc.maxSafeNat(),
    downloaded: fc.maxSafeNat(),
    left: fc.option(fc.maxSafeNat(), { nil: undefined }),
    event: fc.constantFrom('started', 'completed', 'stopped', 'paused', 'none'),
    offers,
  })
  .map(encodeSignalRequest);

/** Pieces of messages, put in the place of something else. */
const piece = fc.oneof(
  fc.constantFrom(
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    ' ',
    '\n',
    '0',
    ']}',
    '}]',
    '\\"',
    '\\x',
    '\u0001',
    '\ud800',
  ),
  fc.constantFrom(
    '\\u0041',
    '\\u00e',
    '"offers":',
    ',"offers":[',
    ',"offers":null',
    ',"\\u006fffers":[]',
    '"x":{"y":1',
  ),
  fc.constantFrom('"answer":{}', '"action":"x",', '"type":"answer"', '"offer_id":"aaaaaaaaaaaaaaaaaaaa"', '"x,'),
  fc.string({ maxLength: 3 }),
);
const change = fc.record({ at: fc.nat(), removed: fc.nat({ max: 12 }), piece });

/** JSON whose strings are written in another way. */
const spelling = fc.constantFrom(
  (text: string): string => text,
  (text: string): string => text.replaceAll('/', '\\/').replaceAll('a', '\\u0061'),
  (text: string): string =>
    text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0').toUpperCase()}`),
  (text: string): string => text.replaceAll(',"', ' ,\t"'),
);

/** What a request says, whichever way it was read; or the error that it is. */
function said(read: () => SignalRequest<HeldSdp>): unknown {
  let request: unknown;
  const error = errorOf(() => (request = read()));
  if (error === undefined) return withDescriptions(request);
  expect(error).toBeInstanceOf(TrackerProtocolError);
  return (error as TrackerProtocolError).code;
}

function withDescriptions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withDescriptions);
  if (typeof value !== 'object' || value === null) return value;
  if ('json' in value) return JSON.parse(String(value.json)) as unknown;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withDescriptions(field)]));
}

function expectSame(text: string): void {
  expect(said(() => decodeRelayedRequest(text))).toEqual(said(() => decodeSignalRequest(text)));
}

describe('a request read by who passes it on', () => {
  test('says what it says to anybody, however it is spelled', () => {
    fc.assert(fc.property(announce, spelling, (text, spelled) => expectSame(spelled(text))));
  });

  test('says what it says to anybody when it is damaged, or is an error of the same kind', () => {
    fc.assert(
      fc.property(announce, fc.array(change, { minLength: 1, maxLength: 3 }), (text, changes) => {
        let changed = text;
        for (const { at, removed, piece: put } of changes) {
          const from = at % (changed.length + 1);
          changed = changed.slice(0, from) + put + changed.slice(from + removed);
        }
        expectSame(changed);
      }),
      { numRuns: 3000 },
    );
  });

  test('reaches a peer as it was said', () => {
    fc.assert(
      fc.property(announce, id, (text, infoHash: IdText) => {
        const request = decodeRelayedRequest(text);
        const original = decodeSignalRequest(text);
        if (request.action !== 'announce' || original.action !== 'announce') return expect.unreachable();
        const { peerId } = request;
        const passedOn = (offer: PeerSignal<HeldSdp>): unknown => decodeSignalReply(encodeSignalReply(offer));
        expect(request.offers.map((offer) => passedOn({ action: 'offer', infoHash, peerId, ...offer }))).toEqual(
          original.offers.map((offer) => ({ action: 'offer', infoHash, peerId, ...offer })),
        );
      }),
    );
  });
});

describe('session descriptions', () => {
  const ids = `"action":"announce","info_hash":"aaaaaaaaaaaaaaaaaaaa","peer_id":"bbbbbbbbbbbbbbbbbbbb"`;
  const offerOf = (json: string): string =>
    `{"offer":{"type":"offer","sdp":${json}},"offer_id":"cccccccccccccccccccc"}`;
  const announced = (json: string): string => `{${ids},"offers":[${offerOf(json)}]}`;

  test('of offers are not taken apart', () => {
    expect(decodeRelayedRequest(announced('"v=0\\u000d\\/"'))).toMatchObject({
      offers: [{ sdp: { json: '"v=0\\u000d\\/"' } }],
    });
  });

  test.each([
    ['a bare line end', '"v=0\n"'],
    ['an unknown escape', '"v=0\\x"'],
    ['half an escape', '"v=0\\u00g0"'],
    ['no end', '"v=0'],
  ])('with %s reach nobody', (_, json) => {
    expect(said(() => decodeRelayedRequest(announced(json)))).toBe('malformed-json');
  });

  test.each([
    ['the fields before are no object', `{${ids},"x":[1,"offers":[${offerOf('"v=0"')}]}`],
    ['the object is another', `{${ids},"x":{"y":1,"offers":[${offerOf('"v=0"')}]}`],
    ['the name is longer', `{${ids},"x":1,"\\",\\"offers":[${offerOf('"v=0"')}]}`],
    ['something follows', `${announced('"v=0"')}}`],
    ['they are repeated', `{${ids},"offers":[${offerOf('"v=0"')}],"offers":[${offerOf('"v=1"')}]}`],
    ['it is an answer', `{${ids},"answer":{},"offers":[${offerOf('"v=0"')}]}`],
    ['it is a scrape', `{${ids},"action":"scrape","offers":[${offerOf('"v=0"')}]}`],
    ['a comma follows the last', `{${ids},"offers":[${offerOf('"v=0"')},]}`],
    ['much comes before them', `{${ids},"x":"${'x'.repeat(2000)}","offers":[${offerOf('"v=0"')}]}`],
    ['they are too many', `{${ids},"offers":[${Array.from({ length: 11 }, () => offerOf('"v=0"')).join(',')}]}`],
    ['they are all there is', `{,"offers":[${offerOf('"v=0"')}]}`],
  ])('are read as anybody reads them where %s', (_, text) => {
    expectSame(text);
  });

  test('as long as a message may be are read in one pass', () => {
    const json = `"${'\\n'.repeat(signalLimits.sdpCharacters / 2)}"`;
    expectSame(announced(json));
    for (const rest of ['"'.repeat(40_000), '\\u0041'.repeat(20_000), '\\'.repeat(100_000)])
      expectSame(announced(`"${rest}`));
  });
});
