// One torrent in transfer as two lines. Pure: what is shown depends on nothing but the arguments.
import type { TorrentSnapshot } from '@shoal/torrent';
import { bar, formatBytes, formatDuration, formatPercent, formatRate } from './text.ts';

export function transferLines(name: string, snapshot: TorrentSnapshot, columns: number): string[] {
  const { totalBytes, leftBytes } = snapshot;
  const done = totalBytes - leftBytes;
  const percent = formatPercent(done, totalBytes).padStart(7);
  const width = Math.max(10, Math.min(40, columns - 40));
  const title = name.length > columns - 2 ? `${name.slice(0, Math.max(1, columns - 3))}…` : name;
  return [
    title,
    `  ${bar(done, totalBytes, width)} ${percent}  ${formatBytes(done)} of ${formatBytes(totalBytes)}`,
    `  ${statusOf(snapshot)}`,
  ];
}

/** What it does now, and when it stands still, why. */
export function statusOf(snapshot: TorrentSnapshot): string {
  const { state, peers, downloadRate, uploadRate, leftBytes } = snapshot;
  if (state === 'failed') return `failed: ${snapshot.failure ?? 'unknown reason'}`;
  const rates = `down ${formatRate(downloadRate)}  up ${formatRate(uploadRate)}  ${peers.length} ${peers.length === 1 ? 'peer' : 'peers'}`;
  if (state === 'seeding') return `seeding  ${rates}  ratio ${ratioOf(snapshot).toFixed(2)}`;
  if (state !== 'downloading') return state;
  if (downloadRate >= 1) return `${rates}  ${formatDuration(leftBytes / downloadRate)} left`;
  return `${rates}  waiting: ${waitingFor(snapshot)}`;
}

export const ratioOf = ({ uploadedBytes, totalBytes }: TorrentSnapshot): number =>
  totalBytes === 0 ? 0 : uploadedBytes / totalBytes;

function waitingFor({ peers, tracker }: TorrentSnapshot): string {
  if (peers.length === 0)
    return tracker.lastFailure === undefined
      ? 'no peers found yet'
      : `no peers; the tracker said: ${tracker.lastFailure}`;
  if (!peers.some((peer) => peer.amInterested)) return 'no peer has what is missing';
  return peers.every((peer) => peer.peerChoking) ? 'every peer chokes us' : 'data is on its way';
}
