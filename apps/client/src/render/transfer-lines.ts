// Torrents in transfer as lines for a live picture or a log. Pure: what is shown depends on nothing but the arguments.
import type { TorrentSnapshot } from '@shoal/torrent';
import {
  barLine,
  counted,
  formatBytes,
  formatDuration,
  formatPercent,
  formatRate,
  shortened,
  unpainted,
  visible,
  type Paint,
} from './text.ts';

export interface Shown {
  readonly name: string;
  readonly snapshot: TorrentSnapshot;
}

/** Name, bar and what it does now. */
const linesEach = 3;

/** All torrents in a terminal: three lines each, or where that is too much one, or where even that is as many as fit. */
export function liveLines(
  torrents: readonly Shown[],
  columns: number,
  rows: number,
  paint: Paint = unpainted,
): string[] {
  // The cursor waits on a line of its own.
  const room = Math.max(1, rows - 1);
  if (torrents.length * linesEach <= room)
    return torrents.flatMap(({ name, snapshot }) => transferLines(name, snapshot, columns, paint));
  const lines = torrents.map(({ name, snapshot }) => shortened(plainLine(name, snapshot), columns - 1));
  if (lines.length <= room) return lines;
  return [...lines.slice(0, room - 1), `… and ${lines.length - room + 1} more`];
}

export function transferLines(
  name: string,
  snapshot: TorrentSnapshot,
  columns: number,
  paint: Paint = unpainted,
): string[] {
  const { wantedBytes, wantedLeftBytes } = snapshot;
  const done = wantedBytes - wantedLeftBytes;
  const facts = `${formatPercent(done, wantedBytes).padStart(7)}  ${formatBytes(done)} of ${formatBytes(wantedBytes)}`;
  const paintBar = (text: string): string => paint(wantedLeftBytes === 0 ? 'green' : 'cyan', text);
  return [
    paint('bold', shortened(visible(name), columns - 1)),
    barLine(done, wantedBytes, facts, columns, paintBar),
    shortened(`  ${statusOf(snapshot)}`, columns - 1),
  ];
}

/** For a log: everything on one line. */
export function plainLine(name: string, snapshot: TorrentSnapshot): string {
  const { wantedBytes, wantedLeftBytes } = snapshot;
  const percent = formatPercent(wantedBytes - wantedLeftBytes, wantedBytes);
  return `${visible(name)}: ${percent} of ${formatBytes(wantedBytes)}  ${statusOf(snapshot)}`;
}

/** What it does now, and when it stands still, why. */
export function statusOf(snapshot: TorrentSnapshot): string {
  const { state, peers, downloadRate, uploadRate, wantedLeftBytes } = snapshot;
  if (state === 'suspended') return `suspended: ${visible(snapshot.failure ?? 'unknown reason')}`;
  const up = `up ${formatRate(uploadRate)}  ${counted(peers.length, 'peer')}`;
  if (state === 'seeding') return `seeding  ${up}  ratio ${ratioOf(snapshot).toFixed(2)}`;
  if (state !== 'downloading') return state;
  const rates = `down ${formatRate(downloadRate)}  ${up}`;
  if (downloadRate >= 1) return `${rates}  ${formatDuration(wantedLeftBytes / downloadRate)} left`;
  return `${rates}  waiting: ${visible(waitingFor(snapshot))}`;
}

export const ratioOf = ({ uploadedBytes, wantedBytes }: TorrentSnapshot): number =>
  wantedBytes === 0 ? 0 : uploadedBytes / wantedBytes;

function waitingFor({ peers, tracker, checkingPieces }: TorrentSnapshot): string {
  if (checkingPieces > 0) return `${counted(checkingPieces, 'piece')} may be here and are being checked`;
  if (peers.length === 0)
    return tracker.lastFailure === undefined ? 'no peers found yet' : `no peers; ${tracker.lastFailure}`;
  if (!peers.some((peer) => peer.amInterested)) return 'no peer has what is missing';
  return peers.every((peer) => peer.peerChoking) ? 'every peer chokes us' : 'data is on its way';
}
