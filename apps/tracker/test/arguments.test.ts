import { describe, expect, test } from 'vitest';
import { InvalidArgumentError } from 'commander';
import { type ServeOptions, createProgram, parseListenAddress } from '../src/arguments.ts';

describe('HOST:PORT', () => {
  test.each([
    ['127.0.0.1:6969', { host: '127.0.0.1', port: 6969 }],
    ['tracker.example:80', { host: 'tracker.example', port: 80 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    [':7000', { host: '0.0.0.0', port: 7000 }],
    ['7000', { host: '0.0.0.0', port: 7000 }],
    ['off', 'off'],
  ])('%s is understood', (text, expected) => {
    expect(parseListenAddress(text)).toEqual(expected);
  });

  test.each([
    '',
    'localhost',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:65536',
    '::1:6969',
    '[127.0.0.1]:1',
    '[::1]',
    'a:b',
    '-1',
  ])('%j is refused', (text) => {
    expect(() => parseListenAddress(text)).toThrow(InvalidArgumentError);
  });
});

describe('serve', () => {
  async function parsed(...words: string[]): Promise<ServeOptions> {
    let options: ServeOptions | undefined;
    const program = createProgram('0.0.0', async (found) => {
      options = found;
    });
    for (const command of [program, ...program.commands]) command.configureOutput({ writeErr: () => {} });
    await program.parseAsync(['node', 'shoal-tracker', 'serve', ...words]);
    return options!;
  }

  test('has defaults', async () => {
    expect(await parsed()).toEqual({
      http: { host: '0.0.0.0', port: 6969 },
      udp: { host: '0.0.0.0', port: 6969 },
      interval: 1800,
      trustedProxy: [],
      privateAddresses: true,
    });
  });

  test('takes everything at once', async () => {
    const words =
      '--http 1 --udp off --interval 60 --allow a --torrents t --trusted-proxy ::1 --trusted-proxy 10.0.0.0/8 --trust-ip --no-private-addresses --json';
    expect(await parsed(...words.split(' '))).toEqual({
      http: { host: '0.0.0.0', port: 1 },
      udp: 'off',
      interval: 60,
      allow: 'a',
      torrents: 't',
      trustedProxy: ['::1', '10.0.0.0/8'],
      trustIp: true,
      privateAddresses: false,
      json: true,
    });
  });

  test.each([
    ['--interval', '0'],
    ['--interval', '86401'],
    ['--interval', '1e3'],
    ['--trusted-proxy', '10.0.0.0/33'],
    ['--trusted-proxy', 'nginx'],
    ['--http', 'x'],
    ['--what', 'x'],
    ['--http', 'off', '--udp', 'off'],
    ['surplus'],
  ])('refuses %s %s', async (...words) => {
    await expect(parsed(...words)).rejects.toMatchObject({ name: 'CommanderError' });
  });
});
