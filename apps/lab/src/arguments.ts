// Values of the command line as people write them: sizes, counts, times.
import { InvalidArgumentError } from 'commander';
import { scenarios } from './scenarios.ts';

const unitBytes: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** `16KiB`, `4M`, `16384`: bytes. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMG]?)(?:i?B)?$/i.exec(text.trim());
  const bytes = match === null ? NaN : Number(match[1]) * (unitBytes[(match[2] ?? '').toUpperCase()] ?? NaN);
  if (!Number.isSafeInteger(bytes) || bytes <= 0) throw new InvalidArgumentError('A size looks like 16KiB or 4M.');
  return bytes;
}

/** Each is a process of its own: more than this is no swarm on one machine but a fork bomb. */
export const mostPeers = 200;

export function parsePeers(text: string): number {
  const count = /^\d{1,3}$/.test(text) ? Number(text) : NaN;
  if (!(count >= 1 && count <= mostPeers)) throw new InvalidArgumentError(`A swarm has 1 to ${mostPeers} downloaders.`);
  return count;
}

/** What `setTimeout` can wait, in seconds. */
const longestSeconds = Math.floor(0x7fff_ffff / 1000);

export function parseSeconds(text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (!(seconds > 0 && seconds <= longestSeconds)) throw new InvalidArgumentError('A time is a number of seconds.');
  return seconds;
}

export function parseScenario(text: string): string {
  if (!Object.hasOwn(scenarios, text))
    throw new InvalidArgumentError(`There are: ${Object.keys(scenarios).join(', ')}.`);
  return text;
}

export function parseSeed(text: string): number {
  const seed = /^-?\d+$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(seed)) throw new InvalidArgumentError('A seed is a whole number.');
  return seed;
}
