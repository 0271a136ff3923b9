// What a simulated run came to, for people. Pure.
import type { SimulationResult } from '../commands/simulate.ts';
import { aligned } from './summary.ts';
import { formatBytes, formatCopies, formatSeconds } from './text.ts';

/** `tookSeconds` is real time; all other times are simulated. */
export function simulationLines(result: SimulationResult, tookSeconds: number): string[] {
  const { bytes, originUploadedBytes } = result;
  const rows = [
    ['', 'complete', 'received', 'from origin', 'from peers', 'gave', 'wasted', 'corrupt', 'state', 'banned'],
    ...result.peers.map((peer) => [
      peer.name,
      peer.seconds === undefined ? '-' : formatSeconds(peer.seconds),
      formatBytes(peer.downloadedBytes),
      formatBytes(peer.fromOriginBytes),
      formatBytes(peer.fromPeersBytes),
      formatBytes(peer.uploadedBytes),
      formatBytes(peer.wastedBytes),
      formatBytes(peer.corruptBytes),
      peer.state,
      peer.banned.join(' '),
    ]),
  ];
  return [
    ...aligned(rows),
    '',
    `simulated time    ${formatSeconds(result.seconds)} in ${formatSeconds(tookSeconds)}`,
    `the origin sent   ${formatBytes(originUploadedBytes)} = ${formatCopies(originUploadedBytes, bytes)}`,
    `run               seed ${result.seed}, ${result.events} events, hash ${result.hash}`,
    result.ok ? 'ok                every downloader is complete' : 'not ok            not every downloader is complete',
  ];
}
