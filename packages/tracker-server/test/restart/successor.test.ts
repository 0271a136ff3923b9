import { type ChildProcess, spawn } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { MemoryStore, PeerSample } from '@shoal/tracker';
import { type Legacy, Predecessor, Successor } from '@shoal/tracker-server';

const clock = (): number => 1e9 + performance.now();

/** A process that runs a program of a line or two, with the channel of a successor. */
function started(program: string): ChildProcess {
  return spawn(process.execPath, ['-e', program], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
  });
}

function announce(store: MemoryStore, peer: number): void {
  const address = Uint8Array.of(10, 0, peer >>> 8, peer);
  const who = {
    infoHash: new Uint8Array(20),
    address,
    port: 6881,
    peerId: new Uint8Array(20),
    key: 0,
    formerly: undefined,
  };
  const role = { seeding: false, partial: false, leaving: false, listing: 'public' } as const;
  const answer = { want: 0, families: 'own', withPeerIds: false, since: undefined } as const;
  store.announce({ ...who, ...role, ...answer }, new PeerSample(1), clock());
}

function legacy(store?: MemoryStore): Legacy {
  const state = { clockZero: 0, connectionSecret: new Uint8Array(8).fill(1), trackerIdKey: new Uint8Array(16).fill(2) };
  return { state, store, clock, descriptors: [], socket: () => undefined };
}

describe('a successor', () => {
  test('that ends before it serves is told as the reason, and nothing else happens', async () => {
    expect(await new Successor(started('process.exit(3)'), legacy()).outcome).toBe('it ended with code 3');
    expect(await new Successor(started('process.kill(process.pid, "SIGKILL")'), legacy()).outcome).toBe(
      'it ended with SIGKILL',
    );
  });

  test('that cannot be started is told as the reason', async () => {
    const child = spawn('/nowhere/at/all', [], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    expect(await new Successor(child, legacy()).outcome).toContain('ENOENT');
  });

  test('that is given up on ends', async () => {
    const successor = new Successor(started('setInterval(() => {}, 1000)'), legacy());
    successor.abort();
    expect(await successor.outcome).toBe('it ended with SIGKILL');
  });

  test('gets the swarms, then what happens to them until it is let go, and serves when it says so', async () => {
    const store = new MemoryStore({ random: Math.random });
    for (let peer = 0; peer < 3000; peer++) announce(store, peer);
    // It sends back what it got, as an exit code: how many entries of 55 bytes, in thousands, once it was let go.
    const program = `
      let bytes = 0;
      process.on('message', (message) => {
        if (message.tell === 'entries') bytes += message.entries.length;
        if (message.tell === 'caught-up') process.send({ tell: 'serving' });
      });
      process.on('disconnect', () => process.exit(bytes === 55 * 4000 ? 40 : 1));
      process.send({ ask: 'swarms' });`;
    const child = started(program);
    const successor = new Successor(child, legacy(store));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    expect(await successor.outcome).toBe(undefined);
    for (let peer = 3000; peer < 4000; peer++) announce(store, peer);
    await successor.release();
    expect(await ended).toBe(40);
  });
});

describe('a predecessor', () => {
  /** A channel whose other end is written here. */
  class Channel {
    readonly told: unknown[] = [];
    message: (message: unknown, handle: unknown) => void = () => {};
    disconnected: () => void = () => {};
    send(message: unknown): boolean {
      this.told.push(message);
      return true;
    }
    on(event: 'message' | 'disconnect', listener: (...values: never[]) => void): void {
      if (event === 'message') this.message = listener as typeof this.message;
      else this.disconnected = listener as typeof this.disconnected;
    }
  }

  test('that speaks another version gives nothing', async () => {
    const channel = new Channel();
    const state = new Predecessor(channel).state();
    channel.message({ tell: 'state', version: 99, state: {} }, undefined);
    expect(await state).toBe(undefined);
    expect(channel.told).toEqual([{ ask: 'state', version: 1 }]);
  });

  test('that is gone leaves everything to its successor', async () => {
    const channel = new Channel();
    const predecessor = new Predecessor(channel);
    const asked = [
      predecessor.state(),
      predecessor.swarms(new MemoryStore({ random: Math.random }), clock),
      predecessor.socket('http', '::', 1),
    ];
    channel.disconnected();
    expect(await Promise.all(asked)).toEqual([undefined, false, undefined]);
    expect(await predecessor.socket('udp', '::', 1)).toBe(undefined);
  });
});
