// The command as a process of its own, over real sockets, ended by real signals.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { decode } from '@shoal/bencode';
import { percentEncode } from '@shoal/tracker-protocol';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** Most of what a process does here is to compile itself; compiled code is shared between runs. */
const NODE_COMPILE_CACHE = fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url));

/** A running command. */
export class Run implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #logged: AsyncIterator<string>;
  #stderr = '';

  constructor(...words: string[]) {
    const env = { ...process.env, NODE_COMPILE_CACHE };
    this.child = spawn(process.execPath, [main, ...words], { stdio: ['ignore', 'pipe', 'pipe'], env });
    this.#lines = createInterface(this.child.stdout!)[Symbol.asyncIterator]();
    this.child.stderr!.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    this.#logged = createInterface(this.child.stderr!)[Symbol.asyncIterator]();
  }

  /** The next line of stdout. */
  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`no more output: ${this.#stderr}`);
    return value;
  }

  async event(): Promise<Record<string, unknown>> {
    return JSON.parse(await this.line()) as Record<string, unknown>;
  }

  /** The next line of stderr that contains `words`; those before it are passed over. */
  async logged(words: string): Promise<string> {
    for (;;) {
      const { value, done } = await this.#logged.next();
      if (done === true) throw new Error(`not logged: ${words}; but: ${this.#stderr}`);
      if (value.includes(words)) return value;
    }
  }

  /** Exit code or signal, and what it wrote to stderr. */
  async end(signal?: NodeJS.Signals): Promise<{ code: unknown; stderr: string }> {
    const closed = this.child.exitCode === null ? once(this.child, 'close') : Promise.resolve([this.child.exitCode]);
    if (signal !== undefined) this.child.kill(signal);
    const [code] = await closed;
    return { code, stderr: this.#stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.end('SIGKILL');
  }
}

/** Everything a stream says until it ends. */
export async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

/** Announces over HTTP and gives the answer. */
export async function announce(
  url: unknown,
  infoHash: Uint8Array,
  left: number,
): Promise<ReadonlyMap<string, unknown>> {
  const query = `info_hash=${percentEncode(infoHash)}&peer_id=${'p'.repeat(20)}&port=6881&uploaded=0&downloaded=0&left=${left}`;
  const response = await fetch(`${String(url)}/announce?${query}`);
  return decode(new Uint8Array(await response.arrayBuffer())) as ReadonlyMap<string, unknown>;
}
