// A picture of now, and that of work through a known amount: hashing or checking, as a bar or a line. Pure.
import { barLine, formatPercent, shortened, unpainted, visible, type Paint } from './text.ts';

/** For a terminal of that size, or as plain lines where there is none. */
export interface Picture {
  readonly live: (columns: number, rows: number) => readonly string[];
  readonly plain: () => readonly string[];
}

/** `verb` such as `checking`, `what` the name of what is worked through, `amount` as `of 40 pieces`. */
export function checkPicture(
  work: {
    readonly verb: string;
    readonly what: string;
    readonly done: number;
    readonly total: number;
    readonly amount: string;
  },
  paint: Paint = unpainted,
): Picture {
  const { verb, what, done, total, amount } = work;
  const facts = `${formatPercent(done, total).padStart(7)} ${amount}`;
  return {
    live: (columns) => [
      shortened(`${verb} ${visible(what)}`, columns - 1),
      barLine(done, total, facts, columns, (text) => paint('cyan', text)),
    ],
    plain: () => [`${verb} ${what}: ${facts.trimStart()}`],
  };
}
