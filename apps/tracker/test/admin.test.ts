import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AdminServer, serveAdmin } from '../src/admin/admin-server.ts';
import { administrationRoutes } from '../src/admin/administration.ts';
import { AdminToken } from '../src/admin/token.ts';
import { type StatedOptions, printConfiguration } from '../src/configuration/configuration-file.ts';
import { readConfiguration } from '../src/configuration/configuration.ts';
import { defaults } from '../src/configuration/settings.ts';
import { ConfigurationError } from '../src/errors.ts';
import { createLog } from '../src/log.ts';
import { RunningTracker } from '../src/running-tracker.ts';

const secret = 'correct-horse-battery';
const hash = 'ab'.repeat(20);

let folder: string;
let closing: AsyncDisposable[];
let logged: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-tracker-'));
  closing = [];
  logged = '';
});
afterEach(async () => {
  for (const one of closing.toReversed()) await one[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  readonly body: unknown;
}

async function administrated(
  flags: StatedOptions = {},
  config?: string,
): Promise<{ running: RunningTracker; server: AdminServer; ready: { ready: boolean } }> {
  const sources = { flags: { ...flags, logAddresses: 'truncated' as const }, config };
  const options = await readConfiguration(sources);
  const log = createLog(
    { level: 'info', format: 'text', addresses: 'truncated' },
    { write: (line) => (logged += line) },
  );
  const running = await RunningTracker.open(sources, options, log);
  closing.push(running);
  const ready = { ready: true, listening: {}, store: true, configuration: true };
  const server = await serveAdmin({
    listen: { host: '127.0.0.1', port: 0 },
    routes: administrationRoutes(
      running,
      () => ready,
      async () => 'it ended with code 3',
    ),
    token: () => running.configuration.token(),
    onError: running.tellError,
  });
  closing.push(server);
  return { running, server, ready };
}

async function ask(
  { url }: AdminServer,
  method: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const sent = request(url, { method, path, headers, agent: false }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  const isJson = response.headers['content-type'] === 'application/json';
  return { status: response.statusCode, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
}

describe('an administrator', () => {
  test('sees options and lists', async () => {
    const { server } = await administrated({ interval: 900 });
    const { status, body, headers } = await ask(server, 'GET', '/policy');
    expect([status, headers['cache-control']]).toEqual([200, 'no-store']);
    expect(body).toMatchObject({ options: { interval: 900, http: '0.0.0.0:6969', allow: null } });
    expect((body as { lists: { list: string }[] }).lists.map(({ list }) => list)).toContain('allow-clients');
  });

  test('does not see the password of a store', async () => {
    const { server } = await administrated({ store: 'redis://:secret@127.0.0.1:1' });
    expect((await ask(server, 'GET', '/policy')).body).toMatchObject({ options: { store: 'redis://…@127.0.0.1:1' } });
  });

  test('changes lists entry by entry, and the change holds at once', async () => {
    const { server, running } = await administrated();
    const path = `/policy/deny/${hash.toUpperCase()}`;
    expect((await ask(server, 'GET', path)).body).toEqual({ listed: false });
    expect(await ask(server, 'PUT', path)).toMatchObject({ status: 200, body: { changed: true, entries: 1 } });
    expect(await ask(server, 'PUT', path)).toMatchObject({ status: 200, body: { changed: false } });
    const infoHash = Uint8Array.from(Buffer.from(hash, 'hex'));
    const announce = {
      infoHash,
      peerId: infoHash,
      port: 1,
      uploaded: 0,
      downloaded: 0,
      left: 0,
      event: 'none',
    } as const;
    expect(running.tracker.announce(announce, { ip: '192.0.2.1' }, 0)).toMatchObject({ failureReason: /denied/ });
    expect((await ask(server, 'GET', '/policy/deny')).body).toMatchObject({
      overrides: { added: [hash], removed: [] },
    });
    expect((await ask(server, 'DELETE', path)).body).toMatchObject({ changed: true, entries: 0 });
    expect(running.tracker.announce(announce, { ip: '192.0.2.1' }, 0)).toMatchObject({ complete: 1 });
    expect(logged).toContain(`info: entry added list=deny entry=${hash.toUpperCase()} by=127.0.0.0/24`);
  });

  test('bans ranges, whose slash is escaped', async () => {
    const { server } = await administrated();
    expect((await ask(server, 'PUT', '/policy/ban/192.0.2.0%2F24')).status).toBe(200);
    expect((await ask(server, 'GET', '/policy/ban/192.0.2.0%2F24')).body).toEqual({ listed: true });
  });

  test.each([
    ['PUT', '/policy/ban/nonsense', 400, /a range is an address/],
    ['PUT', `/policy/allow/${hash}`, 409, /not in force/],
    ['PUT', `/policy/none/${hash}`, 404, /there is no list none; lists: allow, deny/],
    ['PUT', '/policy/ban/%zz', 404, /nothing here/],
    ['PUT', '/policy/ban/', 404, /nothing here/],
    ['GET', '/nothing', 404, /openapi/],
    ['POST', '/policy', 405, /only GET/],
    ['DELETE', '/policy/ban', 405, /only GET/],
  ])('is told what is wrong: %s %s is %i', async (method, path, status, message) => {
    const { server } = await administrated();
    const answer = await ask(server, method, path);
    expect([answer.status, answer.body]).toEqual([status, { error: expect.stringMatching(message) as string }]);
  });

  test('reads everything again, and is told what could not be taken over', async () => {
    const config = join(folder, 'tracker.toml');
    await writeFile(config, 'interval = 900\nadmin = "127.0.0.1:1"\nban = "ban.txt"');
    await writeFile(join(folder, 'ban.txt'), '');
    const { server, running } = await administrated({}, config);
    await writeFile(config, 'interval = 60\nadmin = "127.0.0.1:2"\nban = "ban.txt"\nlog-level = "error"');
    expect(await ask(server, 'POST', '/reload')).toMatchObject({
      status: 200,
      body: { applied: ['interval', 'log-level'], later: ['admin'], problems: [] },
    });
    expect(running.configuration.options).toMatchObject({ interval: 60, admin: { port: 1 } });
    await writeFile(config, 'interval = 0');
    await writeFile(join(folder, 'ban.txt'), 'nonsense');
    const { status, body } = await ask(server, 'POST', '/reload');
    expect(status).toBe(422);
    expect((body as { problems: string[] }).problems).toEqual([
      expect.stringContaining(`${config}:1: interval: `),
      expect.stringContaining(`${folder}/ban.txt:1:1: `),
    ]);
    expect(running.configuration.options.interval).toBe(60);
    expect(await running.metrics()).toContain('btt_reloads_total{result="failed"} 1');
  });

  test('changes by reloading whom to trust and whether announcers are looked at', async () => {
    const config = join(folder, 'tracker.toml');
    await writeFile(config, '');
    const { server, running } = await administrated({}, config);
    expect([running.configuration.source.isProxy('10.0.0.1'), running.natChecker.mode]).toEqual([false, 'off']);
    await writeFile(config, 'trusted-proxy = ["10.0.0.0/8"]\nnat-check = "warn"');
    expect((await ask(server, 'POST', '/reload')).body).toMatchObject({ applied: ['trusted-proxy', 'nat-check'] });
    expect([running.configuration.source.isProxy('10.0.0.1'), running.natChecker.mode]).toEqual([true, 'warn']);
  });

  test('is told that numbers do not go together, and nothing changes', async () => {
    const config = join(folder, 'tracker.toml');
    await writeFile(config, 'interval = 900');
    const { server, running } = await administrated({}, config);
    await writeFile(config, 'interval = 800\nmin-interval = 1000');
    expect((await ask(server, 'POST', '/reload')).body).toMatchObject({
      problems: [expect.stringMatching(/minInterval/)],
    });
    expect(running.configuration.options.interval).toBe(900);
  });

  test('changes an option by its name, whatever flags and file say, until that is taken back', async () => {
    const config = join(folder, 'tracker.toml');
    await writeFile(config, 'interval = 900\njitter = 1');
    const { server, running } = await administrated({ jitter: 2 }, config);
    const { configuration } = running;
    expect((await ask(server, 'GET', '/options/interval')).body).toEqual({
      option: 'interval',
      value: '900',
      override: false,
    });
    expect(await ask(server, 'PUT', '/options/interval/600')).toMatchObject({
      status: 200,
      body: { changed: true, option: 'interval', value: '600', override: true },
    });
    expect((await ask(server, 'PUT', '/options/jitter/7')).body).toMatchObject({ value: '7' });
    expect((await ask(server, 'PUT', '/options/jitter/7')).body).toMatchObject({ changed: false });
    await writeFile(config, 'interval = 300\nnumwant-limit = 70');
    expect((await ask(server, 'POST', '/reload')).body).toMatchObject({ applied: ['numwant-limit'] });
    expect(configuration.options).toMatchObject({ interval: 600, jitter: 7, numwantLimit: 70 });
    expect((await ask(server, 'GET', '/policy')).body).toMatchObject({
      options: { interval: 600 },
      configuration: { file: config, overrides: ['interval', 'jitter'] },
    });
    expect((await ask(server, 'DELETE', '/options/interval')).body).toMatchObject({ value: '300', override: false });
    expect((await ask(server, 'DELETE', '/options/jitter')).body).toMatchObject({ value: '2', override: false });
    expect(logged).toContain('info: option changed option=interval value=600 by=127.0.0.0/24');
  });

  test('changes options of every kind: words, switches, lists, and numbers that may be none', async () => {
    const { server, running } = await administrated();
    const { configuration } = running;
    for (const [path, value, shown] of [
      ['connection-ids/lenient', { connectionIds: 'lenient' }, 'lenient'],
      ['trust-ip/true', { trustIp: true }, 'true'],
      ['trusted-proxy/10.0.0.0%2F8,::1', { trustedProxy: ['10.0.0.0/8', '::1'] }, '10.0.0.0/8,::1'],
      ['trusted-proxy/none', { trustedProxy: [] }, 'none'],
      ['announce-rate/5', { announceRate: 5 }, '5'],
      ['announce-rate/none', { announceRate: undefined }, 'none'],
    ] as const) {
      expect((await ask(server, 'PUT', `/options/${path}`)).body).toMatchObject({ value: shown });
      expect(configuration.options).toMatchObject(value);
    }
  });

  test.each([
    ['nothing/1', 404, 'nothing is no option'],
    ['interval/0', 400, 'interval: it must be a whole number'],
    ['interval/none', 400, 'interval: it must be a whole number'],
    ['trust-ip/yes', 400, 'trust-ip: it must be true or false'],
    ['trusted-proxy/10.0.0.0%2F33', 400, 'trusted-proxy: it must be an address'],
    ['min-interval/5000', 409, 'minInterval'],
    ['http/off', 409, 'http holds from the start'],
    ['deny/%2Fetc%2Fshadow', 409, 'deny names a file'],
    ['admin-token/none', 409, 'admin-token names a file'],
  ])('cannot change options to %s: %i', async (path, status, error) => {
    const { server, running } = await administrated();
    const before = running.configuration.options;
    expect(await ask(server, 'PUT', `/options/${path}`)).toMatchObject({
      status,
      body: { error: expect.stringContaining(error) as string },
    });
    expect(running.configuration.options).toEqual(before);
    expect(running.configuration.overrides).toEqual([]);
  });

  test('sees numbers as JSON and for Prometheus', async () => {
    const { server } = await administrated();
    expect((await ask(server, 'GET', '/stats.json')).body).toMatchObject({ swarms: { torrents: 0 } });
    const metrics = await ask(server, 'GET', '/metrics');
    expect(metrics.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(metrics.text).toContain('btt_torrents 0');
  });

  test('finds every route described', async () => {
    const { server } = await administrated();
    const { body } = await ask(server, 'GET', '/openapi.json');
    expect(body).toMatchObject({
      openapi: '3.1.0',
      paths: {
        '/policy/{list}/{entry}': {
          put: {
            parameters: [
              { name: 'list', in: 'path' },
              { name: 'entry', in: 'path' },
            ],
            security: [{ token: [] }],
          },
          delete: {},
          get: {},
        },
        '/options/{option}': { get: {}, delete: {} },
        '/options/{option}/{value}': { put: { parameters: [{ name: 'option' }, { name: 'value' }] } },
        '/reload': { post: {} },
        '/restart': { post: {} },
        '/healthz': { get: { security: [] } },
        '/openapi.json': { get: {} },
      },
    });
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    for (const path of Object.keys((body as { paths: object }).paths)) {
      const written = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => name.toUpperCase());
      expect(readme).toMatch(new RegExp(`[\`\\s]${written}\``));
    }
  });
});

test('a restart that fails is told to who asked for it: status 500, with the reason', async () => {
  const { server } = await administrated();
  expect(await ask(server, 'POST', '/restart')).toMatchObject({
    status: 500,
    body: { error: 'the successor failed: it ended with code 3' },
  });
});

describe('the administrators of a tracker with a token', () => {
  const withToken = async (): Promise<AdminServer> => {
    const adminToken = join(folder, 'token');
    await writeFile(adminToken, `${secret}\n`);
    return (await administrated({ adminToken })).server;
  };

  test.each([
    [undefined, 401],
    ['Bearer', 401],
    ['Bearer wrong-horse-battery', 401],
    [`Basic ${secret}`, 401],
    [`Bearer ${secret}x`, 401],
    [`Bearer ${secret}`, 200],
    [`bearer  ${secret}`, 200],
  ])('send it: %j is %i', async (authorization, status) => {
    const server = await withToken();
    const answer = await ask(server, 'GET', '/policy', authorization === undefined ? {} : { authorization });
    expect(answer.status).toBe(status);
    if (status === 401) expect(answer.headers['www-authenticate']).toBe('Bearer');
  });

  test('are not told without it whether a page exists', async () => {
    expect((await ask(await withToken(), 'GET', '/nothing')).status).toBe(401);
  });

  test('do not need it to ask for health', async () => {
    const server = await withToken();
    expect((await ask(server, 'GET', '/healthz')).body).toEqual({ alive: true });
    expect((await ask(server, 'GET', '/readyz')).status).toBe(200);
  });

  test('send another once its file has changed and was read again', async () => {
    const adminToken = join(folder, 'token');
    await writeFile(adminToken, secret);
    const { server } = await administrated({ adminToken });
    await writeFile(adminToken, 'another-horse-battery');
    const old = { authorization: `Bearer ${secret}` };
    expect((await ask(server, 'POST', '/reload', old)).status).toBe(200);
    expect((await ask(server, 'GET', '/policy', old)).status).toBe(401);
    expect((await ask(server, 'GET', '/policy', { authorization: 'Bearer another-horse-battery' })).status).toBe(200);
  });

  test.each(['', 'short', 'two words that are long'])('have a real one: %j is refused', (text) => {
    expect(() => new AdminToken(text, '/etc/token')).toThrow(ConfigurationError);
    expect(() => new AdminToken(text, '/etc/token')).toThrow('/etc/token: ');
  });
});

describe('without a token', () => {
  test.each([
    [{ host: 'tracker.example' }, 403],
    [{ host: 'localhost.evil.example' }, 403],
    [{ origin: 'https://evil.example' }, 403],
    [{ origin: 'null' }, 403],
    [{ host: 'localhost:6980' }, 200],
    [{ host: '127.0.0.1' }, 200],
    [{ host: '[::1]:6980' }, 200],
  ])('no web page may administrate: %j is %i', async (headers, status) => {
    const { server } = await administrated();
    expect((await ask(server, 'GET', '/policy', headers)).status).toBe(status);
  });
});

test('a tracker that is not ready says so with status 503', async () => {
  const { server, ready } = await administrated();
  ready.ready = false;
  expect(await ask(server, 'GET', '/readyz')).toMatchObject({ status: 503, body: { ready: false } });
});

test('the defaults that are printed start a tracker', async () => {
  const config = join(folder, 'tracker.toml');
  await writeFile(config, printConfiguration(defaults));
  const { running } = await administrated({}, config);
  expect(running.configuration.options).toEqual({ ...defaults, logAddresses: 'truncated' });
});
