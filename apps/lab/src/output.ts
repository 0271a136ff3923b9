// Where the lab prints: results on stdout, the picture and messages on stderr, and how much of each is wanted.
import { createLogUpdate } from 'log-update';
import type { SwarmPicture } from './picture.ts';
import { progressLine } from './render/lines.ts';
import { liveLines } from './render/live.ts';
import { type Paint, paintFor } from './render/paint.ts';

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
const lineIntervalMs = 2000;

export class Output {
  readonly #options: OutputOptions;
  readonly #live: ReturnType<typeof createLogUpdate> | undefined;
  readonly #paint: Paint = paintFor(process.stderr);
  #lastLineAt: number | undefined;

  constructor(options: OutputOptions) {
    this.#options = options;
    const { TERM, CI } = process.env;
    const mixes = options.jsonl === true && process.stdout.isTTY;
    if (process.stderr.isTTY && TERM !== 'dumb' && CI === undefined && this.#hasProgress && !mixes)
      this.#live = createLogUpdate(process.stderr);
  }

  /** Text for people on stdout; nothing when a program asked for JSON. */
  data(lines: readonly string[]): void {
    const { json, jsonl } = this.#options;
    if (json !== true && jsonl !== true) process.stdout.write(`${lines.join('\n')}\n`);
  }

  /** The one object of `--json`; the last event of `--jsonl`. */
  result(value: object): void {
    if (this.#options.json === true) process.stdout.write(`${JSON.stringify(value)}\n`);
    else this.event({ event: 'result', ...value });
  }

  /** One line of `--jsonl`. */
  event(event: object): void {
    if (this.#options.jsonl === true) process.stdout.write(`${JSON.stringify(event)}\n`);
  }

  /** What the live picture shows anyway: for logs. */
  caption(text: string): void {
    if (this.#live === undefined) this.info(text);
  }

  info(text: string): void {
    if (this.#options.quiet !== true) this.#line(text);
  }

  detail(text: string): void {
    if (this.#options.verbose === true) this.#line(text);
  }

  /** The picture of now: redrawn in place on a terminal, a line now and then elsewhere. */
  progress(picture: () => SwarmPicture, now: number): void {
    if (this.#live !== undefined) {
      const { columns, rows } = process.stderr;
      return this.#live(liveLines(picture(), { columns, rows }, this.#paint).join('\n'));
    }
    if (!this.#hasProgress || now - (this.#lastLineAt ?? -Infinity) < lineIntervalMs) return;
    const line = progressLine(picture());
    if (line === undefined) return;
    // The first moment has nothing to tell yet.
    if (this.#lastLineAt === undefined) return void (this.#lastLineAt = now);
    this.#lastLineAt = now;
    process.stderr.write(`${line}\n`);
  }

  /** The last picture stays; what follows comes below it. */
  endProgress(): void {
    this.#live?.done();
  }

  get #hasProgress(): boolean {
    return this.#options.quiet !== true && this.#options.progress !== false;
  }

  #line(text: string): void {
    this.#live?.clear();
    process.stderr.write(`${text}\n`);
  }
}
