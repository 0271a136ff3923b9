import { mkdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createMetainfo, type Metainfo } from '@shoal/metainfo';
import { describe, expect, test } from 'vitest';
import { emptyFolder, endpointOf, openSession, temporaryFolder } from './swarm.ts';

const pieceLength = 16_384;

/** A folder of two files and an empty one. */
async function folderTorrent(): Promise<{ readonly folder: string; readonly metainfo: Metainfo }> {
  const folder = await temporaryFolder();
  await mkdir(path.join(folder, 'content'));
  for (const [name, length] of [['a', pieceLength * 3] as const, ['b', pieceLength * 2] as const, ['c', 0] as const])
    await writeFile(path.join(folder, 'content', name), new Uint8Array(length).fill(length % 251));
  const { metainfo } = await createMetainfo(path.join(folder, 'content'), { pieceLength });
  return { folder, metainfo };
}

describe('a change of priorities', () => {
  test('that the disk refuses midway changes nothing, and works once the cause is gone', async () => {
    const { folder, metainfo } = await folderTorrent();
    const giver = await openSession();
    await giver.add(metainfo, { directory: folder });
    const taker = await openSession({ resumeDirectory: await emptyFolder() });
    const directory = await emptyFolder();
    const handle = await taker.add(metainfo, { directory, filePriorities: ['skip', 'skip', 'skip'] });
    const obstacle = path.join(directory, 'content', 'c');
    await mkdir(obstacle, { recursive: true });

    await expect(handle.setFilePriority([0, 2], 'high')).rejects.toMatchObject({ code: 'unsafe-path' });
    expect(handle.filePriorities).toEqual(['skip', 'skip', 'skip']);
    expect(handle.snapshot().wantedLeftBytes).toBe(0);
    handle.addPeers([endpointOf(giver)]);

    await rmdir(obstacle);
    await handle.setFilePriority([0, 2], 'high');
    expect(handle.filePriorities).toEqual(['high', 'skip', 'high']);
    const [got, original] = [new Response(handle.read(0)), readFile(path.join(folder, 'content', 'a'))];
    expect(Buffer.from(await got.arrayBuffer()).equals(await original)).toBe(true);
    expect((await stat(obstacle)).size).toBe(0);
    await expect(stat(path.join(directory, 'content', 'b'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('to a file that is not there changes none of the others', async () => {
    const { metainfo } = await folderTorrent();
    const session = await openSession();
    const handle = await session.add(metainfo, { directory: await emptyFolder() });
    await expect(handle.setFilePriority([0, 3], 'skip')).rejects.toThrow(RangeError);
    expect(handle.filePriorities).toEqual(['normal', 'normal', 'normal']);
  });

  test('waits for the one before, so that both hold', async () => {
    const { metainfo } = await folderTorrent();
    const session = await openSession();
    const handle = await session.add(metainfo, { directory: await emptyFolder() });
    await Promise.all([handle.setFilePriority(0, 'skip'), handle.setFilePriority(1, 'low')]);
    expect(handle.filePriorities).toEqual(['skip', 'low', 'normal']);
  });
});
