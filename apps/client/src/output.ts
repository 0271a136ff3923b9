// Where a command prints: data on stdout, progress and messages on stderr, and how much of each is wanted.
// Terminal control codes reach the terminal from here alone: what strangers wrote is cleaned of them.
import { styleText } from 'node:util';
import type { CommandError, ExitName } from './exit-codes.ts';
import type { Picture } from './render/picture.ts';
import { visible, type Paint } from './render/text.ts';

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

/** What `log-update` makes. */
interface LiveText {
  (text: string): void;
  clear(): void;
  done(): void;
}

/** Without a terminal a line of progress this often; what takes less time needs none. */
const lineIntervalMs = 10_000;

export class Output {
  readonly #options: OutputOptions;
  #live: LiveText | undefined;
  #lastLineAt: number | undefined;

  /** Without a live picture: see `open`. */
  constructor(options: OutputOptions) {
    this.#options = options;
  }

  /** With a live picture where progress is wanted and somebody watches; what draws it is loaded only then. */
  static async open(options: OutputOptions): Promise<Output> {
    const output = new Output(options);
    if (!output.#tellsProgress || !isLiveTerminal()) return output;
    const { createLogUpdate } = await import('log-update');
    output.#live = createLogUpdate(process.stderr, { showCursor: true });
    return output;
  }

  /** Data for people or pipes; nothing when a program asked for JSON. */
  data(text: string): void {
    if (!this.#isMachine) process.stdout.write(`${text}\n`);
  }

  /** Whether `data` goes to a person's screen. */
  get isForPeople(): boolean {
    return process.stdout.isTTY;
  }

  /** Colours `data`, where that is seen and wanted (NO_COLOR, TERM). */
  readonly paintData: Paint = (style, text) => styleText(style, text, { stream: process.stdout });

  /** Colours pictures and messages. */
  readonly paint: Paint = (style, text) => styleText(style, text, { stream: process.stderr });

  /** The end of a command: the one object of `--json`, the last line of `--jsonl`. */
  result(value: object): void {
    if (this.#options.json === true) process.stdout.write(`${JSON.stringify(value)}\n`);
    this.event('result', value);
  }

  /** One line of `--jsonl`. */
  event(event: string, facts: object): void {
    if (this.#options.jsonl === true) process.stdout.write(`${JSON.stringify({ event, ...facts })}\n`);
  }

  /** A change of state: worth a line, unless it is an event already. */
  info(text: string): void {
    if (this.#options.quiet !== true && this.#options.jsonl !== true) this.#line(visible(text));
  }

  detail(text: string): void {
    if (this.#options.verbose === true) this.#line(visible(text));
  }

  warn(text: string): void {
    this.#line(`${this.paint('yellow', 'warning:')} ${visible(text)}`);
  }

  /** Says why not everything asked for was done. */
  fail(exit: ExitName, text: string): void {
    const lines = text.split('\n').map(visible).join('\n');
    this.#line(`${this.paint('red', `shoal: ${exit}:`)} ${lines}`);
  }

  /** The end of a command that could not do what it was asked for. */
  failed(error: CommandError): void {
    this.endProgress();
    this.fail(error.exit, error.message);
    this.result({ ok: false, error: { code: error.exit, message: error.message }, ...error.facts });
  }

  /** Redrawn in place on a terminal, a line now and then elsewhere. */
  progress(picture: Picture, now: number): void {
    if (this.#live !== undefined) {
      const { columns, rows } = process.stderr;
      return this.#live(picture.live(columns, rows).join('\n'));
    }
    this.#lastLineAt ??= now;
    if (!this.#tellsProgress || now - this.#lastLineAt < lineIntervalMs) return;
    this.#lastLineAt = now;
    for (const line of picture.plain()) process.stderr.write(`${visible(line)}\n`);
  }

  /** The live picture stays as it is; what follows comes below it. */
  endProgress(): void {
    this.#live?.done();
  }

  /** Takes the live picture away until it is drawn next, because others are about to write. */
  clearProgress(): void {
    this.#live?.clear();
  }

  get #isMachine(): boolean {
    return this.#options.json === true || this.#options.jsonl === true;
  }

  /** With `--jsonl` progress is an event. */
  get #tellsProgress(): boolean {
    const { jsonl, quiet, progress } = this.#options;
    return jsonl !== true && quiet !== true && progress !== false;
  }

  #line(text: string): void {
    this.#live?.clear();
    process.stderr.write(`${text}\n`);
  }
}

/** Somebody watches, on a screen that can be redrawn. */
function isLiveTerminal(): boolean {
  const { TERM, CI } = process.env;
  const isAutomatic = CI !== undefined && !['', '0', 'false'].includes(CI);
  return process.stderr.isTTY && TERM !== 'dumb' && !isAutomatic;
}
