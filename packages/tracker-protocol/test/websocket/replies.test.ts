import { describe, expect, test } from 'vitest';
import { type SignalReply, decodeSignalReply, encodeSignalReply, idText } from '../../src/index.ts';
import { errorOf } from '../bytes.ts';

const infoHash = idText(Uint8Array.from({ length: 20 }, (_, index) => 200 + index));
const peerId = '-WW0200-abcdefghijkl';
const offerId = idText(new Uint8Array(20));

/** Each as values, and as the JSON that npm bittorrent-tracker's client reads. */
const replies: readonly [string, SignalReply, object][] = [
  [
    'an announce',
    { action: 'announce', infoHash, interval: 120, complete: 3, incomplete: 4 },
    { action: 'announce', info_hash: infoHash, interval: 120, complete: 3, incomplete: 4 },
  ],
  [
    'an offer',
    { action: 'offer', infoHash, peerId, offerId, sdp: 'v=0\r\n' },
    {
      action: 'announce',
      info_hash: infoHash,
      peer_id: peerId,
      offer_id: offerId,
      offer: { type: 'offer', sdp: 'v=0\r\n' },
    },
  ],
  [
    'an answer',
    { action: 'answer', infoHash, peerId, offerId, sdp: 'v=0\r\n' },
    {
      action: 'announce',
      info_hash: infoHash,
      peer_id: peerId,
      offer_id: offerId,
      answer: { type: 'answer', sdp: 'v=0\r\n' },
    },
  ],
  [
    'a scrape',
    { action: 'scrape', files: new Map([[infoHash, { complete: 1, incomplete: 2, downloaded: 3 }]]) },
    { action: 'scrape', files: { [infoHash]: { complete: 1, incomplete: 2, downloaded: 3 } } },
  ],
  [
    'a refusal',
    { action: 'failure', of: 'announce', infoHash, failureReason: 'no', retryIn: 'never', interval: 900 },
    { action: 'announce', info_hash: infoHash, 'failure reason': 'no', 'retry in': 'never', interval: 900 },
  ],
  ['a refusal of what cannot be read', { action: 'failure', failureReason: 'no' }, { 'failure reason': 'no' }],
];

describe.each(replies)('%s', (_, reply, json) => {
  test('is written with the names that clients know', () => {
    expect(JSON.parse(encodeSignalReply(reply))).toEqual(json);
  });

  test('is read back', () => {
    expect(decodeSignalReply(encodeSignalReply(reply))).toEqual(reply);
  });
});

test.each([
  '[]',
  '{',
  '{"action":"connect"}',
  '{"action":"announce"}',
  '{"action":"announce","interval":"soon"}',
  '{"action":"scrape","files":[]}',
  '{"action":"scrape","files":{"short":{}}}',
])('%s is no message of a tracker', (text) => {
  expect(errorOf(() => decodeSignalReply(text))).toMatchObject({ name: 'TrackerProtocolError' });
});
