// WebTorrent peers of several trackers in Redis or Valkey: who is drawn for whom, and the inbox through which one node
// hands offers and answers to another. Knows what is asked, not what is in a batch. docs/decisions/0014.
import { setTimeout as pause } from 'node:timers/promises';
import type { NodeId, RemoteMember, RemoteMemberAnswer, SignalHandover } from '@shoal/tracker';
import { Command } from 'ioredis';
import type { Connection } from './connection.ts';
import { functionNames } from './function-library.ts';
import { handoverIn, memberAnswerIn } from './replies.ts';

/** What the store is to those who ask it. */
export interface StoreCalls {
  /** A connection of its own, for who waits on it. */
  readonly connect: () => Connection;
  /** The reply of a function. @throws TrackerRedisError */
  readonly call: (name: string, key: string, words: readonly (Buffer | string)[]) => Promise<unknown>;
  readonly swarmKey: (infoHash: Uint8Array) => string;
  readonly keyPrefix: string;
  /** How long other peers live, as a word: seconds. */
  readonly lifetime: () => string;
  /** The second it is, as a word; nothing leaves it to the store. */
  readonly second: () => string;
  readonly seed: () => string;
}

/** How long one look into an inbox waits for something, in seconds: half of what a connection may be silent. */
const waitSeconds = '0.5';

/** Elements taken at once: sixteen batches, each with its time. */
const takenAtOnce = '32';

/** Between a look that failed and the next, in ms. */
const pauseMs = 250;

/** The WebTorrent peers of a store. */
export class RedisSignalling {
  readonly #calls: StoreCalls;

  constructor(calls: StoreCalls) {
    this.#calls = calls;
  }

  /** Records a member, or takes it out, and draws others for it. The bytes are copied before this returns. @throws TrackerRedisError */
  async announce(member: RemoteMember): Promise<RemoteMemberAnswer> {
    const { call, swarmKey, lifetime, second, seed } = this.#calls;
    const words = [
      Buffer.from(member.name),
      member.seeding ? '1' : '0',
      member.leaving ? '1' : '0',
      String(member.want),
      String(Math.max(1, Math.ceil(member.lifetimeMs / 1000))),
      lifetime(),
      seed(),
      second(),
    ];
    return memberAnswerIn(await call(functionNames.signal, swarmKey(member.infoHash), words));
  }

  /** Puts a batch, whose bytes are the store's from now on, into the inbox of a node. @throws TrackerRedisError */
  async hand(node: NodeId, batch: Uint8Array): Promise<SignalHandover> {
    const bytes = Buffer.from(batch.buffer, batch.byteOffset, batch.length);
    return handoverIn(await this.#calls.call(functionNames.hand, this.#inboxOf(node), [bytes, this.#calls.second()]));
  }

  /** Gives every batch that is put into the inbox of `node` to `take`, over a connection of its own, until disposed. */
  listen(node: NodeId, take: (batch: Uint8Array) => void): Disposable {
    const connection = this.#calls.connect();
    // It connects again by itself; whoever asks the store hears of trouble.
    connection.on('error', () => {});
    const over = new AbortController();
    void follow(connection, this.#inboxOf(node), take, over.signal);
    return {
      [Symbol.dispose](): void {
        over.abort();
        connection.disconnect();
      },
    };
  }

  #inboxOf(node: NodeId): string {
    return `${this.#calls.keyPrefix}node:${Buffer.from(node, 'latin1').toString('hex')}`;
  }
}

async function follow(
  connection: Connection,
  inbox: string,
  take: (batch: Uint8Array) => void,
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    try {
      for (const batch of await nextOf(connection, inbox)) take(batch);
    } catch {
      // A store that is away, or a part of it: looking again is all there is to do.
      await pause(pauseMs, undefined, { signal: over, ref: false }).catch(() => {});
    }
  }
}

/** What has come into an inbox, in order; nothing after a while in which nothing came. */
async function nextOf(connection: Connection, inbox: string): Promise<Uint8Array[]> {
  const words = [waitSeconds, '1', inbox, 'LEFT', 'COUNT', takenAtOnce];
  // Not with the calls of the moment: it waits.
  const command = new Command('blmpop', words, { replyEncoding: null });
  await connection.sendCommand(command);
  const reply: unknown = await command.promise;
  const elements: unknown = Array.isArray(reply) ? reply[1] : [];
  if (!Array.isArray(elements)) throw new Error('the reply has no batches');
  return elements.filter((element, at): element is Uint8Array => at % 2 === 1 && element instanceof Uint8Array);
}
