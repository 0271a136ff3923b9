// The shoal-tracker-conformance command: what may be written and how it ends. Exit codes: 0 no case fails, 1 some
// do, 2 the command line or a URL is wrong, or a name has no address.
import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { ConformanceError } from './errors.ts';
import { infoHashesFor } from './info-hashes.ts';
import { jsonReport, tableReport } from './report.ts';
import { type CaseResult, type ConformanceOptions, maxTimeoutMs, runConformance } from './run.ts';
import { parseTrackerUrl } from './target.ts';

/** Where the command writes. */
export interface CommandOutput {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
}

const usage = `Usage: shoal-tracker-conformance [options] URL...

Runs corner cases of the tracker protocol against http:, https:, udp:, ws: and wss: trackers.

  --json           one line of JSON for each URL
  --only LIST      run only these cases: 1,5-9
  --timeout MS     time for one case (default 2000)
  --also ADDRESS   the tracker's address in the other family, where its name has none
  --seed TEXT      decides the info-hashes (default random); a seed is good once, as trackers remember
  --list-hashes    print the info-hashes that the run would use, for a tracker that serves listed torrents
  -h, --help

Exit codes: 0 no case fails, 1 some case fails, 2 usage
`;

/** Runs the command; `argv` has only the arguments. Returns the exit code. */
export async function main(argv: readonly string[], { out, error }: CommandOutput): Promise<0 | 1 | 2> {
  let command: Command | 'help';
  try {
    command = readArguments(argv);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    error(`shoal-tracker-conformance: ${cause.message}\n`);
    return 2;
  }
  if (command === 'help') out(usage);
  else if (command.listHashes) listHashes(command, out);
  else return run(command, { out, error });
  return 0;
}

async function run({ urls, json, options }: Command, { out, error }: CommandOutput): Promise<0 | 1 | 2> {
  let failed = false;
  for (const [index, url] of urls.entries()) {
    const results: CaseResult[] = [];
    try {
      for await (const result of runConformance(url, seedFor(options, index))) results.push(result);
    } catch (cause) {
      if (!(cause instanceof ConformanceError || cause instanceof RangeError)) throw cause;
      error(`shoal-tracker-conformance: ${cause.message}\n`);
      return 2;
    }
    out((json ? jsonReport : tableReport)(url, results));
    failed ||= results.some(({ outcome }) => outcome === 'fail');
  }
  return failed ? 1 : 0;
}

function listHashes({ urls, options }: Command, out: CommandOutput['out']): void {
  const listed = urls.flatMap((_, index) => infoHashesFor(seedFor(options, index).seed ?? ''));
  for (const infoHash of listed) out(`${Buffer.from(infoHash).toString('hex')}\n`);
}

/** URLs may be one tracker's, and what one announced must not be in the other's swarms. */
function seedFor(options: ConformanceOptions, index: number): ConformanceOptions {
  return options.seed === undefined ? options : { ...options, seed: `${options.seed}/${index}` };
}

interface Command {
  readonly urls: readonly string[];
  readonly json: boolean;
  readonly listHashes: boolean;
  readonly options: ConformanceOptions;
}

function readArguments(argv: readonly string[]): Command | 'help' {
  const { values, positionals: urls } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      only: { type: 'string' },
      timeout: { type: 'string' },
      also: { type: 'string' },
      seed: { type: 'string' },
      'list-hashes': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const wantsHashes = values['list-hashes'];
  if (wantsHashes && values.seed === undefined) throw new TypeError('--list-hashes needs a --seed');
  if (urls.length === 0) throw new TypeError('name the URL of a tracker; --help says more');
  // All of them before anything is sent.
  for (const url of urls) parseTrackerUrl(url);
  const options = {
    ...(values.only === undefined ? {} : { only: parseNumbers(values.only) }),
    ...(values.timeout === undefined ? {} : { timeoutMs: parseTimeout(values.timeout) }),
    ...(values.also === undefined ? {} : { also: parseAddress(values.also) }),
    ...(values.seed === undefined ? {} : { seed: values.seed }),
  };
  return { urls, json: values.json, listHashes: wantsHashes, options };
}

function parseAddress(text: string): string {
  if (isIP(text) === 0) throw new TypeError(`--also wants an address: ${text}`);
  return text;
}

function parseTimeout(text: string): number {
  const timeoutMs = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (timeoutMs < 1 || timeoutMs > maxTimeoutMs)
    throw new TypeError(`--timeout wants 1 to ${maxTimeoutMs} ms: ${text}`);
  return timeoutMs;
}

/** `1,5-9` as a set. @throws TypeError for anything else */
export function parseNumbers(text: string): ReadonlySet<number> {
  const numbers = new Set<number>();
  for (const part of text.split(',')) {
    const [, first, last = first] = /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(part) ?? [];
    if (first === undefined || Number(last) < Number(first))
      throw new TypeError(`--only wants numbers like 1,5-9: ${text}`);
    for (let number = Number(first); number <= Number(last); number++) numbers.add(number);
  }
  return numbers;
}
