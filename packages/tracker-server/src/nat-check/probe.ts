// One connection back to an announcer: does somebody there speak BitTorrent about this torrent? Sends 48 bytes, takes
// at most 48, and ends within its time.
import { connect } from 'node:net';
import { checkHandshake, handshakeBytes, isHandshakeOf } from './handshake.ts';

/**
 * `reachable`: a peer of this torrent answered. `no-connection`: nothing listens, or a NAT or firewall is in between.
 * `no-handshake`: what listens does not answer as a peer of this torrent. `failed`: we could not try.
 */
export type ProbeResult = 'reachable' | 'no-connection' | 'no-handshake' | 'failed';

export interface Target {
  readonly ip: string;
  readonly port: number;
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
}

/** Failures of our own machine, which say nothing about the other side. */
const ownFailures: ReadonlySet<unknown> = new Set([
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
  'ENETUNREACH',
  'EACCES',
  'EPERM',
]);

/** Tries once; calls back once, later. The result aborts the attempt, without a call. */
export function probe(
  { ip, port, infoHash }: Target,
  timeoutMs: number,
  done: (result: ProbeResult) => void,
): () => void {
  const socket = connect({ host: ip, port, autoSelectFamily: false });
  const received = new Uint8Array(handshakeBytes);
  let length = 0;
  let isConnected = false;
  const end = (result: ProbeResult): void => {
    abort();
    done(result);
  };
  const giveUp = (): void => end(isConnected ? 'no-handshake' : 'no-connection');
  const timer = setTimeout(giveUp, timeoutMs);
  const abort = (): void => {
    clearTimeout(timer);
    socket.removeAllListeners().on('error', ignore).destroy();
  };
  socket.on('connect', () => {
    isConnected = true;
    socket.write(checkHandshake(infoHash));
  });
  socket.on('data', (chunk: Buffer) => {
    length += chunk.copy(received, length);
    const answer = isHandshakeOf(infoHash, received, length);
    if (answer !== 'incomplete') end(answer ? 'reachable' : 'no-handshake');
  });
  socket.on('error', (error) => (ownFailures.has(codeOf(error)) ? end('failed') : giveUp()));
  socket.on('close', giveUp);
  return abort;
}

function codeOf(error: Error): unknown {
  return 'code' in error ? error.code : undefined;
}

function ignore(): void {}
