// Operating a running tracker: its configuration file, signals, certificates, logs and pages, as a process of its own.
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TLSSocket, connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { check } from '../src/check/check.ts';
import { Run, announce, textOf } from './running-command.ts';

const listen = ['--http', '127.0.0.1:0', '--udp', 'off'];
const certificate = (name: string): string =>
  fileURLToPath(new URL(`../../../packages/tracker-server/test/fixtures/${name}.pem`, import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-tracker-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

describe('a tracker with a configuration file', () => {
  test('goes by it, lets flags win, and takes over what can change on SIGHUP', async () => {
    const config = await file(
      'tracker.toml',
      'http = "127.0.0.1:0"\nudp = "off"\ninterval = 900\njitter = 0\njson = true',
    );
    await using run = new Run('serve', '--config', config);
    const { http, udp } = await run.event();
    expect(udp).toBe(undefined);
    const infoHash = new Uint8Array(20).fill(1);
    expect((await announce(http, infoHash, 5)).get('interval')).toBe(900);
    await file('tracker.toml', 'http = "127.0.0.1:1"\nudp = "off"\ninterval = 60\njitter = 0\ndeny = "deny.txt"');
    await file('deny.txt', '01'.repeat(20));
    run.child.kill('SIGHUP');
    expect(await run.logged('configuration read again')).toContain('applied=["deny","interval"] entries={"deny":1}');
    expect(await run.logged('next start')).toContain('warn: http, json: changed, but takes effect at the next start');
    expect((await announce(http, new Uint8Array(20).fill(2), 5)).get('interval')).toBe(60);
    expect((await announce(http, infoHash, 5)).has('failure reason')).toBe(true);
    await file('tracker.toml', 'intervall = 60');
    run.child.kill('SIGHUP');
    expect(await run.logged('did you mean')).toContain(
      `${config}:1: there is no option "intervall"; did you mean interval?`,
    );
    expect((await announce(http, new Uint8Array(20).fill(2), 5)).get('interval')).toBe(60);
    expect((await run.end('SIGTERM')).code).toBe(0);
  });

  test('reads it again on a SIGHUP that came while it started', async () => {
    // It waits two seconds for a store that is not there.
    const store = ['--store', 'redis://127.0.0.1:1'];
    await using run = new Run('serve', ...listen, ...store, '--json', '--deny', await file('deny.txt', ''));
    await run.logged('list read');
    run.child.kill('SIGHUP');
    expect(await run.event()).toMatchObject({ event: 'listening' });
    await run.logged('configuration read again');
    expect((await run.end('SIGTERM')).code).toBe(0);
  });

  test('does not start with a mistake in it: exit 3, naming file, line and what is near', async () => {
    const config = await file('tracker.toml', '# mine\nhtp = "x"\n');
    await using run = new Run('serve', '--config', config);
    expect(await run.end()).toEqual({
      code: 3,
      stderr: `shoal-tracker: configuration: ${config}:2: there is no option "htp"; did you mean http?\n`,
    });
  });

  test('prints what holds, which is a configuration file', async () => {
    await using run = new Run('serve', '--interval', '900', '--allow', 'a.txt', '--print-config');
    const text = await textOf(run.child.stdout!);
    expect((await run.end()).code).toBe(0);
    expect(text).toContain('\ninterval = 900\n');
    expect(text).toContain(`\nallow = ${JSON.stringify(join(process.cwd(), 'a.txt'))}\n`);
    const config = await file('tracker.toml', text);
    await using again = new Run('serve', '--config', config, '--print-config');
    expect(await textOf(again.child.stdout!)).toBe(text);
  });
});

describe('workers', () => {
  test('answer UDP and HTTP on their ports from one view of the swarms', async () => {
    await using run = new Run('serve', '--http', '127.0.0.1:0', '--udp', '127.0.0.1:0', '--workers', '2', '--json');
    const { udp, http } = await run.event();
    const urls = [String(udp), `${String(http)}/announce`];
    const seen = await check({ urls, only: true, timeoutMs: 5000, infoHash: undefined });
    expect(seen).toMatchObject({ exit: 'ok', problems: [] });
    const ended = run.end('SIGTERM');
    expect(await run.event()).toMatchObject({ event: 'stopped', swarms: { announces: 8 } });
    expect((await ended).code).toBe(0);
  });
});

describe('a list', () => {
  test('that is edited holds without a signal', async () => {
    const deny = await file('deny.txt', '');
    await using run = new Run('serve', ...listen, '--deny', deny, '--json');
    const { http } = await run.event();
    await file('deny.txt', '01'.repeat(20));
    await run.logged('list read again');
    expect((await announce(http, new Uint8Array(20).fill(1), 5)).has('failure reason')).toBe(true);
    await file('deny.txt', 'nonsense');
    expect(await run.logged('holds')).toContain(`error: ${deny}:1:1: `);
    expect((await announce(http, new Uint8Array(20).fill(1), 5)).has('failure reason')).toBe(true);
  });
});

describe('administration', () => {
  test('is served where it is asked for, and its changes hold', async () => {
    await using run = new Run('serve', ...listen, '--admin', '127.0.0.1:0', '--json');
    const { http, admin } = await run.event();
    const change = await fetch(`${String(admin)}/policy/deny/${'01'.repeat(20)}`, { method: 'PUT' });
    expect(change.status).toBe(200);
    expect((await announce(http, new Uint8Array(20).fill(1), 5)).has('failure reason')).toBe(true);
    expect(await (await fetch(`${String(admin)}/metrics`)).text()).toContain(
      'btt_announces_total{proto="http",family="ipv4",event="none",result="refused"} 1',
    );
    // It is not for everybody.
    for (const path of ['/policy', '/metrics', '/openapi.json']) {
      expect((await fetch(`${String(http)}${path}`)).status).toBe(404);
    }
  });

  test('without a token is refused to listen for others: exit 3', async () => {
    await using run = new Run('serve', ...listen, '--admin', '0.0.0.0:0');
    expect(await run.end()).toEqual({ code: 3, stderr: expect.stringContaining('--admin-token') as string });
  });

  test('with a token that is none is exit 3, naming the file', async () => {
    const token = await file('token', 'short');
    await using run = new Run('serve', ...listen, '--admin', '127.0.0.1:0', '--admin-token', token);
    expect(await run.end()).toEqual({ code: 3, stderr: expect.stringContaining(`${token}: `) as string });
  });
});

describe('pages for everybody', () => {
  test('tell of health, and of metrics where they are public', async () => {
    await using run = new Run('serve', ...listen, '--metrics', 'public', '--json');
    const { http } = await run.event();
    expect(await (await fetch(`${String(http)}/healthz`)).json()).toEqual({ alive: true });
    expect(await (await fetch(`${String(http)}/readyz`)).json()).toEqual({
      ready: true,
      listening: { http: true },
      store: true,
      configuration: true,
    });
    const metrics = await fetch(`${String(http)}/metrics`);
    expect([metrics.status, metrics.headers.get('content-type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ]);
    expect(await metrics.text()).toContain('btt_peers{role="seeder",family="any"} 0');
  });
});

describe('HTTPS', () => {
  const shown = async (url: unknown): Promise<unknown> => {
    const { port } = new URL(String(url));
    const socket: TLSSocket = connect({ port: Number(port), host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return CN;
  };

  test('is served with a certificate that SIGHUP reads again', async () => {
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    await Promise.all([copyFile(certificate('one.cert'), cert), copyFile(certificate('one.key'), key)]);
    await using run = new Run('serve', ...listen, '--tls-cert', cert, '--tls-key', key, '--json');
    const { http } = await run.event();
    expect(http).toMatch(/^https:/);
    expect(await shown(http)).toBe('one.localhost');
    await Promise.all([copyFile(certificate('two.cert'), cert), copyFile(certificate('two.key'), key)]);
    run.child.kill('SIGHUP');
    await run.logged('configuration read again');
    expect(await shown(http)).toBe('two.localhost');
    await writeFile(cert, 'nonsense');
    run.child.kill('SIGHUP');
    await run.logged('certificate');
    expect(await shown(http)).toBe('two.localhost');
  });

  test('with a certificate that is none is exit 3', async () => {
    const cert = await file('cert.pem', await readFile(certificate('one.cert'), 'utf8'));
    await using run = new Run('serve', ...listen, '--tls-cert', cert, '--tls-key', certificate('two.key'));
    expect(await run.end()).toEqual({ code: 3, stderr: expect.stringContaining('certificate') as string });
  });
});

describe('the log', () => {
  test('at level debug tells of refusals, with as much of addresses as is wanted', async () => {
    const deny = await file('deny.txt', '01'.repeat(20));
    const log = ['--log-level', 'debug', '--log-format', 'json', '--admin', '127.0.0.1:0'];
    await using run = new Run('serve', ...listen, '--deny', deny, ...log, '--json');
    const { http, admin } = await run.event();
    for (const [style, address] of [
      ['off', undefined],
      ['truncated', '127.0.0.0/24'],
      ['full', '127.0.0.1'],
    ]) {
      await fetch(`${String(admin)}/options/log-addresses/${style}`, { method: 'PUT' });
      await announce(http, new Uint8Array(20).fill(1), 5);
      const line = JSON.parse(await run.logged('"refused"')) as Record<string, unknown>;
      expect(line).toMatchObject({ level: 'debug', reason: 'torrent-denied', torrent: '01'.repeat(20) });
      expect(line['address']).toBe(address);
    }
  });
});
