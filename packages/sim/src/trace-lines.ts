// The words under which a torrent's inputs and outputs stand in a trace: short, complete, and the same in every process.
import type { AllowanceChange, TorrentInput, TorrentOutput, TorrentReport } from '@shoal/torrent';
import { addressOf } from './network.ts';
import { fingerprint } from './trace.ts';

export function inputLine(input: TorrentInput): string {
  switch (input.type) {
    case 'started':
    case 'resumed':
    case 'stopped':
    case 'time-passed':
      return `< ${input.type}`;
    case 'peers-found':
      return `< peers-found ${input.source} ${input.peers.map(addressOf).join(' ')}`;
    case 'peer-connected':
      return `< peer-connected ${input.peer} ${input.incoming ? 'from' : 'to'} ${addressOf(input.endpoint)}`;
    case 'dial-failed':
      return `< dial-failed ${addressOf(input.endpoint)}: ${input.reason}`;
    case 'bytes-received':
      return `< bytes-received ${input.peer} ${bytesOf(input.chunk.subarray(input.start, input.end))}`;
    case 'peer-disconnected':
      return `< peer-disconnected ${input.peer}: ${input.reason}`;
    case 'uploaded':
      return `< uploaded ${input.peer} ${input.bytes}`;
    case 'read-failed':
      return `< read-failed ${input.peer} ${input.bytes}: ${input.reason}`;
    case 'piece-checked':
      return `< piece-checked ${input.piece} ${input.outcome}`;
    case 'piece-found':
    case 'piece-missing':
      return `< ${input.type} ${input.piece}`;
    case 'pieces-doubted':
    case 'pieces-lost':
      return `< ${input.type} ${[...input.pieces.indices()].join(' ')}`;
    case 'suspended':
      return `< suspended: ${input.reason}`;
    case 'priorities':
      return `< priorities ${fingerprint(input.pieces)}`;
    case 'sequential':
      return `< sequential ${input.on}`;
    case 'deadline':
      return `< deadline ${input.piece} ${input.at ?? 'none'}`;
    case 'allowance':
      return `< allowance ${allowanceLine(input)}`;
    case 'announced':
      return `< announced ${input.reply.interval} s: ${input.reply.peers.map(addressOf).join(' ')}`;
    case 'announce-failed':
      return `< announce-failed: ${input.reason}`;
  }
}

export function outputLine(output: TorrentOutput): string {
  switch (output.type) {
    case 'dial':
      return `> dial ${addressOf(output.endpoint)}`;
    case 'send':
      return `> send ${output.peer} ${bytesOf(output.bytes)}`;
    case 'hang-up':
      return `> hang-up ${output.peer}: ${output.reason}`;
    case 'store':
      return `> store ${output.piece} ${output.begin} ${output.end - output.start}`;
    case 'discard':
      return `> discard ${output.piece}`;
    case 'check-piece':
      return `> check-piece ${output.piece}`;
    case 'upload':
      return `> upload ${output.peer} ${output.blocks.map(({ piece, begin }) => `${piece}:${begin}`).join(' ')}`;
    case 'announce': {
      const { event, uploaded, downloaded, left, numWant } = output.facts;
      return `> announce ${event} uploaded ${uploaded} downloaded ${downloaded} left ${left} want ${numWant}`;
    }
    case 'report':
      return `> report ${reportLine(output.report)}`;
  }
}

function reportLine(report: TorrentReport): string {
  switch (report.type) {
    case 'peer-joined':
      return `peer-joined ${report.peer} ${addressOf(report.endpoint)}`;
    case 'peer-left':
      return `peer-left ${report.peer} ${addressOf(report.endpoint)}: ${report.reason}`;
    case 'connection-failed':
      return `connection-failed ${addressOf(report.endpoint)}: ${report.reason}`;
    case 'peer-banned':
      return `peer-banned ${addressOf(report.endpoint)}: ${report.reason}`;
    case 'piece-verified':
      return `piece-verified ${report.piece}`;
    case 'piece-corrupt':
      return `piece-corrupt ${report.piece} by ${report.contributors.join(' ')}`;
    case 'choked':
      return `choked ${report.peer}`;
    case 'unchoked':
      return `unchoked ${report.peer}${report.optimistic ? ' optimistic' : ''}`;
    case 'announced':
      return `announced ${report.event} ${report.peers}`;
    case 'announce-warning':
      return `announce-warning ${report.warning}`;
    case 'announce-failed':
      return `announce-failed: ${report.reason}`;
    case 'completed':
    case 'resumed':
      return report.type;
    case 'suspended':
      return `suspended: ${report.reason}`;
  }
}

function allowanceLine(change: AllowanceChange): string {
  return Object.entries(change)
    .filter(([name]) => name !== 'type')
    .map(([name, value]) => `${name} ${value}`)
    .join(' ');
}

/** Long runs are payload, whose place is in the line of its own output; short ones are told apart by their bytes. */
function bytesOf(bytes: Uint8Array): string {
  return bytes.length > 1024 ? `${bytes.length}` : `${bytes.length} #${fingerprint(bytes)}`;
}
