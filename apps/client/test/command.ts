// The commands as processes of their own: their output, their events, their end. Every one is dead when its test ends.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, onTestFinished } from 'vitest';

const client = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const tracker = fileURLToPath(new URL('../../tracker/src/main.ts', import.meta.url));

/** An event that did not come by then never will: these tests move megabytes on loopback. */
const patienceMs = 25_000;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What `stdout` is text of. */
  readonly bytes: Uint8Array;
}

/** One line of `--jsonl`. */
export type Event = { readonly event: string } & Readonly<Record<string, unknown>>;

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** A command that starts the process, such as `prlimit` with its words. */
  readonly through?: readonly string[];
}

/** What the processes note about torrents; nothing of it belongs in the home of who runs the tests. */
const stateHome = mkdtempSync(path.join(tmpdir(), 'shoal-state-'));
afterAll(() => rmSync(stateHome, { recursive: true, force: true }));

/** Neither the terminal nor the machine that runs the tests decides what is printed. */
function environment(env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { CI: _ci, NO_COLOR: _noColor, FORCE_COLOR: _forceColor, ...rest } = process.env;
  return { ...rest, XDG_STATE_HOME: stateHome, ...env };
}

/** Runs `shoal` to its end. */
export async function shoal(words: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const run = new Run(client, words, options);
  return run.ended;
}

/** The object that `--json` printed. */
export function jsonOf<T>({ stdout, stderr }: Ended): T {
  if (!stdout.endsWith('\n') || stdout.indexOf('\n') !== stdout.length - 1)
    throw new Error(`not one line of JSON on stdout: ${stdout}\n${stderr}`);
  return JSON.parse(stdout) as T;
}

/** Starts `shoal`; add `--jsonl` to wait for its events. */
export const start = (words: readonly string[], options: RunOptions = {}): Run => new Run(client, words, options);

/** A tracker on a free port of 127.0.0.1, or on the one given. */
export async function startTracker(port = 0): Promise<RunningTracker> {
  const run = new Run(tracker, ['serve', '--http', `127.0.0.1:${port}`, '--udp', 'off', '--json'], {});
  const { http } = await run.until('listening');
  return new RunningTracker(run, String(http));
}

export class RunningTracker {
  readonly run: Run;
  readonly announceUrl: string;
  readonly #base: string;

  constructor(run: Run, base: string) {
    this.run = run;
    this.#base = base;
    this.announceUrl = `${base}/announce`;
  }

  /** Who is in its swarms now. */
  async swarms(): Promise<{ seeders: number; leechers: number; announces: number; completed: number }> {
    const response = await fetch(`${this.#base}/stats.json`);
    const { swarms } = (await response.json()) as { swarms: Awaited<ReturnType<RunningTracker['swarms']>> };
    return swarms;
  }
}

interface Waiter {
  readonly matches: (event: Event) => boolean;
  readonly resolve: (event: Event) => void;
}

export class Run {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** All events so far. */
  readonly events: Event[] = [];
  readonly #waiters = new Set<Waiter>();
  #stderr = '';
  readonly #stdout: Buffer[] = [];

  constructor(main: string, words: readonly string[], options: RunOptions) {
    const { input, env, cwd, through = [] } = options;
    const [first = process.execPath, ...rest] = [...through, process.execPath, main, ...words];
    const stdio = [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] as const;
    this.child = spawn(first, rest, {
      stdio: [...stdio],
      env: environment(env),
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.ended = this.#end();
    onTestFinished(() => this.kill('SIGKILL').then(() => {}));
    this.child.stdin?.on('error', () => {});
    if (input !== undefined) this.child.stdin?.end(input);
    this.child.stderr?.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    if (words.includes('--jsonl') || main === tracker)
      createInterface(this.child.stdout!).on('line', (line) => this.#heard(JSON.parse(line) as Event));
    else this.child.stdout?.on('data', (chunk: Buffer) => this.#stdout.push(chunk));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The latest event of that name. */
  last(name: string): Event | undefined {
    return this.events.findLast(({ event }) => event === name);
  }

  /** The first event of that name, past or future, that is as wanted. Rejects when the process ends without it. */
  async until(name: string, isWanted: (event: Event) => boolean = () => true): Promise<Event> {
    const matches = (event: Event): boolean => event.event === name && isWanted(event);
    const past = this.events.find(matches);
    if (past !== undefined) return past;
    const { promise, resolve, reject } = Promise.withResolvers<Event>();
    const waiter = { matches, resolve };
    this.#waiters.add(waiter);
    const give = (why: string): void => reject(new Error(`no ${name}: ${why}\n${this.#story()}`));
    const timer = setTimeout(() => give(`${patienceMs / 1000} s have passed`), patienceMs);
    void this.ended.then(() => give('the process has ended'));
    return promise.finally(() => {
      clearTimeout(timer);
      this.#waiters.delete(waiter);
    });
  }

  /** Sends the signal and waits for the end. */
  kill(signal: NodeJS.Signals): Promise<Ended> {
    if (this.isRunning) this.child.kill(signal);
    return this.ended;
  }

  #heard(event: Event): void {
    this.events.push(event);
    for (const waiter of this.#waiters) if (waiter.matches(event)) waiter.resolve(event);
  }

  async #end(): Promise<Ended> {
    const [code, signal] = (await once(this.child, 'close')) as [number | null, NodeJS.Signals | null];
    const bytes = Buffer.concat(this.#stdout);
    return { code, signal, stdout: bytes.toString(), stderr: this.#stderr, bytes };
  }

  #story(): string {
    const events = this.events.slice(-8).map((event) => JSON.stringify(event).slice(0, 400));
    return `${this.#stderr.slice(-2000)}\n${events.join('\n')}`;
  }
}

/** Most memory the process ever had resident, in bytes. */
export function peakMemoryOf(status: string): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kibibytes === undefined) throw new Error('no VmHWM in the status of the process');
  return Number(kibibytes) * 1024;
}
