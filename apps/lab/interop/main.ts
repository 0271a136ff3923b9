#!/usr/bin/env node
// Interoperation with real clients and trackers: prepares, goes into a namespace of its own, runs the matrix, reports.
import { parseArgs } from 'node:util';
import { matrix, type Cell } from './cells.ts';
import { bringUpLoopback, bringUpWebRtcLink, probeNamespace, runInside, scratchFolder } from './namespace.ts';
import { Report } from './report.ts';
import { installOpponents } from './requirements.ts';
import { runCells } from './suite.ts';

const usage = `Usage: node apps/lab/interop/main.ts [--only WORDS] [--list] [--json] [--require]

Moves files between Shoal and Transmission, aria2 and libtorrent in both directions,
through opentracker and bittorrent-tracker, and between WebTorrent peers through
our tracker. Every copy is compared by SHA-256.

  --only WORDS   only cells whose name has all of these words: --only 'aria2 UDP'
  --list         print the names of the cells and end
  --json         one JSON object on standard output at the end; the lines go to standard error
  --require      a cell that is skipped is a failure

Needs Linux and root (or unprivileged user namespaces) and the Debian packages of
debian-packages.txt; what is missing is skipped by name.
Exit codes: 0 nothing failed, 1 something did, 2 usage, 130 and 143 stopped by SIGINT and SIGTERM.`;

process.exitCode = await main();

async function main(): Promise<number> {
  const options = parseOptions();
  if (typeof options === 'string') {
    console.error(`${options}\n\n${usage}`);
    return 2;
  }
  if (options.help) {
    console.log(usage);
    return 0;
  }
  const cells = select(options.only);
  if (cells.length === 0) {
    console.error(`no cell has the words ${JSON.stringify(options.only)} in its name; --list prints the names`);
    return 2;
  }
  if (options.list) {
    for (const { name } of cells) console.log(name);
    return 0;
  }
  return run(cells, options.json, options.require);
}

/** The options, or what is wrong with them. */
function parseOptions() {
  const boolean = { type: 'boolean', default: false } as const;
  const only = { type: 'string', default: '' } as const;
  try {
    return parseArgs({ options: { only, list: boolean, json: boolean, require: boolean, help: boolean } }).values;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function select(only: string): Cell[] {
  const words = only.toLowerCase().split(/\s+/);
  return matrix().filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
}

async function run(cells: readonly Cell[], json: boolean, requireAll: boolean): Promise<number> {
  const report = new Report(json);
  if (scratchFolder === undefined) {
    const namespace = probeNamespace();
    if (namespace.possible) {
      if (!installOpponents()) console.error('the npm packages of others could not be installed');
      return runInside(namespace.words);
    }
    for (const { name } of cells) report.tell({ cell: name, result: 'skipped', seconds: 0, reason: namespace.reason });
  } else {
    bringUpLoopback();
    bringUpWebRtcLink();
    await runCells(cells, scratchFolder, (outcome) => report.tell(outcome));
  }
  return report.end(!requireAll) ? 0 : 1;
}
