import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { geometryOf } from '@shoal/pieces';
import { expect, test } from 'vitest';
import { FileStorage, ResumeJournal } from '../src/index.ts';
import { contentOf, killFiles, killPieceLength } from './resume-kill-content.ts';
import { scratchDirectory } from './scratch.ts';

const fileLengths = killFiles.map((file) => file.length);
const totalLength = fileLengths.reduce((sum, length) => sum + length, 0);
const geometry = geometryOf(totalLength, killPieceLength);

interface Run {
  readonly had: ReadonlySet<number>;
  readonly doubt: number;
  readonly reported: readonly number[];
}

/** Runs the download until it has reported so many pieces, then kills it. */
async function killedAfter(count: number, directory: string, journalPath: string): Promise<Run> {
  const script = path.join(import.meta.dirname, 'resume-kill-child.ts');
  const child = spawn(process.execPath, [script, directory, journalPath], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => void child.once('close', () => resolve()));
  let start: { had: number[]; doubt: number } | undefined;
  const reported: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (start === undefined) start = JSON.parse(line);
    else reported.push(Number(line));
    if (reported.length === count) child.kill('SIGKILL');
  }
  await ended;
  expect(start).toBeDefined();
  return { had: new Set(start!.had), doubt: start!.doubt, reported };
}

test('a download that is killed again and again loses a few MiB each time, is never checked, and all it trusts is right', async () => {
  const directory = await scratchDirectory();
  const journalPath = path.join(directory, 'journal');
  let expected = new Set<number>();
  let runs = 0;
  for (const kill of [1, 40, 70, 3, 55, Number.POSITIVE_INFINITY]) {
    const run = await killedAfter(kill, directory, journalPath);
    const lost = [...expected].filter((piece) => !run.had.has(piece));
    // What was being appended, and as much that waited for its turn.
    expect(lost.length * killPieceLength).toBeLessThanOrEqual(2 * 8_388_608);
    expect(run.doubt).toBe(0);
    expected = new Set([...run.had, ...run.reported]);
    runs += 1;
  }
  expect(runs).toBe(6);
  await using storage = await FileStorage.open({ directory, files: killFiles });
  const infoHash = new Uint8Array(20);
  await using journal = await ResumeJournal.open({ path: journalPath, infoHash, geometry, fileLengths, storage });
  expect([journal.found, journal.have.isFull, journal.reasons]).toEqual(['clean', true, []]);
  for (let piece = 0; piece < geometry.pieceCount; piece += 1) {
    const content = contentOf(piece, totalLength);
    const read = new Uint8Array(content.length);
    await storage.read(piece * killPieceLength, [read]);
    expect(Buffer.compare(read, content)).toBe(0);
  }
});
