// All processes of a run: when one dies that should not, the run fails and says which and why; whatever ends the run ends
// them all. Knows no meaning of events.
import { AppProcess, type AppEvent, formatEnd, type ProcessEnd } from './app-process.ts';
import type { AppName } from './apps.ts';
import { exitOfChild, LabError } from './exit-codes.ts';

export interface SwarmProcessesOptions {
  /** Ends every wait. */
  readonly signal: AbortSignal;
  /** Told of each process that starts, each event it tells, and its end. */
  readonly onEvent: (process: string, event: AppEvent) => void;
  /** Each line a process writes to stderr. */
  readonly onComplaint: (process: string, line: string) => void;
}

export class SwarmProcesses {
  readonly #options: SwarmProcessesOptions;
  readonly #all: AppProcess[] = [];
  readonly #failure = Promise.withResolvers<never>();
  readonly #killAll = (): void => this.#all.forEach((app) => app.kill());

  constructor(options: SwarmProcessesOptions) {
    this.#options = options;
    // Who waits at that moment hears of it.
    this.#failure.promise.catch(() => {});
    const { signal } = options;
    signal.addEventListener('abort', () => this.#failure.reject(signal.reason), { once: true });
    process.on('exit', this.#killAll);
  }

  /** Starts one that shall run until it is stopped. */
  start(name: string, app: AppName, words: readonly string[], onEvent: (event: AppEvent) => void): AppProcess {
    const started = this.#start(name, app, words, onEvent);
    void started.ended.then((end) => {
      if (!started.isStopping) this.#failure.reject(died(started, end));
    });
    return started;
  }

  /** Runs one that ends by itself. @throws LabError when it fails. */
  async run(name: string, app: AppName, words: readonly string[], onEvent: (event: AppEvent) => void): Promise<void> {
    const started = this.#start(name, app, words, onEvent);
    const end = await this.unlessFailed(started.ended);
    if (end.code !== 0) throw died(started, end);
  }

  /** What `promise` gives, unless the run fails or is stopped meanwhile. */
  unlessFailed<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#failure.promise]);
  }

  /** Makes the run fail, wherever it waits. */
  fail(error: LabError): void {
    this.#failure.reject(error);
  }

  /** Ends those that run, together. */
  async stop(processes: readonly AppProcess[]): Promise<void> {
    await Promise.all(processes.map((running) => running.stop()));
  }

  /** Ends all that still run, in no order. */
  async close(): Promise<void> {
    await this.stop(this.#all.filter(({ hasEnded }) => !hasEnded));
    process.off('exit', this.#killAll);
  }

  #start(name: string, app: AppName, words: readonly string[], onEvent: (event: AppEvent) => void): AppProcess {
    const { onEvent: tell, onComplaint } = this.#options;
    const started = new AppProcess({
      name,
      app,
      words,
      onEvent: (event) => {
        onEvent(event);
        tell(name, event);
      },
      onComplaint: (line) => onComplaint(name, line),
    });
    this.#all.push(started);
    tell(name, { event: 'started', pid: started.pid });
    void started.ended.then((end) => tell(name, { event: 'ended', ...end }));
    return started;
  }
}

function died(app: AppProcess, end: ProcessEnd): LabError {
  const words = app.lastWords.map((line) => `\n  ${line}`).join('');
  const said = words === '' ? ' and said nothing' : `; it said last:${words}`;
  return new LabError(exitOfChild(end.code), `${app.name} (process ${app.pid ?? '?'}) ${formatEnd(end)}${said}`);
}
