// One long-lived session that adds and removes torrents as it is told, and says what the process holds. Run with
// --expose-gc; asked and answering over the channel of its parent. usage: forked with INDEX RESUME_DIRECTORY
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { parseMetainfo } from '@shoal/metainfo';
import { Session, type TorrentHandle } from '@shoal/session';
import { peerAddress } from '../network.ts';

export interface Sample {
  readonly heapUsed: number;
  readonly external: number;
  readonly arrayBuffers: number;
  readonly rss: number;
  readonly fds: number;
  /** How many of each kind of resource keep the process alive. */
  readonly resources: Readonly<Record<string, number>>;
  readonly torrents: number;
}

export type Order =
  | {
      readonly type: 'add';
      readonly torrent: string;
      readonly directory: string;
      readonly peers: readonly { readonly ip: string; readonly port: number }[];
      /** Answers when this share of the pieces is there. */
      readonly share: number;
    }
  | { readonly type: 'remove'; readonly infoHash: string; readonly erase?: string | undefined }
  | { readonly type: 'sample' };

export type Answer =
  | { readonly type: 'added'; readonly infoHash: string; readonly bytes: number }
  | { readonly type: 'removed' }
  | { readonly type: 'sample'; readonly sample: Sample }
  | { readonly type: 'failed'; readonly reason: string };

const [index, resumeDirectory = ''] = process.argv.slice(2);
const address = peerAddress(Number(index));
const session = await Session.open({ port: 0, bind: address, resumeDirectory });
const handles = new Map<string, TorrentHandle>();
const { gc } = globalThis;
if (gc === undefined) throw new Error('run with --expose-gc');

process.on('message', ({ id, order }: { id: number; order: Order }) => {
  void answer(order)
    .catch((error: unknown): Answer => ({
      type: 'failed',
      reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }))
    .then((reply) => process.send?.({ id, reply }));
});
process.on('disconnect', () => process.exit(0));
process.send?.({ endpoint: { ip: address, port: session.port } });

async function answer(order: Order): Promise<Answer> {
  if (order.type === 'add') return add(order);
  if (order.type === 'sample') return { type: 'sample', sample: sample() };
  await handles.get(order.infoHash)?.stop();
  handles.delete(order.infoHash);
  if (order.erase !== undefined) rmSync(order.erase, { recursive: true, force: true });
  return { type: 'removed' };
}

async function add({ torrent, directory, peers, share }: Order & { type: 'add' }): Promise<Answer> {
  const metainfo = parseMetainfo(readFileSync(torrent));
  const handle = await session.add(metainfo, { directory, peers });
  handles.set(handle.infoHash, handle);
  const { pieceCount, totalLength } = metainfo.geometry;
  await (share < 1 ? verified(handle, Math.floor(pieceCount * share)) : handle.completed);
  return { type: 'added', infoHash: handle.infoHash, bytes: totalLength * share };
}

function verified(handle: TorrentHandle, pieces: number): Promise<void> {
  return new Promise((resolve) => {
    let left = pieces;
    const off = handle.onReport((report) => {
      if (report.type !== 'piece-verified' || --left > 0) return;
      off();
      resolve();
    });
  });
}

function sample(): Sample {
  // The first sweep runs finalizers, the second takes what they let go.
  gc?.();
  gc?.();
  const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  return {
    heapUsed,
    external,
    arrayBuffers,
    rss,
    fds: readdirSync('/proc/self/fd').length,
    resources,
    torrents: handles.size,
  };
}
