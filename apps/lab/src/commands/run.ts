// `shoal-lab run`: a complete swarm from an empty folder to compared copies, and what it came to.
import { createWriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { parseMetainfo } from '@shoal/metainfo';
import type { AppEvent } from '../app-process.ts';
import { Comparison, expectedTree, treeOf } from '../comparison.ts';
import { type Content, contentAt } from '../content.ts';
import { type ExitName, LabError } from '../exit-codes.ts';
import { LabFolder } from '../lab-folder.ts';
import type { Output } from '../output.ts';
import { resultOf, type RunResult, type SharedContent } from '../picture.ts';
import { titleOf } from '../render/live.ts';
import { summaryLines } from '../render/summary.ts';
import { onStop } from '../signals.ts';
import { copyOf, Swarm } from '../swarm.ts';

export interface RunOptions {
  /** Downloaders. */
  readonly peers: number;
  readonly pieceLength: number | undefined;
  readonly keep: string | undefined;
  /** Seconds. */
  readonly timeout: number;
}

/** The apps tell their progress this often, in ms. */
const pictureIntervalMs = 250;
/** Differences told of each copy. */
const mostDifferences = 10;

export async function run(place: string | undefined, options: RunOptions, output: Output): Promise<ExitName> {
  const stop = onStop();
  try {
    const content = await contentAt(place ?? process.execPath);
    const folder = await LabFolder.open(options.keep, content);
    const remove = (): void => folder.close();
    process.on('exit', remove);
    const result = await runIn(folder, content, options, output, stop.signal);
    output.result(result);
    output.data(['', ...summaryLines(result), ...(folder.isKept ? [`kept              ${folder.path}`] : [])]);
    return result.ok ? 'ok' : 'verification-failed';
  } catch (error) {
    const failure = failureOf(error, stop.by());
    output.result({ ok: false, error: { code: failure.exit, message: failure.message } });
    throw failure;
  }
}

async function runIn(
  folder: LabFolder,
  content: Content,
  options: RunOptions,
  output: Output,
  signal: AbortSignal,
): Promise<RunResult> {
  const clock = (): number => performance.now();
  const startedAt = clock();
  const journal = folder.isKept ? createWriteStream(folder.events) : undefined;
  const tell = (event: AppEvent): void => {
    const line = { ms: Math.round(clock() - startedAt), ...event };
    output.event(line);
    journal?.write(`${JSON.stringify(line)}\n`);
  };
  let timer: NodeJS.Timeout | undefined;
  try {
    await using swarm = new Swarm({
      ...options,
      content,
      folder,
      clock,
      signal,
      onEvent: (process, event) => tell({ process, ...event }),
      onComplaint: (process, line) => (process === 'create' ? output.info(line) : output.detail(`${process}: ${line}`)),
    });
    const draw = (): void => output.progress(() => swarm.picture(), clock());
    timer = setInterval(draw, pictureIntervalMs);
    const shared = await swarm.prepare();
    output.caption(`${titleOf(shared)}, ${options.peers} downloaders`);
    await swarm.download(options.timeout);
    draw();
    await swarm.stop();
    swarm.phase = 'comparing';
    const verified = await compare(swarm, shared, content, folder, options.peers, output, signal);
    swarm.phase = 'done';
    const result = resultOf(swarm.picture(), shared, verified);
    draw();
    if (folder.isKept) await writeFile(folder.result, `${JSON.stringify(result, null, 2)}\n`);
    return result;
  } finally {
    clearInterval(timer);
    output.endProgress();
    journal?.end();
    if (journal !== undefined) await finished(journal);
  }
}

/** Whether each copy is the original. */
async function compare(
  swarm: Swarm,
  { name }: SharedContent,
  content: Content,
  folder: LabFolder,
  peers: number,
  output: Output,
  signal: AbortSignal,
): Promise<boolean[]> {
  const { files } = parseMetainfo(await readFile(folder.torrent));
  const below = (elements: readonly string[]): string => elements.slice(1).join('/');
  const renamed = new Map(files.map((file) => [below(file.originalPath), below(file.path)]));
  const leftOut = swarm.leftOut.map((entry) => entry.path);
  const comparison = new Comparison(expectedTree(await treeOf(content.path), leftOut, renamed), signal);
  const verified: boolean[] = [];
  for (let peer = 1; peer <= peers; peer++) {
    const copy = await treeOf(copyOf(folder, peer, name));
    const differences = await comparison.differences(copy, mostDifferences);
    for (const { path: place, what } of differences)
      output.info(`peer-${peer}: ${path.join(name, place)}: ${what === 'content' ? 'its SHA-256 differs' : what}`);
    verified.push(differences.length === 0);
  }
  return verified;
}

function failureOf(error: unknown, by: 'interrupted' | 'terminated' | undefined): LabError {
  if (by !== undefined) return new LabError(by, 'the run was stopped; nothing is left running', { cause: error });
  if (error instanceof LabError) return error;
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new LabError('other', message, { cause: error });
}
