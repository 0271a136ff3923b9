import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readConfiguration, reloaded } from '../src/configuration/configuration.ts';
import { parseConfiguration, printConfiguration } from '../src/configuration/configuration-file.ts';
import { defaults, settingGroups, settingNames, settings, writtenName } from '../src/configuration/settings.ts';
import { ConfigurationError } from '../src/errors.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-tracker-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('a configuration file', () => {
  test('says what it says and nothing more', () => {
    const text = 'http = "[::1]:80"\ninterval = 900\ntrust-ip = true\ntrusted-proxy = ["10.0.0.0/8", "::1"]';
    expect(parseConfiguration(text, '/etc/tracker.toml')).toEqual({
      http: { host: '::1', port: 80 },
      interval: 900,
      trustIp: true,
      trustedProxy: ['10.0.0.0/8', '::1'],
    });
  });

  test('names files from its own folder on', () => {
    expect(parseConfiguration('allow = "allow.txt"\nban = "/srv/ban"', '/etc/shoal/tracker.toml')).toEqual({
      allow: '/etc/shoal/allow.txt',
      ban: '/srv/ban',
    });
  });

  test.each([
    ['interval = 900\nintervall = 1', 't.toml:2: there is no option "intervall"; did you mean interval?'],
    ['allow_clients = "x"', 't.toml:1: there is no option "allow_clients"; did you mean allow-clients?'],
    ['zzzzzzzzzzzz = 1', 't.toml:1: there is no option "zzzzzzzzzzzz"'],
    ['# interval\n\ninterval = "900"', 't.toml:3: interval: it must be a whole number from 1 to 86400'],
    ['interval = 9.5', 't.toml:1: interval: it must be'],
    ['http = 6969', 't.toml:1: http: it must be a string'],
    ['http = "6969x"', 't.toml:1: http: it must be HOST:PORT'],
    ['trust-ip = "yes"', 't.toml:1: trust-ip: it must be true or false'],
    ['trusted-proxy = ["nginx"]', 't.toml:1: trusted-proxy: it must be an address or a CIDR range'],
    ['trusted-proxy = [1]', 't.toml:1: trusted-proxy: it must be'],
    ['log-level = "loud"', 't.toml:1: log-level: it must be silent, error, warn, info or debug'],
    ['[http]\nport = 1', 't.toml:1: http: it must be a string'],
    ['interval = 900\ninterval 900', 't.toml:2: '],
    ['config = "x"', 't.toml:1: there is no option "config"'],
    ['__proto__ = 1', 't.toml:1: there is no option "__proto__"'],
  ])('is refused, naming file and line: %j', (text, message) => {
    expect(() => parseConfiguration(text, 't.toml')).toThrow(ConfigurationError);
    expect(() => parseConfiguration(text, 't.toml')).toThrow(message);
  });

  test('that is missing is an error that names it', async () => {
    const config = join(folder, 'none.toml');
    await expect(readConfiguration({ flags: {}, config })).rejects.toThrow(`cannot read the configuration ${config}`);
  });
});

describe('the configuration', () => {
  test('is a flag, else the file, else the default', async () => {
    const config = join(folder, 'tracker.toml');
    await writeFile(config, 'interval = 900\njitter = 5\ntrust-ip = true');
    const options = await readConfiguration({ flags: { interval: 60, trustIp: false }, config });
    expect(options).toEqual({ ...defaults, interval: 60, jitter: 5, trustIp: false });
  });

  test.each([
    [{ http: 'off', udp: 'off' }, 'nothing to serve'],
    [{ tlsCert: '/cert' }, 'tls-cert and tls-key belong together'],
    [{ tlsKey: '/key' }, 'tls-cert and tls-key belong together'],
    [{ admin: { host: '0.0.0.0', port: 1 } }, '--admin-token'],
    [{ admin: { host: '192.0.2.1', port: 1 } }, '--admin-token'],
    [{ metrics: 'public', http: 'off' }, 'metrics are to be public'],
    [{ store: 'redis://127.0.0.1', fullScrape: 10 }, 'with store they are elsewhere'],
    [{ store: 'redis://127.0.0.1', state: '/state' }, 'no state to keep'],
  ] as const)('that contradicts itself is refused: %j', async (flags, message) => {
    await expect(readConfiguration({ flags, config: undefined })).rejects.toThrow(message);
  });

  test.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])(
    'lets administrators in without a token on %s',
    async (host) => {
      const flags = { admin: { host, port: 1 } };
      expect(await readConfiguration({ flags, config: undefined })).toMatchObject(flags);
    },
  );

  test('that is read again changes what can change, and says what cannot', () => {
    const wanted = { ...defaults, interval: 900, http: 'off', torrents: '/t', ban: '/b' } as const;
    expect(reloaded(defaults, wanted)).toEqual({
      options: { ...defaults, interval: 900, ban: '/b' },
      changes: { applied: ['ban', 'interval'], later: ['http', 'torrents'] },
    });
  });

  test('that is read again does not take the token from a listener that needs it and stays', () => {
    const running = { ...defaults, admin: { host: '0.0.0.0', port: 1 }, adminToken: '/token' };
    expect(() => reloaded(running, defaults)).toThrow('--admin-token');
  });
});

describe('the printed configuration', () => {
  test('of the defaults reads as the defaults, with a comment and a line for every option', () => {
    const text = printConfiguration(defaults);
    expect(parseConfiguration(text, '/t.toml')).toEqual(
      Object.fromEntries(Object.entries(defaults).filter(([, value]) => value !== undefined)),
    );
    for (const name of settingNames) {
      expect(text).toMatch(new RegExp(`\\n# [^\\n]*Default: [^\\n]+\\n(?:# )?${writtenName(name)} = `));
    }
  });

  test('puts every setting under one heading', () => {
    expect(Object.values(settingGroups).flat().toSorted()).toEqual(Object.keys(settings).toSorted());
  });
});
