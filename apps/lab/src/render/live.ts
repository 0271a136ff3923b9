// The picture of the running swarm for a terminal: who has how much, how fast, from whom, and who gave whom. Pure.
import { fromPeersBytes, type PeerPicture, type SharedContent, sum, type SwarmPicture } from '../picture.ts';
import { type Paint } from './paint.ts';
import {
  bar,
  cellsOf,
  clipped,
  formatBytes,
  formatCopies,
  formatCount,
  formatPercent,
  formatPieceLength,
  formatRate,
  formatSeconds,
} from './text.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Wider bars tell no more. */
const widest = 110;
/** Below this there is no room to show from whom. */
const shareFrom = 76;
/** Of the columns with figures, with their gaps. */
const figuresWidth = 41;
const cellWidth = 11;

export function liveLines(picture: SwarmPicture, size: Size, paint: Paint): string[] {
  const columns = Math.min(size.columns - 1, widest);
  const head = headLines(picture, columns, paint);
  const widths = widthsOf(picture, columns);
  const table = [
    tableHeading(widths, paint),
    ...picture.peers.map((peer, i) => peerLine(peer, i, picture, widths, paint)),
    swarmLine(picture, widths, paint),
  ];
  const lines = [...head, '', ...table];
  const flows = flowLines(picture, columns, paint);
  return lines.length + flows.length < size.rows ? [...lines, ...flows] : lines.slice(0, Math.max(1, size.rows - 1));
}

function headLines(picture: SwarmPicture, columns: number, paint: Paint): string[] {
  const { tracker, origin, phase, content } = picture;
  const time = phase === 'downloading' || phase === 'done' ? formatSeconds(picture.seconds) : phase;
  const title = clipped(content === undefined ? 'a swarm' : titleOf(content), columns - time.length - 4);
  const gap = ' '.repeat(Math.max(2, columns - 2 - title.length - time.length));
  const lines = [`  ${paint('heading', title)}${gap}${paint('heading', time)}`, ''];
  const known =
    tracker === undefined
      ? 'starting'
      : `${tracker.url}   ${formatCount(tracker.seeders, 'seeder')}, ${formatCount(tracker.leechers, 'leecher')}, ` +
        `${tracker.completed} completed, ${formatCount(tracker.announces, 'announce')}`;
  const total = content?.totalBytes ?? 0;
  const gave = `sent ${formatBytes(origin.uploadedBytes)} = ${formatCopies(origin.uploadedBytes, total)}`;
  const now =
    origin.state === 'seeding'
      ? `${formatCount(origin.peers, 'peer')}, up ${formatRate(origin.uploadRate)}`
      : origin.state;
  return [
    ...lines,
    clipped(`  tracker  ${known}`, columns),
    `  ${paint({ giver: 0 }, 'origin')}   ${clipped(`${gave}   ${now}`, columns - 11)}`,
  ];
}

/** `node  113.4 MiB, 1 file, 454 pieces of 256 KiB`. */
export function titleOf({ name, totalBytes, files, pieces, pieceLength }: SharedContent): string {
  return `${name}  ${formatBytes(totalBytes)}, ${formatCount(files, 'file')}, ${formatCount(pieces, 'piece')} of ${formatPieceLength(pieceLength)}`;
}

interface Widths {
  readonly name: number;
  readonly bar: number;
  /** 0: not shown. */
  readonly share: number;
}

function widthsOf({ peers }: SwarmPicture, columns: number): Widths {
  const name = Math.max(6, ...peers.map((peer) => peer.name.length));
  const free = columns - 2 - name - figuresWidth;
  if (columns < shareFrom) return { name, bar: Math.max(5, free - 2), share: 0 };
  const share = Math.floor((free - 4) / 2);
  return { name, bar: free - 4 - share, share };
}

function tableHeading({ name, bar: barWidth, share }: Widths, paint: Paint): string {
  const cells = `  ${' '.repeat(name)}  ${'has'.padEnd(barWidth)}${figures('', 'down', 'up', 'peers')}`;
  return paint('faint', share === 0 ? cells : `${cells}  from whom`);
}

/** Always `figuresWidth` wide, with the gap before. */
const figures = (percent: string, down: string, up: string, peers: string): string =>
  `${percent.padStart(7)}${down.padStart(13)}${up.padStart(13)}${peers.padStart(8)}`;

function peerLine(peer: PeerPicture, index: number, picture: SwarmPicture, widths: Widths, paint: Paint): string {
  const total = picture.content?.totalBytes ?? 0;
  const tone = { giver: index + 1 };
  const isKnown = peer.state !== 'starting' && peer.state !== 'checking';
  const [filled, empty] = isKnown ? bar(peer.doneBytes, total, widths.bar) : bar(0, 1, widths.bar);
  const done = isKnown ? formatPercent(peer.doneBytes, total) : '-';
  const row = figures(done, statusOf(peer), formatRate(peer.uploadRate), String(peer.peers));
  const name = paint(tone, peer.name.padEnd(widths.name));
  const whom = widths.share === 0 ? '' : `  ${shareOf(peer.received, widths.share, paint)}`;
  return `  ${name}  ${paint(tone, filled)}${paint('faint', empty)}${row}${whom}`;
}

/** How fast it is, or how fast it was, or what it does instead. */
function statusOf({ state, seconds, downloadRate }: PeerPicture): string {
  if (seconds !== undefined) return `in ${formatSeconds(seconds)}`;
  return state === 'downloading' ? formatRate(downloadRate) : state;
}

/** From whom, as cells that carry the giver's mark in its colour: readable without colours too. */
function shareOf(received: readonly number[], width: number, paint: Paint): string {
  return cellsOf(received, width)
    .map((cells, giver) => paint({ onGiver: giver }, markOf(giver).repeat(cells)))
    .join('');
}

/** The origin's and those of the peers in their order; of 34 peers each has its own. */
const originMark = 'o';
const peerMarks = '123456789abcdefghijklmnpqrstuvwxyz';

const markOf = (giver: number): string => (giver === 0 ? originMark : peerMarks.charAt((giver - 1) % peerMarks.length));

function swarmLine(picture: SwarmPicture, widths: Widths, paint: Paint): string {
  const { peers, origin, content } = picture;
  const total = (content?.totalBytes ?? 0) * peers.length;
  const done = sum(peers.map((peer) => peer.doneBytes));
  const [filled, empty] = total === 0 ? bar(0, 1, widths.bar) : bar(done, total, widths.bar);
  const down = formatRate(sum(peers.map((peer) => peer.downloadRate)));
  const up = formatRate(origin.uploadRate + sum(peers.map((peer) => peer.uploadRate)));
  const complete = `${peers.filter(({ seconds }) => seconds !== undefined).length}/${peers.length}`;
  const row = figures(total === 0 ? '-' : formatPercent(done, total), down, up, complete);
  const received = [sum(peers.map((peer) => peer.received[0] ?? 0)), sum(peers.map(fromPeersBytes))] as const;
  const all = received[0] + received[1];
  const said = all === 0 ? '' : `${Math.round((received[1] / all) * 100)} % from peers`;
  return `  ${paint('heading', 'all'.padEnd(widths.name))}  ${filled}${paint('faint', empty)}${row}${widths.share === 0 ? '' : `  ${clipped(said, widths.share)}`}`;
}

/** Who gave whom: rows give, columns receive. Empty when there is no room. */
function flowLines({ peers, content }: SwarmPicture, columns: number, paint: Paint): string[] {
  const givers = ['origin', ...peers.map(({ name }) => name)];
  const name = Math.max(...givers.map((giver) => giver.length));
  if (2 + name + (peers.length + 1) * cellWidth > columns) return [];
  const unit = (content?.totalBytes ?? 0) < 10 * 1024 * 1024 ? 'KiB' : 'MiB';
  const bytes = unit === 'KiB' ? 1024 : 1024 * 1024;
  const cell = (value: number): string => (value === 0 ? '·' : (value / bytes).toFixed(1)).padStart(cellWidth);
  const heading = `  ${unit.padEnd(name)}${peers.map((peer) => `to ${peer.name}`.padStart(cellWidth)).join('')}${'to all'.padStart(cellWidth)}`;
  const rows = givers.map((giver, index) => {
    const given = peers.map(({ received }) => received[index] ?? 0);
    const cells = given.map((value) => (value === 0 ? paint('faint', cell(0)) : paint({ giver: index }, cell(value))));
    return `  ${paint({ giver: index }, giver.padEnd(name))}${cells.join('')}${cell(sum(given))}`;
  });
  return ['', paint('faint', heading), ...rows];
}
