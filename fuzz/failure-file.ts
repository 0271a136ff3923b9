// A failure as a file: settings and inputs, so that they can be fed again whatever has become of the generators.
import { readFileSync, writeFileSync } from 'node:fs';
import type { Failure } from './campaign.ts';

/** Bytes in the file are hex behind this. */
const mark = 'hex:';

/** Writes the failure down, an input a line. */
export function writeFailure(file: string, failure: Failure<unknown, unknown>): void {
  const { inputs, ...rest } = failure;
  const lines = inputs.map((input) => JSON.stringify(input, spellBytes));
  writeFileSync(file, `${JSON.stringify(rest, spellBytes)}\n${lines.join('\n')}\n`);
}

/** @throws RangeError for a file that is none of ours */
export function readFailure(file: string): Failure<unknown, unknown> {
  const [head, ...inputs] = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line, readBytes));
  if (typeof head !== 'object' || head === null || !('target' in head) || !('settings' in head))
    throw new RangeError(`${file} is not a failure that the fuzzer wrote`);
  const { target, settings } = head;
  return { target: String(target), settings, inputs, seed: 0, episode: 0, reason: '' };
}

/** One input as a person reads it. */
export function spelled(input: unknown): string {
  return JSON.stringify(input, spellBytes);
}

/** `Buffer` would spell itself before this sees it, so inputs hold none. */
function spellBytes(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? mark + Buffer.from(value).toString('hex') : value;
}

function readBytes(_key: string, value: unknown): unknown {
  return typeof value === 'string' && value.startsWith(mark)
    ? new Uint8Array(Buffer.from(value.slice(mark.length), 'hex'))
    : value;
}
