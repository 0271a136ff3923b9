// Restarting without a gap: the running process starts its successor with the same arguments, so that new code and a new
// configuration hold, gives it swarms and sockets, and ends when that one serves. If it fails, nothing has changed.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Socket as DatagramSocket } from 'node:dgram';
import { Server } from 'node:net';
import {
  type Inherit,
  type Legacy,
  type ParentChannel,
  Predecessor,
  type SharedState,
  Successor,
  systemMs,
} from '@shoal/tracker-server';
import type { ListenAddress } from './configuration/setting.ts';
import type { Log } from './log.ts';

/** How long connections that are open may take to end, in ms: two idle ones after the other. */
export const drainMs = 10_000;

/** In the environment of a process that shall take another's place. */
const mark = 'SHOAL_TRACKER_SUCCESSOR';

/** How many sockets it is given by number. Apart, because a release that gives none says only the other. */
const socketsMark = 'SHOAL_TRACKER_SOCKETS';

/** Clocks begin so late that everybody whom a snapshot knows was heard of after 0: three days, and peers are kept for two. */
const clockBeginMs = 259_200_000;

/** What a process begins with: its own, or what it has from the one before. */
export interface Beginning {
  /** Monotonic ms. */
  readonly clock: () => number;
  readonly shared: SharedState | undefined;
  readonly predecessor: Predecessor | undefined;
}

/** The tracker that started this process to take its place, if one did. */
export function predecessorOf(environment: NodeJS.ProcessEnv, channel: ParentChannel): Predecessor | undefined {
  const { [mark]: marked, [socketsMark]: sockets = '0' } = environment;
  if (marked === undefined || channel.send === undefined) return undefined;
  // They are not for the processes that this one starts.
  delete environment[mark];
  delete environment[socketsMark];
  return new Predecessor(channel, Number(sockets));
}

/** Starts this program again, as the successor of this process, with sockets of it by their numbers. */
export function startSuccessor(descriptors: readonly number[]): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc', ...descriptors],
    serialization: 'advanced',
    env: { ...process.env, [mark]: '1', [socketsMark]: String(descriptors.length) },
  });
}

/** Asks the predecessor what both have in common. `isKept`: whether swarms come from elsewhere, with ages. */
export async function begin(predecessor: Predecessor | undefined, isKept: boolean): Promise<Beginning> {
  const shared = await predecessor?.state();
  const zero = shared?.clockZero ?? systemMs() - performance.now() - (isKept ? clockBeginMs : 0);
  const offset = systemMs() - performance.now() - zero;
  return { clock: () => performance.now() + offset, shared, predecessor: shared && predecessor };
}

/** What a successor is told; the key of tracker ids as it is then, since a shared store may change it. */
export function sharedState({ clock, shared }: Beginning, keys: { readonly trackerIdKey: Uint8Array }): SharedState {
  return {
    clockZero: systemMs() - clock(),
    connectionSecret: shared?.connectionSecret ?? randomBytes(8),
    get trackerIdKey() {
      return keys.trackerIdKey;
    },
  };
}

type Listen = ListenAddress | 'off';

/** Asks the predecessor for the socket of its administrators. */
export function inheritedAdmin(
  predecessor: Predecessor,
  { host, port }: ListenAddress,
): () => Promise<Server | undefined> {
  return async () => {
    const given = await predecessor.socket('admin', host, port);
    return given instanceof Server ? given : undefined;
  };
}

/** Asks the predecessor for the HTTP socket of an address, or those of its threads: one for each of `workers`, at most. */
export function inheritedHttp(
  predecessor: Predecessor,
  { host, port }: ListenAddress,
  workers: number,
): Inherit<Server> {
  return async () => {
    const given = await predecessor.socket('http', host, port, workers);
    return given instanceof DatagramSocket ? undefined : given;
  };
}

/** As `inheritedHttp`, of UDP. */
export function inheritedUdp(
  predecessor: Predecessor,
  { host, port }: ListenAddress,
  workers: number,
): Inherit<DatagramSocket> {
  return async () => {
    const given = await predecessor.socket('udp', host, port, workers);
    return given instanceof Server ? undefined : given;
  };
}

/** Whether a successor that wants to listen on an address can have the socket that listens as configured here. */
export function isSameListener(configured: Listen, host: string, port: number): boolean {
  return configured !== 'off' && configured.host === host && configured.port === port;
}

export interface RestartParts {
  readonly start: (descriptors: readonly number[]) => ChildProcess;
  /** What there is to give; asked when a restart begins. */
  readonly legacy: () => Promise<Legacy>;
  /** Called before a successor is given anything, and if it fails. */
  readonly pause: () => Promise<void>;
  readonly resume: () => void;
  readonly log: Log;
}

/** Restarts a running tracker on request. */
export class Restarts {
  /** Settles with the successor that serves. */
  readonly done: Promise<Successor>;
  readonly #parts: RestartParts;
  readonly #resolve: (successor: Successor) => void;
  #current: Promise<string | undefined> | undefined;
  #starting: Successor | undefined;
  #isOver = false;

  constructor(parts: RestartParts) {
    this.#parts = parts;
    const { promise, resolve } = Promise.withResolvers<Successor>();
    this.done = promise;
    this.#resolve = resolve;
  }

  /** Resolves when a successor serves, with undefined, or to why none does. */
  restart(): Promise<string | undefined> {
    this.#current ??= this.#restart().finally(() => (this.#current = undefined));
    return this.#current;
  }

  /** Lets nobody take over any more. */
  async stop(): Promise<void> {
    this.#isOver = true;
    this.#starting?.abort();
    await this.#current;
  }

  async #restart(): Promise<string | undefined> {
    const { start, legacy, pause, resume, log } = this.#parts;
    if (this.#isOver) return 'this process is ending';
    if (process.pid === 1) {
      const problem = 'this is process 1 of a container, which ends with it';
      log.error(`cannot restart: ${problem}`);
      return problem;
    }
    log.info('restarting');
    await pause();
    const given = await legacy();
    const successor = new Successor(start(given.descriptors), given);
    this.#starting = successor;
    const problem = await successor.outcome;
    this.#starting = undefined;
    if (problem === undefined) {
      this.#isOver = true;
      log.info('the successor serves', { pid: successor.pid });
      this.#resolve(successor);
    } else {
      resume();
      log.error(`the successor failed: ${problem}; this process serves on`);
    }
    return problem;
  }
}
