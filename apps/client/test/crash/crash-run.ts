// One download that is killed again and again until it is complete, and what that cost: the seeder counts what it sent.
import { readdir, stat, truncate } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ClientProcess, type ClientEvent } from './client-process.ts';
import { firstDifference, type Subject } from './subject.ts';

/**
 * `start`: within 200 ms of its start, often before it listens. `middle`: at any piece. `check`: while it checks what is
 * there, for which it runs without notes. `torn`: at any piece, and the journal loses its last bytes. `late`: at one of
 * the last pieces.
 */
export type KillKind = 'start' | 'middle' | 'check' | 'torn' | 'late';

export interface CrashReport {
  readonly kills: readonly KillKind[];
  /** Sent by the seeder beyond the length of the content. */
  readonly againBytes: number;
  /**
   * Of that, the most that one kill cost; where a start was killed before it told what it has, the mean of such kills.
   * Without those after which the journal was torn: that costs what the torn record said, and no kill does it.
   */
  readonly mostPerKill: number;
  /** The most that was told to be verified before a kill and was not trusted after it; without torn journals too. */
  readonly mostVerifiedLost: number;
  readonly seconds: number;
}

export interface CrashRunOptions {
  readonly subject: Subject;
  /** A folder of its own. */
  readonly folder: string;
  readonly kills: readonly KillKind[];
  readonly random: () => number;
}

const startMs = 200;
/** A check of all content takes about that long. */
const checkMs = 300;
const latePieces = 6;
/** A journal's records are about as long: mostly one is cut in two. */
const tornBytes = 40;
const loopback = ['--port', '0', '--bind', '127.0.0.1', '--interval-ms', '20'];

/** A seeder, so slow that a download takes a while. */
export async function startSeeder(subject: Subject, rate: string, stateHome: string): Promise<ClientProcess> {
  const words = ['seed', subject.torrent, '-d', subject.folder, ...loopback, '--upload-limit', rate];
  const seeder = new ClientProcess(words, stateHome);
  await seeder.event('added');
  return seeder;
}

/** @throws Error when it does not end complete and equal to what is seeded, or checks more than a crash explains. */
export async function crashRun(options: CrashRunOptions, seeder: ClientProcess): Promise<CrashReport> {
  const startedAt = performance.now();
  const run = new CrashRun(options, seeder);
  const report = await run.perform();
  return { ...report, seconds: (performance.now() - startedAt) / 1000 };
}

class CrashRun {
  readonly #options: CrashRunOptions;
  readonly #seeder: ClientProcess;
  readonly #words: readonly string[];
  readonly #directory: string;
  readonly #stateHome: string;
  readonly #done: KillKind[] = [];
  /** Sent before this run. */
  #sentBefore = 0;
  /** Of the last moment when it was known what there is: what had been sent too much, and kills since. */
  #againThen = 0;
  #killsSince = 0;
  #isTorn = false;
  #mostPerKill = 0;
  #verified = 0;
  #mostVerifiedLost = 0;

  constructor(options: CrashRunOptions, seeder: ClientProcess) {
    const { subject, folder } = options;
    this.#options = options;
    this.#seeder = seeder;
    this.#directory = path.join(folder, 'content');
    this.#stateHome = path.join(folder, 'state');
    const peer = `127.0.0.1:${String(seeder.last('listening')?.['port'])}`;
    this.#words = ['download', subject.torrent, '-d', this.#directory, ...loopback, '--peer', peer];
  }

  async perform(): Promise<Omit<CrashReport, 'seconds'>> {
    const { subject, kills } = this.#options;
    const { totalLength } = subject.metainfo.geometry;
    this.#sentBefore = await this.#sent();
    for (const kind of kills) if (!(await this.#attempt(kind))) break;
    await this.#complete();
    const againBytes = (await this.#sent()) - this.#sentBefore - totalLength;
    this.#account(againBytes);
    const different = await firstDifference(subject, this.#directory);
    if (different !== undefined) throw new Error(`${different} is not what was seeded, after ${this.#done.join(', ')}`);
    await this.#confirmRest();
    return {
      kills: this.#done,
      againBytes,
      mostPerKill: this.#mostPerKill,
      mostVerifiedLost: this.#mostVerifiedLost,
    };
  }

  /** True when it was killed; false when it was complete before. */
  async #attempt(kind: KillKind): Promise<boolean> {
    const { random } = this.#options;
    const sent = (await this.#sent()) - this.#sentBefore;
    await using client = this.#start(kind === 'check' ? ['--no-resume'] : []);
    const added = client.event('added').catch(() => undefined);
    const isComplete = await this.#moment(kind, client, random);
    if (isComplete) {
      await client.ended();
      this.#requireSuccess(client);
    } else await client.kill();
    this.#noteStart(await added, sent);
    this.#verified = this.#bytesOf(client.last('progress')) ?? this.#verified;
    if (isComplete) return false;
    this.#done.push(kind);
    this.#killsSince += 1;
    if (kind === 'torn') await this.#tear();
    return true;
  }

  /** Waits for the moment to kill; true when it was complete before that came. */
  async #moment(kind: KillKind, client: ClientProcess, random: () => number): Promise<boolean> {
    if (kind === 'start') {
      await delay(random() * startMs);
      return false;
    }
    const { pieceCount } = this.#options.subject.metainfo.geometry;
    const first = await client.event('added');
    const have = Number(first['havePieces']);
    if (kind === 'check' && Number(first['checkingPieces']) > 0) {
      await delay(random() * checkMs);
      return false;
    }
    const until = kind === 'late' ? pieceCount - latePieces : have + (pieceCount - have) * random() * 0.7;
    const isThere = (event: ClientEvent): boolean => event.event === 'progress' && Number(event['havePieces']) >= until;
    const event = await client.next((found) => found.event === 'completed' || isThere(found));
    return event === undefined || event.event === 'completed';
  }

  async #complete(): Promise<void> {
    const sent = (await this.#sent()) - this.#sentBefore;
    await using client = this.#start([]);
    await client.ended();
    this.#requireSuccess(client);
    this.#noteStart(client.last('added'), sent);
  }

  /** After a clean end nothing is fetched and nothing is checked. */
  async #confirmRest(): Promise<void> {
    await using client = this.#start([]);
    await client.ended();
    this.#requireSuccess(client);
    const { havePieces, pieces, checkingPieces } = await client.event('added');
    if (havePieces !== pieces || checkingPieces !== 0) throw new Error('what was complete is not trusted any more');
  }

  #start(words: readonly string[]): ClientProcess {
    return new ClientProcess([...this.#words, ...words], this.#stateHome);
  }

  #requireSuccess(client: ClientProcess): void {
    if (client.exitCode !== 0)
      throw new Error(`the client ended with ${client.exitCode} after ${this.#done.join(', ')}: ${client.stderr}`);
  }

  /** What a start trusts tells what the kills before it cost; where something is still in doubt, a later start tells. */
  #noteStart(added: ClientEvent | undefined, sent: number): void {
    const trusted = this.#bytesOf(added);
    if (trusted === undefined || added?.['checkingPieces'] !== 0) return;
    if (!this.#isTorn) this.#mostVerifiedLost = Math.max(this.#mostVerifiedLost, this.#verified - trusted);
    this.#account(sent - trusted);
  }

  /** `again`: bytes that were sent in vain so far. */
  #account(again: number): void {
    if (this.#killsSince > 0 && !this.#isTorn)
      this.#mostPerKill = Math.max(this.#mostPerKill, (again - this.#againThen) / this.#killsSince);
    this.#againThen = again;
    this.#killsSince = 0;
    this.#isTorn = false;
  }

  #bytesOf(event: ClientEvent | undefined): number | undefined {
    if (event === undefined) return undefined;
    const { totalLength, pieceLength } = this.#options.subject.metainfo.geometry;
    return Math.min(totalLength, Number(event['havePieces']) * pieceLength);
  }

  /** What the seeder has sent by now, once it knows that nobody is there any more. */
  async #sent(): Promise<number> {
    const event = await this.#seeder.next(({ event, peers }) => event === 'progress' && peers === 0);
    if (event === undefined) throw new Error(`the seeder has ended: ${this.#seeder.stderr}`);
    return Number(event['uploadedBytes']);
  }

  async #tear(): Promise<void> {
    this.#isTorn = true;
    const folder = path.join(this.#stateHome, 'shoal', 'resume');
    const random = this.#options.random();
    for (const name of await readdir(folder).catch(() => [])) {
      const { size } = await stat(path.join(folder, name));
      await truncate(path.join(folder, name), Math.max(0, size - 1 - Math.floor(random * tornBytes)));
    }
  }
}
