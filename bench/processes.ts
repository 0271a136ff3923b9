// Processes that are measured from outside: what they have used, and that none is left behind.
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) killGroup(child, 'SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

export interface Usage {
  /** User and system seconds since its start. */
  readonly cpuSeconds: number;
  /** Highest resident memory so far. */
  readonly peakBytes: number;
  /** Anonymous resident memory, now. */
  readonly anonymousBytes: number;
}

/** USER_HZ of Linux: the unit of /proc/PID/stat. */
const ticksPerSecond = 100;
/** A peer that is asked to end says goodbye to nobody here: past this it hangs. */
const goodbyeMs = 3000;

export class Measured {
  readonly #child: ChildProcess;
  #output = '';
  #wake: () => void = () => {};
  #ended = false;
  #last: Usage = { cpuSeconds: 0, peakBytes: 0, anonymousBytes: 0 };
  #anonymousPeak = 0;

  constructor(command: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const [program = '', ...args] = command;
    this.#child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      // A group of its own, so that its helpers end with it.
      detached: true,
    });
    running.add(this.#child);
    const hear = (chunk: Buffer): void => {
      // The tail is enough to recognise a word and to show why something failed.
      this.#output = (this.#output + chunk.toString()).slice(-20_000);
      this.#wake();
    };
    this.#child.stdout?.on('data', hear);
    this.#child.stderr?.on('data', hear);
    this.#child.on('error', (error) => (this.#output += error.message));
    this.#child.on('close', () => {
      running.delete(this.#child);
      this.#ended = true;
      this.#wake();
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get output(): string {
    return this.#output;
  }

  /** Resolves with the match when the output holds it. */
  async says(pattern: RegExp, limitMs: number): Promise<RegExpExecArray> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake();
    }, limitMs);
    try {
      for (;;) {
        const match = pattern.exec(this.#output);
        if (match !== null) return match;
        if (late || this.#ended) {
          const what = this.#ended ? 'it ended' : `${limitMs / 1000} s passed`;
          throw new Error(`${what} before it said ${String(pattern)}; it said:\n${this.#output.slice(-2000)}`);
        }
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** What it has used until now, or when it was last looked at, if it has ended. */
  usage(): Usage {
    try {
      const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
      const kib = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) * 1024;
      if (kib('VmHWM') === 0) return this.#last;
      this.#anonymousPeak = Math.max(this.#anonymousPeak, kib('RssAnon'));
      this.#last = {
        cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
        peakBytes: kib('VmHWM'),
        anonymousBytes: this.#anonymousPeak,
      };
    } catch {
      // It has ended: the last look stands.
    }
    return this.#last;
  }

  /** To this process alone, not to its helpers. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Resolves when it has ended by itself. */
  async closed(): Promise<void> {
    if (this.#ended) return;
    await new Promise((resolve) => this.#child.once('close', resolve));
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = new Promise((resolve) => this.#child.once('close', resolve));
    killGroup(this.#child, 'SIGTERM');
    const timer = setTimeout(() => killGroup(this.#child, 'SIGKILL'), goodbyeMs);
    await closed;
    clearTimeout(timer);
  }
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended already.
  }
}

/** Of an even number the mean of the two in the middle. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const [low = NaN, high = NaN] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  return (low + high) / 2;
};
