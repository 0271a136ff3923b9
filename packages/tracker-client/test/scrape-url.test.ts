import { describe, expect, test } from 'vitest';
import { scrapeUrlOf } from '../src/index.ts';

describe('the scrape convention, example by example', () => {
  test.each([
    ['http://spam.com/announce', 'http://spam.com/scrape'],
    ['http://spam.com/a', undefined],
    ['http://spam.com/announce.php', 'http://spam.com/scrape.php'],
    ['http://spam.com/announce?x=2%0644', 'http://spam.com/scrape?x=2%0644'],
    ['http://spam.com/announce?x=2/4', undefined],
    ['http://spam.com/x%064announce', undefined],
    ['http://spam.com/x/announce', 'http://spam.com/x/scrape'],
  ])('%s → %s', (announceUrl, scrapeUrl) => {
    expect(scrapeUrlOf(announceUrl)).toBe(scrapeUrl);
  });

  test('clients 54: only the last part of the path counts, and it must begin with announce', () => {
    expect(scrapeUrlOf('http://spam.com/announce/key')).toBeUndefined();
    expect(scrapeUrlOf('http://spam.com/reannounce')).toBeUndefined();
    expect(scrapeUrlOf('announce')).toBeUndefined();
  });

  test('a UDP tracker is scraped where it is announced to', () => {
    expect(scrapeUrlOf('udp://spam.com:80')).toBe('udp://spam.com:80');
  });
});
