// Where notes about torrents lie, and who may read them.
import { stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { defaultResumeDirectory, makeResumeDirectory } from '../src/state-directory.ts';
import { temporaryFolder } from './content.ts';

describe('the folder for resume data', () => {
  test.each<[NodeJS.Platform, NodeJS.ProcessEnv, string]>([
    ['linux', {}, '/home/ada/.local/state/shoal/resume'],
    ['linux', { XDG_STATE_HOME: '/state' }, '/state/shoal/resume'],
    ['linux', { XDG_STATE_HOME: 'state' }, '/home/ada/.local/state/shoal/resume'],
    ['darwin', {}, '/home/ada/Library/Application Support/shoal/resume'],
    ['win32', { LOCALAPPDATA: '/home/ada/Local' }, '/home/ada/Local/shoal/resume'],
    ['win32', {}, '/home/ada/AppData/Local/shoal/resume'],
  ])('on %s with %j is %s', (platform, environment, folder) => {
    expect(defaultResumeDirectory(platform, environment, '/home/ada')).toBe(path.normalize(folder));
  });

  test('is made for its owner alone', async () => {
    const directory = path.join(await temporaryFolder(), 'state', 'resume');
    expect(await makeResumeDirectory({ directory, isDefault: true }, () => {})).toBe(directory);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
  });

  test('that cannot be made is a warning by default, and a failure when it was asked for', async () => {
    const file = path.join(await temporaryFolder(), 'file');
    await writeFile(file, '');
    const directory = path.join(file, 'resume');
    const warnings: string[] = [];
    expect(await makeResumeDirectory({ directory, isDefault: true }, (text) => warnings.push(text))).toBeUndefined();
    expect(warnings).toEqual([expect.stringMatching(/cannot be made .*check everything.*--resume-dir/)]);
    await expect(makeResumeDirectory({ directory, isDefault: false }, () => {})).rejects.toMatchObject({
      exit: 'configuration',
    });
  });
});
