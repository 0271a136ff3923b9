// Where a command prints: data on stdout, progress and messages on stderr, and how much of each is wanted.
import { createLogUpdate } from 'log-update';
import { exitCodes, type ExitName } from './exit-codes.ts';

export interface OutputOptions {
  /** One object on stdout at the end. */
  readonly json?: boolean;
  /** One event a line on stdout as it happens. */
  readonly jsonl?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  /** Commander's `--no-progress`. */
  readonly progress?: boolean;
}

/** Without a terminal a line of progress at most this often. */
const lineIntervalMs = 10_000;

export class Output {
  readonly #options: OutputOptions;
  readonly #live: ReturnType<typeof createLogUpdate> | undefined;
  #lastLineAt = -Infinity;

  constructor(options: OutputOptions) {
    this.#options = options;
    const { TERM, CI } = process.env;
    const terminal = process.stderr.isTTY && TERM !== 'dumb' && CI === undefined;
    if (terminal && !this.isMachine && options.quiet !== true && options.progress !== false)
      this.#live = createLogUpdate(process.stderr, { showCursor: true });
  }

  /** A program reads stdout. */
  get isMachine(): boolean {
    return this.#options.json === true || this.#options.jsonl === true;
  }

  get isJson(): boolean {
    return this.#options.json === true;
  }

  get isVerbose(): boolean {
    return this.#options.verbose === true;
  }

  /** Data for people or pipes; nothing when a program asked for JSON. */
  data(text: string): void {
    if (!this.isMachine) process.stdout.write(`${text}\n`);
  }

  /** The one object of `--json`. */
  result(value: object): void {
    if (this.#options.json === true) process.stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** One line of `--jsonl`. */
  event(event: string, facts: object): void {
    if (this.#options.jsonl === true) process.stdout.write(`${JSON.stringify({ event, ...facts })}\n`);
  }

  /** A change of state: always worth a line. */
  info(text: string): void {
    if (this.#options.quiet === true || this.isMachine) return;
    this.#line(text);
  }

  detail(text: string): void {
    if (this.#options.verbose === true) this.#line(text);
  }

  warn(text: string): void {
    this.#line(`warning: ${text}`);
  }

  fail(exit: ExitName, text: string): void {
    this.#line(`shoal: ${exit} (${exitCodes[exit]}): ${text}`);
  }

  /** The picture of now: redrawn in place on a terminal, a line now and then elsewhere. */
  progress(lines: () => readonly string[], now: number): void {
    if (this.#live !== undefined) return this.#live(lines().join('\n'));
    const { quiet, progress } = this.#options;
    if (quiet === true || progress === false || this.isMachine || now - this.#lastLineAt < lineIntervalMs) return;
    this.#lastLineAt = now;
    for (const line of lines()) process.stderr.write(`${line}\n`);
  }

  /** The live picture stays as it is; what follows comes below it. */
  endProgress(): void {
    this.#live?.done();
  }

  #line(text: string): void {
    this.#live?.clear();
    process.stderr.write(`${text}\n`);
  }
}
