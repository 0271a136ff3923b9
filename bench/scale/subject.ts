// One session that is measured, in a process of its own, through the public interface. Prints one line of JSON per phase.
// usage: subject.ts idle FOLDER IDLE_SECONDS | subject.ts large FOLDER PIECES
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseMetainfo } from '@shoal/metainfo';
import { Session, type TorrentHandle } from '@shoal/session';
import { trackerAddress } from '../network.ts';
import { Pauses } from '../pauses.ts';

/** Announces and the first choking rounds are over by then. */
const settleMs = 5000;
/** Long enough for whatever a torrent does every second, or every ten after its start. */
const runMs = 3000;

const [what, folder = '', third] = process.argv.slice(2);
const pauses = new Pauses();
// Loading is not what is measured.
await pauses.take();
if (what === 'idle') await idle(Number(third) * 1000);
else await large(Number(third));
pauses.stop();
process.exit(0);

/** Phases touch: no pause falls between two. */
async function phase<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const result = await work();
  const seconds = (performance.now() - startedAt) / 1000;
  tell({ phase: name, seconds, ...(await pauses.take()) });
  return result;
}

function openSession(): Promise<Session> {
  return Session.open({ port: 0, bind: trackerAddress, resumeDirectory: path.join(folder, 'resume') });
}

/** Many torrents, all there already. */
async function idle(idleMs: number): Promise<void> {
  const directory = path.join(folder, 'content');
  const torrents = path.join(folder, 'torrents');
  const session = await phase('open', () => openSession());
  await phase('add and complete', async () => {
    const add = async (name: string): Promise<void> => {
      // A client reads its torrents without holding up its loop.
      const handle = await session.add(parseMetainfo(await readFile(path.join(torrents, name))), { directory });
      await handle.completed;
    };
    await Promise.all(readdirSync(torrents).map(add));
  });
  await phase('settle', () => delay(settleMs));
  pauses.stop();
  const before = process.cpuUsage();
  await delay(idleMs);
  const { user, system } = process.cpuUsage(before);
  tell({ phase: 'idle', seconds: idleMs / 1000, cpuShare: (user + system) / 1000 / idleMs, ...memory() });
  const startedAt = performance.now();
  await session.close();
  tell({ phase: 'close', seconds: (performance.now() - startedAt) / 1000 });
}

/** One torrent, nothing of it there, and one peer that has everything. */
async function large(pieceCount: number): Promise<void> {
  const peer = fork(path.join(import.meta.dirname, 'peer.ts'), [String(pieceCount)]);
  const [{ port }] = (await once(peer, 'message')) as [{ port: number }];
  const metainfo = await phase('read and parse', () => parseMetainfo(readFileSync(path.join(folder, 'large.torrent'))));
  const session = await phase('open', () => openSession());
  const asked = once(peer, 'message') as Promise<[{ askedAt: number }]>;
  const addedAt = performance.timeOrigin + performance.now();
  const peers = [{ ip: trackerAddress, port }];
  const { announcement } = await phase('add', async () => {
    const handle = await session.add(metainfo, { directory: path.join(folder, 'content'), peers });
    return { announcement: announced(handle) };
  });
  await phase('announce and pick', async () => {
    const [[{ askedAt }]] = await Promise.all([asked, announcement]);
    tell({ phase: 'from add to first request', seconds: (askedAt - addedAt) / 1000 });
  });
  await phase('run', () => delay(runMs));
  tell({ phase: 'memory', ...memory() });
  await phase('close', () => session.close());
  peer.disconnect();
}

/** Resolves when a tracker has answered; to be called before one can. */
function announced(handle: TorrentHandle): Promise<void> {
  return new Promise((resolve, reject) => {
    handle.onReport((report) => {
      if (report.type === 'announced') resolve();
      if (report.type === 'announce-failed') reject(new Error(report.reason));
    });
  });
}

function memory(): object {
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return { rss, heapUsed, external, arrayBuffers };
}

function tell(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
