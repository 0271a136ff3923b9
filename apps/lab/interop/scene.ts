// Where one cell of the matrix plays: a scratch folder, addresses, programs and a time limit. It ends everything it started.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { addressOf, publicAddressOf } from './namespace.ts';
import { Program } from './program.ts';

/** No cell needs more. */
export const addressesPerScene = 8;

/** Every client listens here, each at an address of its own. */
export const peerPort = 6881;

export interface SceneOptions {
  /** A folder of its own, made here. */
  readonly directory: string;
  /** The contents to move; read only. */
  readonly originals: string;
  /** Which net of `addressOf` its addresses are of. */
  readonly net: number;
  /** Aborted when the time is over. */
  readonly limit: AbortSignal;
}

export class Scene implements AsyncDisposable {
  readonly directory: string;
  readonly originals: string;
  /** Aborted when the time is over or the scene ends. */
  readonly signal: AbortSignal;
  readonly programs: Program[] = [];
  readonly #net: number;
  readonly #ending: AbortController = new AbortController();
  #addresses = 0;

  private constructor({ directory, originals, net, limit }: SceneOptions) {
    this.directory = directory;
    this.originals = originals;
    this.#net = net;
    this.signal = AbortSignal.any([limit, this.#ending.signal]);
  }

  static async open(options: SceneOptions): Promise<Scene> {
    await mkdir(options.directory, { recursive: true });
    return new Scene(options);
  }

  /** An address that nobody else has. */
  address(): string {
    return addressOf(this.#net, this.#nextHost());
  }

  /** The same of a public network. */
  publicAddress(): string {
    return publicAddressOf(this.#net, this.#nextHost());
  }

  /** Makes a folder of that name in the scratch folder. */
  async folder(name: string): Promise<string> {
    const path = join(this.directory, name);
    await mkdir(path, { recursive: true });
    return path;
  }

  /** Starts a program in a home of its own, so that nobody's settings take part. */
  async spawn(name: string, ...words: readonly string[]): Promise<Program> {
    const directory = await this.folder(`home of ${name}`);
    // Whoever comes late, after the time limit, starts nothing that nobody would stop.
    this.signal.throwIfAborted();
    const environment = { PATH: process.env['PATH'] ?? '', HOME: directory, LC_ALL: 'C.UTF-8', NO_COLOR: '1' };
    const program = new Program({ name, words, directory, environment });
    this.programs.push(program);
    return program;
  }

  /** Asks again and again until the answer is not undefined, for programs that tell only when asked. */
  async asked<T>(question: () => Promise<T | undefined>): Promise<T> {
    for (;;) {
      const answer = await question();
      if (answer !== undefined) return answer;
      await pause(100, undefined, { signal: this.signal });
    }
  }

  async removeFiles(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  #nextHost(): number {
    this.#addresses += 1;
    if (this.#addresses > addressesPerScene) throw new RangeError(`a scene has ${addressesPerScene} addresses`);
    return this.#addresses;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.programs.map((program) => program.stop()));
  }
}
