// transmission-daemon, driven over its RPC (rpc-spec of 3.00).
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Program } from '../program.ts';
import { transmissionDaemon } from '../requirements.ts';
import { peerPort, type Scene } from '../scene.ts';
import type { Client, Job, Peer } from './peer.ts';

const rpcPort = 9091;

/** `status` of a torrent that is complete and gives. */
const seeding = 6;

/** What torrent-get is asked for. */
interface TorrentState {
  readonly status: number;
  readonly leftUntilDone: number;
  readonly haveValid: number;
  /** 0 is none, 1 and 2 are the tracker's, 3 is local. */
  readonly error: number;
  readonly errorString: string;
}

export const transmission: Client = {
  name: 'transmission',
  requirement: transmissionDaemon,
  async seed(scene, job) {
    const peer = await start(scene, 'seed', job);
    await peer.complete;
    return peer;
  },
  async download(scene, job) {
    return start(scene, 'download', job);
  },
};

async function start(scene: Scene, mode: 'seed' | 'download', job: Job): Promise<Peer> {
  const home = await scene.folder(`transmission ${mode}`);
  await writeFile(join(home, 'settings.json'), JSON.stringify(settingsOf(job)));
  const program = await scene.spawn(`transmission ${mode}`, 'transmission-daemon', '-f', '-g', home, '--log-info');
  const rpc = new Rpc(job.address, scene.signal);
  const added = rpc.call('torrent-add', {
    metainfo: (await readFile(job.torrent)).toString('base64'),
    'download-dir': job.directory,
  });
  const complete = added.then(() => scene.asked(async () => ((await isComplete(rpc, mode)) ? true : undefined)));
  const stop = async (): Promise<void> => void (await program.stop());
  // 3.00 makes a file when it writes to it, so never an empty one.
  return { directory: job.directory, omitsEmptyFiles: true, complete: orEnded(program, complete), stop };
}

/** Complete content, or an error if the daemon ends first. */
async function orEnded(program: Program, complete: Promise<unknown>): Promise<void> {
  await Promise.race([complete, program.heard('completing', () => undefined)]);
}

async function isComplete(rpc: Rpc, mode: 'seed' | 'download'): Promise<boolean> {
  const fields = ['status', 'leftUntilDone', 'haveValid', 'error', 'errorString'];
  const { torrents } = await rpc.call<{ torrents: TorrentState[] }>('torrent-get', { fields });
  const torrent = torrents[0];
  if (torrent === undefined) throw new Error('transmission lost the torrent');
  if (torrent.error === 3) throw new Error(`transmission ${mode}: ${torrent.errorString}`);
  return torrent.status === seeding && torrent.leftUntilDone === 0 && torrent.haveValid > 0;
}

function settingsOf({ address, directory }: Job): object {
  return {
    'bind-address-ipv4': address,
    'bind-address-ipv6': '::1',
    'blocklist-enabled': false,
    'dht-enabled': false,
    'download-dir': directory,
    'download-queue-enabled': false,
    'idle-seeding-limit-enabled': false,
    'incomplete-dir-enabled': false,
    'lpd-enabled': false,
    'peer-port': peerPort,
    'peer-port-random-on-start': false,
    'pex-enabled': false,
    'port-forwarding-enabled': false,
    'ratio-limit-enabled': false,
    'rename-partial-files': false,
    'rpc-authentication-required': false,
    'rpc-bind-address': address,
    'rpc-host-whitelist-enabled': false,
    'rpc-port': rpcPort,
    'rpc-whitelist-enabled': false,
    'seed-queue-enabled': false,
    'speed-limit-down-enabled': false,
    'speed-limit-up-enabled': false,
    'start-added-torrents': true,
    'utp-enabled': false,
  };
}

class Rpc {
  readonly #url: string;
  readonly #signal: AbortSignal;
  #sessionId = '';

  constructor(address: string, signal: AbortSignal) {
    this.#url = `http://${address}:${rpcPort}/transmission/rpc`;
    this.#signal = signal;
  }

  /** Calls as soon as the daemon listens. */
  async call<T>(method: string, parameters: object): Promise<T> {
    for (;;) {
      const response = await this.#post(JSON.stringify({ method, arguments: parameters }));
      if (response.status === 409) {
        // The daemon hands out the id that it wants to see with the refusal.
        this.#sessionId = response.headers.get('x-transmission-session-id') ?? '';
        await response.body?.cancel();
        continue;
      }
      const answer = (await response.json()) as { result: string; arguments: T };
      if (answer.result !== 'success') throw new Error(`transmission ${method}: ${answer.result}`);
      return answer.arguments;
    }
  }

  async #post(body: string): Promise<Response> {
    for (;;) {
      this.#signal.throwIfAborted();
      try {
        const headers = { 'x-transmission-session-id': this.#sessionId };
        return await fetch(this.#url, { method: 'POST', body, headers, signal: this.#signal });
      } catch (error) {
        if (!isRefused(error)) throw error;
        await pause(50, undefined, { signal: this.#signal });
      }
    }
  }
}

function isRefused(error: unknown): boolean {
  return (
    error instanceof TypeError &&
    error.cause instanceof Error &&
    'code' in error.cause &&
    error.cause.code === 'ECONNREFUSED'
  );
}
