// Where a run keeps its torrent and the downloaders' copies: a temporary folder that goes with the run, or one that the
// user keeps. Never deletes what it did not make.
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, realpath, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Content, isBelow } from './content.ts';
import { LabError } from './exit-codes.ts';
import { formatBytes } from './render/text.ts';

/** Says that a folder is the lab's, so that the next run may clear it. */
const marker = '.shoal-lab';
const peerFolder = /^peer-\d+$/;
const torrentName = 'swarm.torrent';
const eventsName = 'events.jsonl';
const resultName = 'run.json';

export class LabFolder {
  readonly path: string;
  readonly isKept: boolean;

  private constructor(folder: string, isKept: boolean) {
    this.path = folder;
    this.isKept = isKept;
  }

  /** @throws LabError `configuration`, `disk`. */
  static async open(kept: string | undefined, content: Content): Promise<LabFolder> {
    try {
      return kept === undefined ? await temporary(content) : await ours(path.resolve(kept), content);
    } catch (error) {
      if (error instanceof LabError) throw error;
      throw new LabError('disk', `cannot use ${kept ?? tmpdir()}: ${messageOf(error)}`, { cause: error });
    }

    async function temporary({ path: shared }: Content): Promise<LabFolder> {
      const place = await realpath(tmpdir());
      if (isBelow(place, shared))
        throw new LabError(
          'configuration',
          `the temporary folder ${place} is part of ${shared}; name one elsewhere with --keep`,
        );
      return new LabFolder(await mkdtemp(path.join(place, 'shoal-lab-')), false);
    }

    async function ours(folder: string, { path: shared }: Content): Promise<LabFolder> {
      await mkdir(folder, { recursive: true });
      const place = await realpath(folder);
      if (isBelow(place, shared) || isBelow(shared, place))
        throw new LabError(
          'configuration',
          `--keep ${folder} and ${shared}, which is shared, overlap; name another folder`,
        );
      const names = await readdir(place);
      if (names.length > 0 && !names.includes(marker))
        throw new LabError(
          'configuration',
          `--keep ${folder} holds something that no run of the lab made; name an empty or a new folder`,
        );
      await writeFile(
        path.join(place, marker),
        'Made by shoal-lab: the next run into this folder replaces what the last one left.\n',
      );
      const left = names.filter(
        (name) => peerFolder.test(name) || [torrentName, eventsName, resultName].includes(name),
      );
      await Promise.all(left.map((name) => rm(path.join(place, name), { recursive: true })));
      return new LabFolder(place, true);
    }
  }

  get torrent(): string {
    return path.join(this.path, torrentName);
  }

  /** Every event of the run, a line each. */
  get events(): string {
    return path.join(this.path, eventsName);
  }

  /** The run's result. */
  get result(): string {
    return path.join(this.path, resultName);
  }

  peer(number: number): string {
    return path.join(this.path, `peer-${number}`);
  }

  /** @throws LabError `disk` when `bytes` do not fit. */
  async requireSpace(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.path);
    const free = bavail * bsize;
    if (free >= bytes) return;
    const advice = this.isKept ? 'name a folder on another disk' : 'name a folder on another disk with --keep';
    throw new LabError(
      'disk',
      `the copies need ${formatBytes(bytes)}, ${this.path} has ${formatBytes(free)} free: fewer --peers, or ${advice}`,
    );
  }

  /** What is temporary goes, at once: the process may be on its way out. */
  close(): void {
    if (!this.isKept) rmSync(this.path, { recursive: true, force: true });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
