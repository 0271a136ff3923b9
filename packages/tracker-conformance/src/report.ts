// Results as text for people and as JSON for programs. Decides nothing about them.
import type { Outcome } from './conformance-case.ts';
import type { CaseResult } from './run.ts';

/** How many cases ended how. */
export type Summary = Readonly<Record<Outcome, number>>;

/** Counts results. */
export function summaryOf(results: readonly CaseResult[]): Summary {
  const count = (outcome: Outcome): number => results.filter((result) => result.outcome === outcome).length;
  return {
    pass: count('pass'),
    fail: count('fail'),
    differs: count('differs'),
    'not-applicable': count('not-applicable'),
  };
}

/** A table: number, verdict, sentence, and below it what was seen. Lines end in a newline. */
export function tableReport(url: string, results: readonly CaseResult[]): string {
  const lines = results.flatMap(({ number, outcome, title, seen }) => [
    `${String(number).padStart(3)}  ${words[outcome].padEnd(7)}  ${title}`,
    `${' '.repeat(14)}${seen}`,
  ]);
  const { pass, fail, differs, 'not-applicable': notApplicable } = summaryOf(results);
  return [url, ...lines, `${pass} pass, ${fail} fail, ${differs} differ, ${notApplicable} not applicable`, ''].join(
    '\n',
  );
}

/** One line of JSON: `url`, `summary` and `results`. Ends in a newline. */
export function jsonReport(url: string, results: readonly CaseResult[]): string {
  return `${JSON.stringify({ url, summary: summaryOf(results), results })}\n`;
}

const words: Readonly<Record<Outcome, string>> = {
  pass: 'pass',
  fail: 'FAIL',
  differs: 'differs',
  'not-applicable': 'n/a',
};
