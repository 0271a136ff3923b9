import { describe, expect, test } from 'vitest';
import { type LogSettings, createLog, shownAddress } from '../src/log.ts';

const [ipv4, ipv6] = [Uint8Array.of(192, 0, 2, 7), Uint8Array.from({ length: 16 }, (_, index) => index + 1)];

function written(settings: Partial<LogSettings>, use: (log: ReturnType<typeof createLog>) => void): string {
  let text = '';
  use(createLog({ level: 'info', format: 'text', addresses: 'off', ...settings }, { write: (line) => (text += line) }));
  return text;
}

describe('a log', () => {
  test('is lines for people', () => {
    const text = written({}, (log) => log.warn('the list is bad', { file: '/etc/a list', line: 3 }));
    expect(text).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z warn: the list is bad file="\/etc\/a list" line=3\n$/);
  });

  test('leaves out the time where something behind it writes it', () => {
    expect(written({ timeless: true }, (log) => log.info('up'))).toBe('info: up\n');
  });

  test('is JSON for programs', () => {
    const text = written({ format: 'json' }, (log) => log.error('no', { list: 'ban' }));
    expect(JSON.parse(text)).toEqual({ level: 'error', time: expect.any(String), msg: 'no', list: 'ban' });
  });

  test('is one line whatever is in it', () => {
    expect(written({ timeless: true }, (log) => log.info('entry', { entry: 'a\nwarn: forged' }))).toBe(
      'info: entry entry="a\\nwarn: forged"\n',
    );
  });

  test('says what its level lets pass, which may change', () => {
    const text = written({ timeless: true, level: 'warn' }, (log) => {
      log.info('one');
      expect(log.isDebugging).toBe(false);
      log.configure({ level: 'debug', addresses: 'full' });
      log.debug('two', { address: log.shown(ipv4) });
      expect(log.isDebugging).toBe(true);
      log.configure({ level: 'silent', addresses: 'off' });
      log.error('three');
    });
    expect(text).toBe('debug: two address=192.0.2.7\n');
  });
});

describe('an address in a log', () => {
  test.each([
    ['off', ipv4, undefined],
    ['truncated', ipv4, '192.0.2.0/24'],
    ['truncated', ipv6, '102:304:506::/48'],
    ['full', ipv4, '192.0.2.7'],
    ['full', ipv6, '102:304:506:708:90a:b0c:d0e:f10'],
  ] as const)('is shown %s', (style, address, shown) => {
    expect(shownAddress(address, style)).toBe(shown);
  });
});
