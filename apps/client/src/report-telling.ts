// What a torrent reports, told: as an event for programs, and where it matters as a line for people.
import type { SessionReport } from '@shoal/session';
import type { Output } from './output.ts';
import { counted, formatBytes, formatDuration } from './render/text.ts';
import type { Transferring } from './transfer-facts.ts';

/** Of a completion, `completedAt` must be set before. */
export function tellReport(torrent: Transferring, report: SessionReport, output: Output): void {
  const { infoHash, name } = torrent.handle;
  switch (report.type) {
    case 'completed':
      return tellCompletion(torrent, output);
    case 'announced': {
      const { tracker, event, peers } = report;
      output.event('announced', { infoHash, tracker, announceEvent: event, peers });
      const answer = event === 'stopped' ? '' : ` and named ${counted(peers, 'peer')}`;
      return output.detail(`${name}: ${hostOf(tracker)} was told ${told[event]}${answer}`);
    }
    case 'announce-warning':
      return output.warn(`${name}: the tracker says: ${report.warning}`);
    case 'announce-failed': {
      const { reason, retryInMs } = report;
      output.event('announce-failed', { infoHash, reason, retryInMs });
      return output.warn(`${name}: announcing failed: ${reason}${nextTry(retryInMs)}`);
    }
    case 'peer-joined':
    case 'connection-failed':
    case 'peer-left':
    case 'peer-banned':
      return tellOfPeer(torrent, report, output);
    case 'piece-corrupt':
      return output.detail(`${name}: piece ${report.piece} failed its hash and is fetched again`);
    default:
      return tellOfDisk(torrent, report, output);
  }
}

type PeerReport = Extract<
  SessionReport,
  { readonly type: 'peer-joined' | 'connection-failed' | 'peer-left' | 'peer-banned' }
>;

function tellOfPeer({ handle: { infoHash, name } }: Transferring, report: PeerReport, output: Output): void {
  const { endpoint, type } = report;
  const where = `${endpoint.ip}, port ${endpoint.port}`;
  if (type === 'peer-joined') {
    output.event(type, { infoHash, peerId: report.peerId, endpoint });
    return output.detail(`${name}: connected to ${where}`);
  }
  output.event(type, { infoHash, endpoint, reason: report.reason });
  if (type === 'connection-failed') return output.detail(`${name}: no connection with ${where}: ${report.reason}`);
  if (type === 'peer-left') return output.detail(`${name}: ${where} left: ${report.reason}`);
  output.warn(`${name}: ${where} is banned: ${report.reason}`);
}

function tellOfDisk({ handle, metainfo }: Transferring, report: SessionReport, output: Output): void {
  const { infoHash, name } = handle;
  switch (report.type) {
    case 'suspended':
      // Whether that is a failure or a warning is for the command to say.
      return output.event('suspended', { infoHash, reason: report.reason });
    case 'resumed':
      output.event('resumed', { infoHash });
      return output.info(`${name}: the disk works again`);
    case 'checked': {
      const { havePieces, pieceCount } = handle.snapshot();
      output.event('checked', { infoHash, havePieces, pieces: pieceCount });
      return output.detail(`${name}: checked; ${havePieces} of ${pieceCount} pieces are here`);
    }
    case 'journal-failed':
      output.event('journal-failed', { infoHash, reason: report.reason });
      return output.warn(`${name}: what is verified cannot be noted, so a crash costs a check: ${report.reason}`);
    case 'files-changed': {
      const files = report.files.map(({ file, change }) => ({
        path: metainfo.files[file]?.path.join('/') ?? String(file),
        change,
      }));
      output.event('files-changed', { infoHash, files });
      const [first] = files;
      const others = files.length > 1 ? ` and ${counted(files.length - 1, 'file')} more` : '';
      return output.warn(`${name}: ${first?.path ?? ''}${others} changed behind our back: it is checked again`);
    }
    default:
      return;
  }
}

function tellCompletion({ handle, startedAt, completedAt = startedAt }: Transferring, output: Output): void {
  const { infoHash, name } = handle;
  const seconds = (completedAt - startedAt) / 1000;
  output.event('completed', { infoHash, seconds });
  const { downloadedBytes } = handle.snapshot();
  // Then the check has found it.
  if (downloadedBytes === 0) return output.info(`${name}: complete already`);
  const time = seconds < 60 ? `${seconds.toFixed(1)} s` : formatDuration(seconds);
  output.info(`${name}: complete (${formatBytes(downloadedBytes)} in ${time})`);
}

/** What an announce's event says, as the object of "was told". */
const told: Readonly<Record<string, string>> = {
  started: 'that we began',
  completed: 'that we are complete',
  stopped: 'goodbye',
  paused: 'that we pause',
  none: 'how far we are',
};

/** The path of a tracker's URL may be a password: people see the host. */
function hostOf(url: string | undefined): string {
  return (url === undefined ? undefined : URL.parse(url)?.host) ?? 'the tracker';
}

function nextTry(retryInMs: number): string {
  return Number.isFinite(retryInMs) ? ` (next try in ${formatDuration(Math.ceil(retryInMs / 1000))})` : '';
}
