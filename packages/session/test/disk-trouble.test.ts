import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DiskTrouble } from '../src/disk-trouble.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function watched(): { trouble: DiskTrouble; told: string[] } {
  const told: string[] = [];
  const trouble = new DiskTrouble({
    suspended: (reason) => told.push(`suspended: ${reason}`),
    resumed: () => told.push('resumed'),
  });
  return { trouble, told };
}

describe('trouble with a disk', () => {
  test('is told once, tried again ever less often, and over when what failed works', async () => {
    const { trouble, told } = watched();
    const triedAt: number[] = [];
    const begin = Date.now();
    const operation = (): Promise<string> => {
      triedAt.push(Date.now() - begin);
      return triedAt.length < 8 ? Promise.reject(new Error('full')) : Promise.resolve('written');
    };
    const work = trouble.overcome(new Error('full'), operation);
    expect(trouble.isTroubled).toBe(true);
    await vi.advanceTimersByTimeAsync(1000 * (1 + 2 + 4 + 8 + 16 + 30 + 30 + 30));
    expect(await work).toBe('written');
    expect(triedAt).toEqual([1, 3, 7, 15, 31, 61, 91, 121].map((seconds) => seconds * 1000));
    expect(told).toEqual(['suspended: full', 'resumed']);
    expect(trouble.isTroubled).toBe(false);
  });

  test('is over only when everything that failed works, and tells of a new reason', async () => {
    const { trouble, told } = watched();
    let isFull = true;
    const one = trouble.overcome(new Error('full'), async () => {
      if (isFull) throw new Error('read-only');
    });
    const two = trouble.overcome(new Error('full'), async () => {});
    await vi.advanceTimersByTimeAsync(1000);
    await two;
    expect(told).toEqual(['suspended: full', 'suspended: read-only']);
    isFull = false;
    await vi.advanceTimersByTimeAsync(2000);
    await one;
    expect(told.at(-1)).toBe('resumed');
  });

  test('is tried again at once when somebody says so', async () => {
    const { trouble } = watched();
    const work = trouble.overcome(new Error('full'), () => Promise.resolve('written'));
    trouble.retry();
    expect(await work).toBe('written');
    expect(vi.getTimerCount()).toBe(0);
  });

  test('ends with the torrent: what waits fails with its last reason, nothing is told and no timer is left', async () => {
    const { trouble, told } = watched();
    const work = trouble.overcome(new Error('full'), () => Promise.resolve());
    trouble.end();
    await expect(work).rejects.toThrow('full');
    await expect(trouble.overcome(new Error('later'), () => Promise.resolve())).rejects.toThrow('later');
    expect(told).toEqual(['suspended: full']);
    expect(vi.getTimerCount()).toBe(0);
  });
});
