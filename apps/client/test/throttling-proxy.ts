// A TCP proxy between downloader and seeder that lets the content through slowly or only so far: what makes "half-way" a
// place where a test can stop and look.
import net from 'node:net';
import { onTestFinished } from 'vitest';
import { listenOn, type Address } from './raw-peer.ts';

export interface ThrottleOptions {
  /** Bytes let through from the target, over all connections, until `open` is called. Default: no limit. */
  readonly limitBytes?: number;
  /** Of the target's bytes, over all connections. Default: as fast as it goes. */
  readonly bytesPerSecond?: number;
  /** Where to listen. Default 127.0.0.1. */
  readonly host?: string;
}

/** The allowance is given out this often. */
const tickMs = 20;

export class ThrottlingProxy {
  readonly address: Address;
  readonly #waiting = new Set<() => void>();
  #leftBytes: number;
  #allowance = Infinity;

  private constructor(address: Address, limitBytes: number) {
    this.address = address;
    this.#leftBytes = limitBytes;
  }

  static async start(target: Address, options: ThrottleOptions = {}): Promise<ThrottlingProxy> {
    const { limitBytes = Infinity, bytesPerSecond, host = '127.0.0.1' } = options;
    const late: { serve?: (near: net.Socket) => void } = {};
    const address = await listenOn(host, (near) => late.serve?.(near));
    const proxy = new ThrottlingProxy(address, limitBytes);
    late.serve = (near) => proxy.#serve(near, target);
    if (bytesPerSecond !== undefined) proxy.#ration((bytesPerSecond * tickMs) / 1000);
    return proxy;
  }

  /** `HOST:PORT` for `--peer`. */
  get peer(): string {
    return `${this.address.host}:${this.address.port}`;
  }

  /** Lets everything through from now on. */
  open(): void {
    this.#leftBytes = Infinity;
    this.#allowance = Infinity;
    this.#wake();
  }

  #ration(bytes: number): void {
    this.#allowance = 0;
    const timer = setInterval(() => {
      this.#allowance = Math.min(this.#allowance + bytes, 4 * bytes);
      this.#wake();
    }, tickMs);
    onTestFinished(() => clearInterval(timer));
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const pass of waiting) pass();
  }

  #serve(near: net.Socket, target: Address): void {
    const far = net.connect(target.port, target.host);
    let held = Buffer.alloc(0);
    const pass = (): void => {
      const length = Math.max(0, Math.floor(Math.min(held.length, this.#leftBytes, this.#allowance)));
      this.#leftBytes -= length;
      this.#allowance -= length;
      if (length > 0) near.write(held.subarray(0, length));
      held = held.subarray(length);
      if (held.length === 0) far.resume();
      else this.#waiting.add(pass);
    };
    far.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      far.pause();
      pass();
    });
    near.on('data', (chunk: Buffer) => far.write(chunk));
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      socket.on('error', () => {});
      socket.on('close', () => other.destroy());
    }
  }
}
