// The lab as a process of its own, in a temporary folder of its own: what it prints, how it ends, what it leaves.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

export interface LabEvent {
  readonly event: string;
  readonly process?: string;
  readonly pid?: number;
  readonly [fact: string]: unknown;
}

export interface LabEnd {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

export class LabRun implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly events: LabEvent[] = [];
  readonly #waiting = new Map<(event: LabEvent) => boolean, (event: LabEvent) => void>();
  readonly #stderr: Promise<string>;
  #stdout = '';

  constructor(temporary: string, ...words: string[]) {
    // Compiled code is shared between runs, outside the folder that shall be empty at the end.
    const env = { ...process.env, TMPDIR: temporary, NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache') };
    this.child = spawn(process.execPath, [main, ...words], { stdio: ['ignore', 'pipe', 'pipe'], env });
    createInterface(this.child.stdout!).on('line', (line) => {
      this.#stdout += `${line}\n`;
      if (words.includes('--jsonl')) this.#heard(JSON.parse(line) as LabEvent);
    });
    this.#stderr = textOf(this.child.stderr!);
  }

  /** The first event of which it holds, past or to come. */
  async event(wanted: (event: LabEvent) => boolean): Promise<LabEvent> {
    const past = this.events.find(wanted);
    if (past !== undefined) return past;
    const { promise, resolve, reject } = Promise.withResolvers<LabEvent>();
    this.#waiting.set(wanted, resolve);
    this.child.once('close', () => reject(new Error(`it ended before: ${JSON.stringify(this.events.at(-1))}`)));
    return promise;
  }

  /** Process ids of all it started. */
  get pids(): number[] {
    return this.events.flatMap(({ event, pid }) => (event === 'started' && pid !== undefined ? [pid] : []));
  }

  async end(): Promise<LabEnd> {
    const [code] = (await once(this.child, 'close')) as [number | null];
    return { code, stdout: this.#stdout, stderr: await this.#stderr };
  }

  /** A failed test leaves nothing running either. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const closed = once(this.child, 'close');
    this.child.kill('SIGTERM');
    await closed;
  }

  #heard(event: LabEvent): void {
    this.events.push(event);
    for (const [wanted, resolve] of this.#waiting) {
      if (!wanted(event)) continue;
      this.#waiting.delete(wanted);
      resolve(event);
    }
  }
}

/** Runs to the end. */
export const lab = (temporary: string, ...words: string[]): Promise<LabEnd> => new LabRun(temporary, ...words).end();

export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}
