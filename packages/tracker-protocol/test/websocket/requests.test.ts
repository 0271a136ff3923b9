import { describe, expect, test } from 'vitest';
import {
  TrackerProtocolError,
  announceRequestOf,
  decodeSignalRequest,
  encodeSignalRequest,
  idBytes,
  idText,
  signalLimits,
} from '../../src/index.ts';
import { errorOf } from '../bytes.ts';

const infoHash = idText(Uint8Array.from({ length: 20 }, (_, index) => 255 - index));
const peerId = '-WW0200-abcdefghijkl';
const offerId = idText(Uint8Array.from({ length: 20 }, (_, index) => index));
const announce = { action: 'announce', info_hash: infoHash, peer_id: peerId };
const offer = { offer_id: offerId, offer: { type: 'offer', sdp: 'v=0\r\n' } };
const answer = { ...announce, to_peer_id: offerId, offer_id: offerId, answer: { type: 'answer', sdp: 'v=0\r\n' } };

function decode(message: unknown): ReturnType<typeof decodeSignalRequest> {
  return decodeSignalRequest(JSON.stringify(message));
}

function codeOf(message: unknown): string | undefined {
  const error = errorOf(() => decode(message));
  return error instanceof TrackerProtocolError ? error.code : undefined;
}

describe('an announce', () => {
  test('is read as npm bittorrent-tracker sends it', () => {
    const text =
      `{"numwant":1,"uploaded":10,"downloaded":20,"left":null,"event":"started","action":"announce",` +
      `"info_hash":${JSON.stringify(infoHash)},"peer_id":"${peerId}","offers":[${JSON.stringify(offer)}]}`;
    expect(decodeSignalRequest(text)).toEqual({
      action: 'announce',
      infoHash,
      peerId,
      uploaded: 10,
      downloaded: 20,
      left: undefined,
      event: 'started',
      offers: [{ offerId, sdp: 'v=0\r\n' }],
    });
  });

  test('needs nothing but its ids', () => {
    expect(decode(announce)).toEqual({
      action: 'announce',
      infoHash,
      peerId,
      uploaded: 0,
      downloaded: 0,
      left: undefined,
      event: 'none',
      offers: [],
    });
  });

  test.each([
    ['update', 'none'],
    ['empty', 'none'],
    ['__proto__', 'none'],
    ['completed', 'completed'],
    ['stopped', 'stopped'],
    ['paused', 'paused'],
    [7, 'none'],
  ])('of event %j is %s', (event, read) => {
    expect(decode({ ...announce, event })).toMatchObject({ event: read });
  });

  test.each([
    [0, 0],
    [-1, undefined],
    ['0', undefined],
    [1e300, Number.MAX_SAFE_INTEGER],
    [1.5, 1],
  ])('with %j left has %j left', (left, read) => {
    expect(decode({ ...announce, left })).toMatchObject({ left: read });
  });

  test('becomes the request that policy knows, wanting as many peers as it has offers', () => {
    const message = decode({ ...announce, numwant: 50, offers: [offer, offer] });
    expect(message.action === 'announce' && announceRequestOf(message, 50_000)).toEqual({
      infoHash: idBytes(infoHash),
      peerId: idBytes(peerId),
      port: 50_000,
      uploaded: 0,
      downloaded: 0,
      left: undefined,
      event: 'none',
      numWant: 2,
    });
  });

  test('trackers 66: offers above the limit are ignored, whatever they are', () => {
    const offers = [...Array.from({ length: signalLimits.offers }, () => offer), 7];
    expect(decode({ ...announce, offers })).toMatchObject({ offers: { length: signalLimits.offers } });
  });

  test('trackers 66: a session description has a limit', () => {
    const long = { ...offer, offer: { type: 'offer', sdp: 'x'.repeat(signalLimits.sdpCharacters + 1) } };
    expect(codeOf({ ...announce, offers: [long] })).toBe('invalid-sdp');
  });
});

describe('trackers 65: what is not exactly as it must be is refused', () => {
  test.each([
    ['no JSON', '{', 'malformed-json'],
    ['nothing', '', 'malformed-json'],
    ['an array', '[]', 'malformed-json'],
    ['null', 'null', 'malformed-json'],
    ['a text', '"announce"', 'malformed-json'],
    ['a message without end', `{"action":"${'x'.repeat(signalLimits.messageCharacters)}"}`, 'malformed-json'],
    ['no action', '{}', 'unknown-action'],
    ['an inherited action', '{"__proto__":{"action":"announce"}}', 'unknown-action'],
  ])('%s', (_, text, code) => {
    const error = errorOf(() => decodeSignalRequest(text));
    expect(error).toBeInstanceOf(TrackerProtocolError);
    expect(error).toMatchObject({ code });
  });

  test.each([
    ['another action', { ...announce, action: 'connect' }, 'unknown-action'],
    ['a short info-hash', { ...announce, info_hash: 'short' }, 'invalid-info-hash'],
    ['an info-hash in hexadecimal', { ...announce, info_hash: 'ab'.repeat(20) }, 'invalid-info-hash'],
    ['an info-hash beyond Latin-1', { ...announce, info_hash: '\u0100'.repeat(20) }, 'invalid-info-hash'],
    ['an info-hash that is an object', { ...announce, info_hash: { length: 20 } }, 'invalid-info-hash'],
    ['an info-hash that is a list', { ...announce, info_hash: Array.from(infoHash) }, 'invalid-info-hash'],
    ['a missing peer id', { action: 'announce', info_hash: infoHash }, 'invalid-peer-id'],
    ['a peer id that is a number', { ...announce, peer_id: 12_345 }, 'invalid-peer-id'],
    ['offers that are no list', { ...announce, offers: { length: 1, 0: offer } }, 'invalid-offers'],
    ['an offer that is null', { ...announce, offers: [null] }, 'invalid-offers'],
    ['an offer without id', { ...announce, offers: [{ offer: offer.offer }] }, 'invalid-offer-id'],
    ['an offer without description', { ...announce, offers: [{ offer_id: offerId }] }, 'invalid-sdp'],
    ['an offer that is an answer', { ...announce, offers: [{ ...offer, offer: answer.answer }] }, 'invalid-sdp'],
    ['a description that is a list', { ...answer, answer: ['answer', ''] }, 'invalid-sdp'],
    ['an answer that is an offer', { ...answer, answer: offer.offer }, 'invalid-sdp'],
    ['an answer to nobody', { ...answer, to_peer_id: undefined }, 'invalid-peer-id'],
    ['an answer to nothing', { ...answer, offer_id: 'x' }, 'invalid-offer-id'],
    ['a scrape of everything', { action: 'scrape' }, 'missing-info-hash'],
    ['a scrape of nothing', { action: 'scrape', info_hash: [] }, 'missing-info-hash'],
    ['a scrape of anything', { action: 'scrape', info_hash: [infoHash, 7] }, 'invalid-info-hash'],
    ['a scrape of an object', { action: 'scrape', info_hash: { __proto__: null } }, 'invalid-info-hash'],
    [
      'a scrape without end',
      { action: 'scrape', info_hash: Array.from({ length: 75 }, () => infoHash) },
      'too-many-info-hashes',
    ],
  ])('%s', (_, message, code) => {
    expect(codeOf(message)).toBe(code);
  });
});

test('an answer names whose it is and whom it is for', () => {
  expect(decode(answer)).toEqual({ action: 'answer', infoHash, peerId, toPeerId: offerId, offerId, sdp: 'v=0\r\n' });
});

test('an answer that is null is none', () => {
  expect(decode({ ...announce, answer: null })).toMatchObject({ action: 'announce' });
});

test('a scrape names one torrent or several, each once', () => {
  expect(decode({ action: 'scrape', info_hash: infoHash })).toEqual({ action: 'scrape', infoHashes: [infoHash] });
  expect(decode({ action: 'scrape', info_hash: [infoHash, peerId, infoHash] })).toEqual({
    action: 'scrape',
    infoHashes: [infoHash, peerId],
  });
});

test('a request is written with the names that trackers know', () => {
  const request = {
    uploaded: 1,
    downloaded: 2,
    left: undefined,
    event: 'none',
    offers: [{ offerId, sdp: '' }],
  } as const;
  expect(JSON.parse(encodeSignalRequest({ action: 'announce', infoHash, peerId, ...request }))).toEqual({
    ...announce,
    uploaded: 1,
    downloaded: 2,
    left: null,
    numwant: 1,
    offers: [{ offer_id: offerId, offer: { type: 'offer', sdp: '' } }],
  });
});

test('an id that is none is a mistake of the caller', () => {
  expect(() => idBytes('short')).toThrow(RangeError);
  expect(() => idBytes('\u0100'.repeat(20))).toThrow(RangeError);
  expect(() => idText(new Uint8Array(19))).toThrow(RangeError);
});
