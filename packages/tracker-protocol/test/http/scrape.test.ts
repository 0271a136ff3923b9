import { decode } from '@shoal/bencode';
import { describe, expect, test } from 'vitest';
import { decodeScrapeReply, encodeScrapeReply, infoHashHex } from '../../src/index.ts';
import { bytes, errorOf, text } from '../bytes.ts';

const x = infoHashHex(bytes('x'.repeat(20)));
const high = 'ff'.repeat(20);

describe('scrape (BEP 48)', () => {
  const example =
    'd5:filesd20:xxxxxxxxxxxxxxxxxxxxd8:completei11e10:downloadedi13772e10:incompletei19ee20:yyyyyyyyyyyyyyyyyyyyd8:completei21e10:downloadedi206e10:incompletei20eeee';

  test('reads the example of the specification, and writes the same bytes', () => {
    const reply = decodeScrapeReply(bytes(example));
    if ('failureReason' in reply) throw new Error('refused');
    expect(reply.files.get(x)).toEqual({ complete: 11, downloaded: 13_772, incomplete: 19 });
    expect(text(encodeScrapeReply(reply))).toBe(example);
  });

  test('partial seeds go both ways (BEP 21)', () => {
    const body = encodeScrapeReply({
      files: new Map([[x, { complete: 1, downloaded: 2, incomplete: 5, downloaders: 3 }]]),
    });
    expect(text(body)).toBe(
      `d5:filesd20:${'x'.repeat(20)}d8:completei1e10:downloadedi2e11:downloadersi3e10:incompletei5eeee`,
    );
    const reply = decodeScrapeReply(body);
    if ('failureReason' in reply) throw new Error('refused');
    expect(reply.files.get(x)).toMatchObject({ incomplete: 5, downloaders: 3 });
  });

  test('trackers 34, trackers 45: binary keys are sorted as bytes', () => {
    const counts = { complete: 1, incomplete: 2, downloaded: 3 };
    const body = encodeScrapeReply({
      files: new Map([
        [high, counts],
        ['00'.repeat(20), counts],
        [x, counts],
      ]),
    });
    expect(decode(body)).toBeInstanceOf(Map);
    expect(
      [...(decode(body) as Map<string, Map<string, unknown>>).get('files')!.keys()].map((key) => key.charCodeAt(0)),
    ).toEqual([0, 0x78, 0xff]);
  });

  test('trackers 44: nothing known is an empty dictionary', () => {
    expect(text(encodeScrapeReply({ files: new Map() }))).toBe('d5:filesdee');
  });

  test('trackers 46: min_request_interval goes both ways', () => {
    const body = encodeScrapeReply({ files: new Map(), minRequestInterval: 600 });
    expect(text(body)).toBe('d5:filesde5:flagsd20:min_request_intervali600eee');
    expect(decodeScrapeReply(body)).toMatchObject({ minRequestInterval: 600 });
  });

  test('a refusal is read under either spelling', () => {
    expect(decodeScrapeReply(bytes('d14:failure reason2:noe'))).toMatchObject({ failureReason: 'no' });
    expect(decodeScrapeReply(bytes('d14:failure_reason2:noe'))).toMatchObject({ failureReason: 'no' });
  });

  test('entries that are no torrent are left out, missing and negative counts are 0', () => {
    const reply = decodeScrapeReply(bytes('d5:filesd5:shortde20:xxxxxxxxxxxxxxxxxxxxd8:completei-4eeee'));
    expect(reply).toMatchObject({ files: new Map([[x, { complete: 0, incomplete: 0, downloaded: 0 }]]) });
  });

  test('an answer without files is malformed, a key that is no hash a bug of the caller', () => {
    expect(errorOf(() => decodeScrapeReply(bytes('de')))).toMatchObject({ code: 'malformed-reply' });
    expect(() =>
      encodeScrapeReply({ files: new Map([['xyz', { complete: 0, incomplete: 0, downloaded: 0 }]]) }),
    ).toThrow(RangeError);
  });
});
