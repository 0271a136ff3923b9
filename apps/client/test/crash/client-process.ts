// One client as a process of its own, for the crash test: what it tells, and its death. Needs no test runner.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** One line of `--jsonl`. */
export type ClientEvent = { readonly event: string } & Readonly<Record<string, unknown>>;

/** Loopback at these rates tells something every 20 ms; silence of this length is a fault. */
const patienceMs = 60_000;

export class ClientProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #listeners = new Set<(event: ClientEvent | undefined) => void>();
  readonly #last = new Map<string, ClientEvent>();
  #stderr = '';
  #isClosed = false;

  /** `stateHome`: for what it notes about torrents. */
  constructor(words: readonly string[], stateHome: string) {
    this.#child = spawn(process.execPath, [main, ...words, '--jsonl'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, XDG_STATE_HOME: stateHome },
    });
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error('the client has no output');
    this.#closed = once(this.#child, 'close').then(() => {
      this.#isClosed = true;
      this.#tell(undefined);
    });
    stderr.on('data', (chunk: Buffer) => (this.#stderr = (this.#stderr + chunk.toString()).slice(-4000)));
    createInterface(stdout).on('line', (line) => {
      const event = parsed(line);
      if (event === undefined) return;
      this.#last.set(event.event, event);
      this.#tell(event);
    });
  }

  get stderr(): string {
    return this.#stderr;
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  /** The latest event of that name. */
  last(name: string): ClientEvent | undefined {
    return this.#last.get(name);
  }

  /** The next event that is as wanted; undefined when the process ends first. */
  next(isWanted: (event: ClientEvent) => boolean): Promise<ClientEvent | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(listener);
      };
      const listener = (event: ClientEvent | undefined): void => {
        if (event !== undefined && !isWanted(event)) return;
        end();
        resolve(event);
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`nothing came for ${patienceMs / 1000} s; last: ${this.#story()}`));
      }, patienceMs);
      this.#listeners.add(listener);
    });
  }

  /** The first or next event of that name. @throws Error when the process ends first. */
  async event(name: string): Promise<ClientEvent> {
    const event = this.last(name) ?? (await this.next((found) => found.event === name));
    if (event === undefined) throw new Error(`the client ended before "${name}": ${this.#story()}`);
    return event;
  }

  /** Resolves when it is dead and all it wrote has been read. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  /** Resolves when it has ended by itself. */
  async ended(): Promise<void> {
    await this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #tell(event: ClientEvent | undefined): void {
    for (const listener of this.#listeners) listener(event);
  }

  #story(): string {
    const events = [...this.#last.values()].map((event) => JSON.stringify(event).slice(0, 300));
    return `${this.#stderr}\n${events.join('\n')}`;
  }
}

/** The last line of a process that was killed may be half a one. */
function parsed(line: string): ClientEvent | undefined {
  try {
    return JSON.parse(line) as ClientEvent;
  } catch {
    return undefined;
  }
}
