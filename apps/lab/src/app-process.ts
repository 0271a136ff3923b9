// One process of the swarm: starts it, reads its events, keeps its last words, ends it for certain. Knows no meaning of
// events.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type AppName, scriptOf } from './apps.ts';

export interface AppEvent {
  readonly event: string;
  readonly [fact: string]: unknown;
}

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface AppProcessOptions {
  /** Under which people know it: `tracker`, `origin`, `peer-1`. */
  readonly name: string;
  readonly app: AppName;
  readonly words: readonly string[];
  readonly onEvent: (event: AppEvent) => void;
  /** Each line of its stderr. */
  readonly onComplaint?: (line: string) => void;
}

/** The apps give their goodbyes 7 s; after that they hang. */
const stopLimitMs = 9000;
/** Kept of what it wrote to stderr. */
const lastLines = 20;
const lineLimit = 500;

export class AppProcess {
  readonly name: string;
  /** Resolves when it is gone and everything it wrote has been read. */
  readonly ended: Promise<ProcessEnd>;
  readonly #child: ChildProcess;
  readonly #lastWords: string[] = [];
  #isStopping = false;
  #hasEnded = false;

  constructor({ name, app, words, onEvent, onComplaint }: AppProcessOptions) {
    this.name = name;
    // A group of its own: Ctrl-C in the terminal reaches the lab only, which then ends all in the right order.
    const child = spawn(process.execPath, [scriptOf(app), ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    this.#child = child;
    createInterface(child.stdout).on('line', (line) => {
      const event = eventOf(line);
      if (event !== undefined) onEvent(event);
    });
    createInterface(child.stderr).on('line', (line) => {
      this.#remember(line);
      onComplaint?.(line);
    });
    this.ended = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.#hasEnded = true;
        resolve({ code, signal });
      };
      child.once('error', (error) => {
        this.#remember(error.message);
        if (child.pid === undefined) end(null, null);
      });
      child.once('close', end);
    });
  }

  /** Undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** What it wrote to stderr last. */
  get lastWords(): readonly string[] {
    return this.#lastWords;
  }

  /** Its end is wanted. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Asks it to say goodbye and end; kills it when it does not. */
  async stop(): Promise<ProcessEnd> {
    this.#isStopping = true;
    this.#signal('SIGTERM');
    const timer = setTimeout(() => this.kill(), stopLimitMs);
    try {
      return await this.ended;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends it and whatever it started, at once. */
  kill(): void {
    this.#isStopping = true;
    this.#signal('SIGKILL');
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (this.#hasEnded || pid === undefined) return;
    try {
      if (process.platform === 'win32') this.#child.kill(signal);
      else process.kill(-pid, signal);
    } catch (error) {
      // It ended by itself a moment ago.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  #remember(line: string): void {
    this.#lastWords.push(line.slice(0, lineLimit));
    if (this.#lastWords.length > lastLines) this.#lastWords.shift();
  }
}

/** Why it ended, as part of a sentence. */
export function formatEnd({ code, signal }: ProcessEnd): string {
  if (signal !== null) return `was ended by ${signal}`;
  return code === null ? 'could not be started' : `ended with exit code ${code}`;
}

/** The one object of `--json` has no event: it is told as a `result`. */
function eventOf(line: string): AppEvent | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null) return undefined;
    return 'event' in value && typeof value.event === 'string'
      ? { ...value, event: value.event }
      : { ...value, event: 'result' };
  } catch {
    // Not meant for programs.
    return undefined;
  }
}
