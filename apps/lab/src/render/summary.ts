// What a run came to, for people. Pure.
import { type RunResult, sum } from '../picture.ts';
import { formatBytes, formatCopies, formatCount, formatPieceLength, formatSeconds } from './text.ts';

export function summaryLines(result: RunResult): string[] {
  const { peers, bytes } = result;
  const rows = [
    ['', 'complete', 'received', 'from the origin', 'from peers', 'gave', 'SHA-256'],
    ...peers.map((peer) => [
      peer.name,
      formatSeconds(peer.seconds),
      formatBytes(peer.downloadedBytes),
      withPercent(peer.fromOriginBytes, peer.downloadedBytes),
      withPercent(peer.fromPeersBytes, peer.downloadedBytes),
      formatBytes(peer.uploadedBytes),
      peer.verified ? 'equal' : 'DIFFERS',
    ]),
  ];
  const exchanged = sum(peers.map(({ fromPeersBytes }) => fromPeersBytes));
  return [
    `${result.name}  ${formatBytes(bytes)}, ${formatCount(result.files, 'file')}, ${formatCount(result.pieces, 'piece')} of ${formatPieceLength(result.pieceLength)}`,
    '',
    ...aligned(rows),
    '',
    `total time        ${formatSeconds(result.seconds)}`,
    `the origin sent   ${formatBytes(result.originUploadedBytes)} = ${formatCopies(result.originUploadedBytes, bytes)}`,
    `peers exchanged   ${formatBytes(exchanged)} = ${formatCopies(exchanged, bytes)}`,
    result.ok
      ? `ok                ${peers.length === 1 ? 'the copy is' : `all ${peers.length} copies are`} equal to the original`
      : `not ok            ${peers.filter(({ verified }) => !verified).length} of ${peers.length} copies differ from the original`,
  ];
}

const withPercent = (part: number, whole: number): string =>
  `${formatBytes(part)} ${(whole === 0 ? '-' : `${Math.round((part / whole) * 100)} %`).padStart(6)}`;

/** The first column to the left, the others to the right. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
