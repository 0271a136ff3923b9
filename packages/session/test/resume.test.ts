import { mkdir, open, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createMetainfo, type Metainfo } from '@shoal/metainfo';
import { describe, expect, test } from 'vitest';
import { journalPath, type AddOptions, type SessionReport, type TorrentHandle } from '../src/index.ts';
import { emptyFolder, endpointOf, openSession, randomFile, temporaryFolder } from './swarm.ts';

const pieceLength = 65_536;

/** A complete copy of `length` bytes that a session with a journal has left. */
async function finishedCopy(length = 20 * pieceLength): Promise<{
  metainfo: Metainfo;
  bytes: Uint8Array;
  directory: string;
  resumeDirectory: string;
  seed: { ip: string; port: number };
}> {
  const { folder, metainfo, bytes } = await randomFile(length, pieceLength);
  const seeder = await openSession();
  await seeder.add(metainfo, { directory: folder, requireComplete: true });
  const [directory, resumeDirectory] = [await emptyFolder(), await emptyFolder()];
  const session = await openSession({ resumeDirectory });
  const handle = await session.add(metainfo, { directory, peers: [endpointOf(seeder)] });
  await handle.completed;
  await session.close();
  return { metainfo, bytes, directory, resumeDirectory, seed: endpointOf(seeder) };
}

interface Restarted {
  readonly handle: TorrentHandle;
  /** Pieces had at once, before anything could be checked. */
  readonly hadAtOnce: number;
  readonly checked: number;
  readonly reports: readonly SessionReport[];
}

/** Adds it again and waits until it is complete. */
async function restart(metainfo: Metainfo, resumeDirectory: string, options: AddOptions): Promise<Restarted> {
  const session = await openSession({ resumeDirectory });
  let checked = 0;
  const reports: SessionReport[] = [];
  const handle = await session.add(metainfo, { ...options, onCheckProgress: () => checked++ });
  handle.onReport((report) => reports.push(report));
  const hadAtOnce = handle.snapshot().havePieces;
  await handle.completed;
  return { handle, hadAtOnce, checked, reports };
}

describe('a torrent that is added again', () => {
  test('is checked no more after a clean stop', async () => {
    const { metainfo, directory, resumeDirectory } = await finishedCopy();
    const { hadAtOnce, checked } = await restart(metainfo, resumeDirectory, { directory });
    expect([hadAtOnce, checked]).toEqual([20, 0]);
  });

  test('is checked no more by who only gives', async () => {
    const { metainfo, directory, resumeDirectory } = await finishedCopy();
    const options = { directory, requireComplete: true };
    const { hadAtOnce, checked } = await restart(metainfo, resumeDirectory, options);
    expect([hadAtOnce, checked]).toEqual([20, 0]);
  });

  test('without a journal is checked in full, while it runs', async () => {
    const { metainfo, directory } = await finishedCopy();
    const { hadAtOnce, checked, handle } = await restart(metainfo, await emptyFolder(), { directory });
    expect([hadAtOnce, checked]).toEqual([0, 20]);
    expect(handle.snapshot()).toMatchObject({ downloadedBytes: 0, checkingPieces: 0 });
  });

  test('is checked where a file was changed behind our back, and what is wrong is fetched again', async () => {
    const { metainfo, bytes, directory, resumeDirectory, seed } = await finishedCopy();
    const file = path.join(directory, 'content.bin');
    const opened = await open(file, 'r+');
    await opened.write(Uint8Array.of(bytes[5 * pieceLength]! ^ 1), 0, 1, 5 * pieceLength);
    await opened.close();
    const { hadAtOnce, checked, handle } = await restart(metainfo, resumeDirectory, { directory, peers: [seed] });
    expect([hadAtOnce, checked]).toEqual([0, 20]);
    expect(handle.snapshot().downloadedBytes).toBe(pieceLength);
    expect(new Uint8Array(await readFile(file))).toEqual(bytes);
  });

  test('fetches the end of a file that was cut, and checks the rest', async () => {
    const { metainfo, bytes, directory, resumeDirectory, seed } = await finishedCopy();
    await truncate(path.join(directory, 'content.bin'), 12 * pieceLength);
    const { checked, handle } = await restart(metainfo, resumeDirectory, { directory, peers: [seed] });
    expect(checked).toBe(12);
    expect(handle.snapshot().downloadedBytes).toBe(8 * pieceLength);
    expect(new Uint8Array(await readFile(path.join(directory, 'content.bin')))).toEqual(bytes);
  });

  test('fetches everything when the file was deleted', async () => {
    const { metainfo, bytes, directory, resumeDirectory, seed } = await finishedCopy();
    await rm(path.join(directory, 'content.bin'));
    const { hadAtOnce, handle } = await restart(metainfo, resumeDirectory, { directory, peers: [seed] });
    expect(hadAtOnce).toBe(0);
    expect(handle.snapshot().downloadedBytes).toBe(bytes.length);
  });

  test('of several files checks only those that were replaced', async () => {
    const folder = path.join(await temporaryFolder(), 'content');
    await mkdir(folder);
    for (const name of ['a', 'b', 'c']) await writeFile(path.join(folder, name), name.repeat(4 * pieceLength));
    const { metainfo } = await createMetainfo(folder, { pieceLength });
    const resumeDirectory = await emptyFolder();
    const directory = path.dirname(folder);
    await restart(metainfo, resumeDirectory, { directory }).then(({ handle }) => handle.stop());
    await writeFile(path.join(folder, 'new'), 'b'.repeat(4 * pieceLength));
    await rename(path.join(folder, 'new'), path.join(folder, 'b'));
    const { hadAtOnce, checked, handle } = await restart(metainfo, resumeDirectory, { directory });
    expect([hadAtOnce, checked]).toEqual([8, 4]);
    expect(handle.snapshot().downloadedBytes).toBe(0);
  });
});

test('a journal that cannot be read is reported to who listens first', async () => {
  const { folder, metainfo } = await randomFile(2 * pieceLength, pieceLength);
  const resumeDirectory = await emptyFolder();
  await mkdir(journalPath(resumeDirectory, metainfo.infoHash, folder));
  const session = await openSession({ resumeDirectory });
  const handle = await session.add(metainfo, { directory: folder });
  const reports: SessionReport[] = [];
  handle.onReport((report) => reports.push(report));
  expect(reports).toContainEqual(expect.objectContaining({ type: 'journal-failed' }));
});

describe('content that is moved while the torrent runs', () => {
  test('is served from its new place, and is checked no more when it is added there', async () => {
    const { metainfo, bytes, directory, resumeDirectory } = await finishedCopy();
    const { handle } = await restart(metainfo, resumeDirectory, { directory });
    const target = await emptyFolder();
    await handle.move(target);
    expect(await readdir(directory)).toEqual([]);
    const chunks: Uint8Array[] = [];
    for await (const chunk of handle.read(0)) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    await handle.stop();
    const { hadAtOnce, checked } = await restart(metainfo, resumeDirectory, { directory: target });
    expect([hadAtOnce, checked]).toEqual([20, 0]);
  });
});

describe('a file that is deleted while the torrent runs', () => {
  test('stops the torrent until it is back, and then is checked again', async () => {
    const { metainfo, directory, resumeDirectory } = await finishedCopy();
    const { handle, reports } = await restart(metainfo, resumeDirectory, { directory });
    const file = path.join(directory, 'content.bin');
    const suspended = told(handle, 'suspended');
    await handle.look();
    await rename(file, `${file}.away`);
    const looked = handle.look();
    await suspended;
    expect(handle.snapshot()).toMatchObject({ state: 'suspended' });
    expect(handle.snapshot().failure).toContain('content.bin');
    await rename(`${file}.away`, file);
    const checked = told(handle, 'checked');
    handle.retry();
    await looked;
    await checked;
    expect(handle.snapshot()).toMatchObject({ state: 'seeding', havePieces: 20 });
    expect(reports.map(({ type }) => type)).toContain('files-changed');
  });
});

function told(handle: TorrentHandle, type: SessionReport['type']): Promise<void> {
  return new Promise((resolve) => {
    const end = handle.onReport((report) => {
      if (report.type !== type) return;
      end();
      resolve();
    });
  });
}
