// What the suite prints: a line a cell as it ends, the logs of those that failed, and the count at the end.
import type { Outcome } from './suite.ts';

const words = { passed: 'PASS', failed: 'FAIL', skipped: 'SKIPPED' } as const;

export class Report {
  readonly #json: boolean;
  readonly #outcomes: Outcome[] = [];

  constructor(json: boolean) {
    this.#json = json;
  }

  tell(outcome: Outcome): void {
    this.#outcomes.push(outcome);
    const { cell, result, seconds, reason, logs = [] } = outcome;
    const time = `${seconds.toFixed(1).padStart(6)} s`;
    this.#print(`${words[result].padEnd(7)} ${time}  ${cell}${reason === undefined ? '' : `: ${reason}`}`);
    for (const { program, lines } of logs) {
      this.#print(`  last ${lines.length} lines of ${program}:`);
      for (const line of lines) this.#print(`    ${line}`);
    }
  }

  /** Prints the count; answers whether all went well. */
  end(skipsAllowed: boolean): boolean {
    const count = (result: Outcome['result']): number => this.#outcomes.filter((one) => one.result === result).length;
    const [passed, failed, skipped] = [count('passed'), count('failed'), count('skipped')];
    this.#print(`${passed} passed, ${failed} failed, ${skipped} skipped`);
    const ok = failed === 0 && (skipsAllowed || skipped === 0);
    if (this.#json) console.log(JSON.stringify({ ok, passed, failed, skipped, cells: this.#outcomes }));
    return ok;
  }

  #print(line: string): void {
    if (this.#json) console.error(line);
    else console.log(line);
  }
}
