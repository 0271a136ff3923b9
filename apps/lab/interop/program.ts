// One spawned program: its lines as they come, how it ended, and its last words for a failure's report.
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

export interface ProgramOptions {
  /** What the report calls it. */
  readonly name: string;
  readonly words: readonly string[];
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
}

export interface Exit {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** So many last lines are kept for the report of a failure. */
const keptLines = 30;

/** A program that was asked to end is killed after this long: longer than the 5 s that clients give their goodbyes. */
const stopLimitMs = 8000;

export class Program {
  readonly name: string;
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #lastLines: string[] = [];
  readonly #listeners = new Set<(line: string) => void>();
  #ended = false;

  constructor(options: ProgramOptions) {
    const [program = '', ...words] = options.words;
    this.name = options.name;
    const child = spawn(program, words, {
      cwd: options.directory,
      env: options.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#read(child.stdout);
    this.#read(child.stderr);
    this.exited = new Promise((resolve) => {
      child.once('error', (error) => {
        this.#keep(`cannot run ${program}: ${error.message}`);
        this.#ended = true;
        resolve({ status: null, signal: null });
      });
      // "close" comes after the last line has been read, "exit" may come before.
      child.once('close', (status, signal) => {
        this.#ended = true;
        resolve({ status, signal });
      });
    });
  }

  get lastLines(): readonly string[] {
    return this.#lastLines;
  }

  /** The first line, from now on, that `accept` turns into something; an error if the program ends without one. */
  async heard<T>(what: string, accept: (line: string) => T | undefined): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<T>();
    const listener = (line: string): void => {
      const found = accept(line);
      if (found !== undefined) resolve(found);
    };
    this.#listeners.add(listener);
    const ended = this.exited.then((exit): never => {
      throw new Error(`${this.name} ended (${describeExit(exit)}) before ${what}`);
    });
    try {
      return await Promise.race([promise, ended]);
    } finally {
      this.#listeners.delete(listener);
    }
  }

  /** Ends with status 0, or it is an error. */
  async succeeded(): Promise<void> {
    const exit = await this.exited;
    if (exit.status !== 0) throw new Error(`${this.name} failed (${describeExit(exit)})`);
  }

  /** Asks it to end, and insists when it takes too long. */
  async stop(): Promise<Exit> {
    if (!this.#ended) {
      this.#child.kill('SIGTERM');
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopLimitMs);
      await this.exited;
      clearTimeout(timer);
    }
    return this.exited;
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  #read(stream: Readable | null): void {
    if (stream === null) return;
    createInterface({ input: stream }).on('line', (line) => {
      this.#keep(line);
      for (const listener of this.#listeners) listener(line);
    });
  }

  #keep(line: string): void {
    this.#lastLines.push(line.slice(0, 400));
    if (this.#lastLines.length > keptLines) this.#lastLines.shift();
  }
}

export function describeExit({ status, signal }: Exit): string {
  return signal === null ? `status ${status ?? 'none'}` : signal;
}
