import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { journalPath } from '../src/index.ts';
import { JournalFolder } from '../src/journal-folder.ts';
import { emptyFolder, openSession, randomFile, temporaryFolder } from './swarm.ts';

const days = 24 * 60 * 60;
const infoHash = (number: number): string => number.toString(16).padStart(40, '0');

/** `count` journals that were used so many days ago; answers their names. */
async function journals(directory: string, first: number, count: number, daysAgo: number): Promise<string[]> {
  const usedAt = Date.now() / 1000 - daysAgo * days;
  const names = Array.from({ length: count }, (_, index) => `${infoHash(first + index)}-0123abcd.journal`);
  for (const name of names) {
    await writeFile(path.join(directory, name), '');
    await utimes(path.join(directory, name), usedAt, usedAt);
  }
  return names;
}

describe('a folder of journals', () => {
  test('loses those that nobody used for long, and nothing else', async () => {
    const directory = await temporaryFolder();
    const kept = await journals(directory, 0, 99, 29);
    await journals(directory, 1000, 5, 31);
    const strangers = ['notes.journal', 'a.torrent', `${infoHash(1)}.journal`];
    for (const name of strangers) {
      await writeFile(path.join(directory, name), '');
      await utimes(path.join(directory, name), 1, 1);
    }
    const folder = new JournalFolder({ directory, keepDays: 30 });
    await folder.close();
    expect((await readdir(directory)).toSorted()).toEqual([...kept, ...strangers].toSorted());
  });

  test('keeps what is in use, whatever its time, and what was in use until now', async () => {
    const directory = await temporaryFolder();
    await journals(directory, 0, 120, 31);
    const folder = new JournalFolder({ directory, keepDays: 30 });
    const [first, second] = [infoHash(3), infoHash(7)].map((hash) => path.join(directory, `${hash}-0123abcd.journal`));
    for (const at of [first!, second!]) {
      await folder.use(at);
      await utimes(at, 1, 1);
    }
    await folder.release(second!);
    await folder.close();
    expect((await readdir(directory)).toSorted()).toEqual([first, second].map((at) => path.basename(at!)));
  });

  test('is left alone while there are few, and where there is none', async () => {
    const directory = await temporaryFolder();
    await journals(directory, 0, 100, 1000);
    await new JournalFolder({ directory, keepDays: 30 }).close();
    expect(await readdir(directory)).toHaveLength(100);
    await new JournalFolder({ directory: path.join(directory, 'none'), keepDays: 30 }).close();
  });

  test('is tidied by a session at its end, which keeps the journals of its torrents', async () => {
    const { folder, metainfo } = await randomFile(100_000);
    const resumeDirectory = await emptyFolder();
    const journal = journalPath(resumeDirectory, metainfo.infoHash, folder);
    const first = await openSession({ resumeDirectory });
    await first.add(metainfo, { directory: folder });
    await first.close();
    await mkdir(resumeDirectory, { recursive: true });
    await utimes(journal, 1, 1);
    await journals(resumeDirectory, 0, 150, 181);
    const second = await openSession({ resumeDirectory });
    await second.add(metainfo, { directory: folder });
    await second.close();
    expect(await readdir(resumeDirectory)).toEqual([path.basename(journal)]);
  });
});
