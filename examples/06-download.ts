// A seeder and a downloader in one program: the shortest way to move a file.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createMetainfo } from '@shoal/metainfo';
import { Session } from '@shoal/session';

const folder = await mkdtemp(path.join(tmpdir(), 'shoal-example-'));
await writeFile(path.join(folder, 'hello.txt'), 'hello, swarm\n'.repeat(100_000));
const { metainfo } = await createMetainfo(path.join(folder, 'hello.txt'));

{
  await using seeder = await Session.open({ port: 0, bind: '127.0.0.1' });
  await seeder.add(metainfo, { directory: folder });
  await using downloader = await Session.open({ port: 0, bind: '127.0.0.1' });
  const directory = path.join(folder, 'downloads');
  const torrent = await downloader.add(metainfo, { directory, peers: [{ ip: '127.0.0.1', port: seeder.port }] });
  torrent.onReport((report) => console.log(report.type));
  await torrent.completed;
  const copy = await readFile(path.join(directory, 'hello.txt'));
  console.log(`${copy.length} bytes, ${torrent.snapshot().downloadedBytes} of them downloaded`);
}
await rm(folder, { recursive: true });
