import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { compileCacheFolder } from '../src/compile-cache.ts';

describe('the folder of compiled code', () => {
  test.each([
    ['linux', {}, '/home/u/.cache/shoal/compiled'],
    ['linux', { XDG_CACHE_HOME: '/c' }, '/c/shoal/compiled'],
    ['linux', { XDG_CACHE_HOME: 'c' }, '/home/u/.cache/shoal/compiled'],
    ['darwin', {}, '/home/u/Library/Caches/shoal/compiled'],
    ['win32', { LOCALAPPDATA: '/local' }, '/local/shoal/compiled'],
    ['win32', {}, '/home/u/AppData/Local/shoal/compiled'],
  ] as const)('on %s with %o is %s', (platform, environment, folder) => {
    expect(compileCacheFolder(platform, environment, '/home/u')).toBe(path.normalize(folder));
  });

  test('is left to who named one for all programs', () => {
    expect(compileCacheFolder('linux', { NODE_COMPILE_CACHE: '/all', XDG_CACHE_HOME: '/c' }, '/home/u')).toBe(
      undefined,
    );
  });
});

describe('shoal', () => {
  const main = path.join(import.meta.dirname, '../src/main.ts');
  let folder = '';
  beforeEach(() => void (folder = mkdtempSync(path.join(tmpdir(), 'shoal-test-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const version = (environment: Readonly<Record<string, string>>) =>
    spawnSync(process.execPath, [main, '--version'], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: folder, ...environment },
    });

  test('keeps its compiled code in the cache of the user', () => {
    expect(version({ XDG_CACHE_HOME: path.join(folder, 'cache') })).toMatchObject({ status: 0, stderr: '' });
    expect(existsSync(path.join(folder, 'cache', 'shoal', 'compiled'))).toBe(true);
  });

  test('says nothing where it cannot be kept', () => {
    const file = path.join(folder, 'file');
    writeFileSync(file, '');
    const { status, stdout, stderr } = version({ XDG_CACHE_HOME: file });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+/);
  });

  test('keeps it where NODE_COMPILE_CACHE says', () => {
    expect(version({ NODE_COMPILE_CACHE: path.join(folder, 'mine') }).status).toBe(0);
    expect(existsSync(path.join(folder, 'mine'))).toBe(true);
    expect(existsSync(path.join(folder, '.cache'))).toBe(false);
  });
});
