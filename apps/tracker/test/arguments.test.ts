import { describe, expect, test } from 'vitest';
import { type CheckArguments, type ServeArguments, createProgram } from '../src/arguments.ts';
import { SettingError, formatListenAddress, parseListenAddress } from '../src/configuration/setting.ts';

describe('HOST:PORT', () => {
  test.each([
    ['127.0.0.1:6969', { host: '127.0.0.1', port: 6969 }],
    ['tracker.example:80', { host: 'tracker.example', port: 80 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    [':7000', { host: '0.0.0.0', port: 7000 }],
    ['7000', { host: '0.0.0.0', port: 7000 }],
    ['off', 'off'],
  ] as const)('%s is understood, and written so that it is understood again', (text, expected) => {
    expect(parseListenAddress(text)).toEqual(expected);
    expect(parseListenAddress(formatListenAddress(expected))).toEqual(expected);
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
    expect(() => parseListenAddress(text)).toThrow(SettingError);
  });
});

interface Asked {
  readonly serve?: ServeArguments;
  readonly check?: CheckArguments;
}

async function parsed(...words: string[]): Promise<Asked> {
  let asked: Asked = {};
  const program = createProgram('0.0.0', {
    serve: async (serve) => {
      asked = { serve };
    },
    check: async (check) => {
      asked = { check };
    },
  });
  for (const command of [program, ...program.commands]) command.configureOutput({ writeErr: () => {} });
  await program.parseAsync(['node', 'shoal-tracker', ...words]);
  return asked;
}

describe('serve', () => {
  test('says nothing that the command line does not say', async () => {
    expect(await parsed('serve')).toEqual({ serve: { flags: {}, config: undefined, printConfig: false } });
  });

  test('takes values, switches and their opposites, and repeats', async () => {
    const words =
      '--http 1 --udp off --interval 60 --allow /a --torrents /t --trusted-proxy ::1 --trusted-proxy 10.0.0.0/8 --trust-ip --no-json --config c.toml --print-config';
    expect(await parsed('serve', ...words.split(' '))).toEqual({
      serve: {
        flags: {
          http: { host: '0.0.0.0', port: 1 },
          udp: 'off',
          interval: 60,
          allow: '/a',
          torrents: '/t',
          trustedProxy: ['::1', '10.0.0.0/8'],
          trustIp: true,
          json: false,
        },
        config: 'c.toml',
        printConfig: true,
      },
    });
  });

  test.each([
    ['--interval', '0'],
    ['--interval', '86401'],
    ['--interval', '1e3'],
    ['--jitter', '51'],
    ['--trusted-proxy', '10.0.0.0/33'],
    ['--trusted-proxy', 'nginx'],
    ['--trusted-proxy', '::ffff:10.0.0.0/24'],
    ['--trusted-proxy', 'fe80::1%eth0'],
    ['--private-addresses', 'maybe'],
    ['--allow', ''],
    ['--http', 'x'],
    ['--what', 'x'],
    ['surplus'],
  ])('refuses %s %s', async (...words) => {
    await expect(parsed('serve', ...words)).rejects.toMatchObject({ name: 'CommanderError' });
  });
});

describe('check', () => {
  test('waits five seconds and tries everything unless told otherwise', async () => {
    const rest = { only: false, json: false, timeoutMs: 5000, infoHash: undefined };
    expect(await parsed('check', 'udp://a:1', 'http://b')).toEqual({
      check: { urls: ['udp://a:1', 'http://b'], ...rest },
    });
  });

  test('takes a torrent and a time', async () => {
    const words = ['--info-hash', 'AA'.repeat(20), '--timeout', '2', '--only', '--json'];
    expect(await parsed('check', 'udp://a:1', ...words)).toEqual({
      check: { urls: ['udp://a:1'], only: true, json: true, timeoutMs: 2000, infoHash: new Uint8Array(20).fill(0xaa) },
    });
  });

  test.each([[], ['udp://a:1', '--timeout', '0'], ['udp://a:1', '--info-hash', 'abc']])(
    'refuses %j',
    async (...words) => {
      await expect(parsed('check', ...words)).rejects.toMatchObject({ name: 'CommanderError' });
    },
  );
});
