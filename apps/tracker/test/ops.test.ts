// The files in ops/ against what the command really has.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createProgram } from '../src/arguments.ts';
import { readConfiguration } from '../src/configuration/configuration.ts';
import { createLog } from '../src/log.ts';
import { RunningTracker } from '../src/running-tracker.ts';
import { tellServiceManager } from '../src/service-manager.ts';
import { exposedNames } from './exposition.ts';
import { Run } from './running-command.ts';

const ops = (name: string): string => fileURLToPath(new URL(`../ops/${name}`, import.meta.url));
const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

/** Names in an expression of Prometheus that are metrics by their form. */
function metricsIn(expressions: string): string[] {
  return expressions.match(/\b(?:btt|process|nodejs)_[a-z0-9_]+/g) ?? [];
}

async function exposed(): Promise<ReadonlySet<string>> {
  const options = await readConfiguration({ flags: {}, config: undefined });
  const log = createLog({ level: 'silent', format: 'text', addresses: 'off' }, { write: () => {} });
  await using running = await RunningTracker.open({ flags: {}, config: undefined }, options, log);
  return exposedNames(await running.metrics());
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-tracker-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the dashboard and the alert rules', () => {
  test.each(['grafana.json', 'alerts.yaml'])('of %s name only metrics that exist', async (file) => {
    const names = metricsIn(readFileSync(ops(file), 'utf8'));
    expect(names.length).toBeGreaterThan(8);
    const all = await exposed();
    for (const name of names) expect(all).toContain(name);
  });

  test('show every metric of the tracker itself', async () => {
    const shown = new Set(
      ['grafana.json', 'alerts.yaml'].flatMap((file) => metricsIn(readFileSync(ops(file), 'utf8'))),
    );
    const own = [...(await exposed())].filter(
      (name) => name.startsWith('btt_') && !/_(?:sum|count|seconds)$/.test(name),
    );
    for (const name of own) expect(shown).toContain(name);
  });

  test('have panels that do not overlap, each with a query', () => {
    const { panels } = JSON.parse(readFileSync(ops('grafana.json'), 'utf8')) as {
      panels: { title: string; gridPos: { x: number; y: number; w: number; h: number }; targets: { expr: string }[] }[];
    };
    const taken = new Set<string>();
    for (const { title, gridPos, targets } of panels) {
      expect(targets.length, title).toBeGreaterThan(0);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(x).toBeLessThan(24);
          expect(taken).not.toContain(`${x} ${y}`);
          taken.add(`${x} ${y}`);
        }
      }
    }
  });
});

/** Whether the command takes these words, without running anything. */
async function isUnderstood(words: readonly string[]): Promise<boolean> {
  const program = createProgram('0.0.0', { serve: async () => {}, check: async () => {} });
  for (const command of [program, ...program.commands]) command.configureOutput({ writeErr: () => {} });
  return program.parseAsync(['node', 'shoal-tracker', ...words]).then(
    () => true,
    () => false,
  );
}

describe('the systemd unit', () => {
  test('starts the command with options that exist', async () => {
    const unit = readFileSync(ops('shoal-tracker.service'), 'utf8');
    const words = /^ExecStart=\/usr\/bin\/env shoal-tracker (.*)$/m.exec(unit)?.[1]?.split(' ') ?? [];
    expect(words[0]).toBe('serve');
    expect(await isUnderstood(words)).toBe(true);
  });

  test.skipIf(!has('systemd-analyze'))('is verified by systemd and exposes little', () => {
    expect(execFileSync('systemd-analyze', ['verify', ops('shoal-tracker.service')], { encoding: 'utf8' })).toBe('');
    const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', ops('shoal-tracker.service')], {
      encoding: 'utf8',
    });
    const exposure = /Overall exposure level for shoal-tracker\.service: ([\d.]+)/.exec(stdout)?.[1];
    expect(Number(exposure)).toBeLessThan(2);
  });
});

test('the Dockerfile starts the command with options that exist', async () => {
  const command = /^CMD (\[.*\])$/m.exec(readFileSync(ops('Dockerfile'), 'utf8'))?.[1];
  expect(await isUnderstood(JSON.parse(command ?? '[]') as string[])).toBe(true);
});

describe('the service manager', () => {
  test('is told of readiness by the program of its own, where it asks to be', async () => {
    const [program, told] = [join(folder, 'systemd-notify'), join(folder, 'told')];
    writeFileSync(program, '#!/bin/sh\necho "$@" > "$NOTIFY_SOCKET"\n');
    chmodSync(program, 0o755);
    const environment = { PATH: `${folder}:${process.env['PATH']}`, NOTIFY_SOCKET: told };
    expect(await tellServiceManager(environment)).toBe(undefined);
    expect(readFileSync(told, 'utf8')).toBe('--ready\n');
    writeFileSync(program, '#!/bin/sh\nexit 1\n');
    expect(await tellServiceManager(environment)).toMatch(/systemd-notify --ready/);
  });

  test('has been told when the tracker says that it listens', async () => {
    const [program, told] = [join(folder, 'systemd-notify'), join(folder, 'told')];
    writeFileSync(program, '#!/bin/sh\necho "$@" > "$NOTIFY_SOCKET"\n');
    chmodSync(program, 0o755);
    const path = process.env['PATH'];
    Object.assign(process.env, { PATH: `${folder}:${path}`, NOTIFY_SOCKET: told });
    await using run = new Run('serve', '--http', '127.0.0.1:0', '--udp', 'off', '--json');
    Object.assign(process.env, { PATH: path });
    delete process.env['NOTIFY_SOCKET'];
    await run.event();
    expect(readFileSync(told, 'utf8')).toBe('--ready\n');
  });

  test('is left alone where there is none', async () => {
    expect(await tellServiceManager({ PATH: '' })).toBe(undefined);
  });
});
