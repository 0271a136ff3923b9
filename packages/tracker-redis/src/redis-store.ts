// Swarms in Redis or Valkey: one function call per announce, the calls of a moment in one round trip per node.
// Decides how a store is asked and what its errors mean; what it does is in function-library.ts. Knows no policy.
import type { RemoteAnswer, StoreAnnounce, StoreTotals } from '@shoal/tracker';
import type { ScrapeCounts } from '@shoal/tracker-protocol';
import { Cluster, Command, type Redis } from 'ioredis';
import { type Connection, connect } from './connection.ts';
import { TrackerRedisError, lacksFunctions, lacksRoom } from './errors.ts';
import { functionLibrary, functionNames } from './function-library.ts';
import { answerIn, countsIn } from './replies.ts';
import { RedisSignalling } from './signalling.ts';
import { swarmTotals } from './swarm-totals.ts';

export interface RedisStoreOptions {
  /** Uniform in [0, 1): seeds the draws. */
  readonly random: () => number;
  /**
   * How long a silent peer stays listed, in ms; whole seconds, at least one. Asked at every call, because it follows the
   * interval, and best the same in all trackers of a store. Default 45 minutes, as in opentracker.
   */
  readonly peerLifetimeMs?: () => number;
  /** Ports that one address may list in one swarm, at most 1,024. Default 256, as in the memory store. */
  readonly maxPeersPerAddress?: number;
  /** Begins every key. Default `shoal:`. */
  readonly keyPrefix?: string;
  /** Unix time in ms that all users of the store share. Default: the store's own clock. */
  readonly clock?: () => number;
}

const defaults = {
  peerLifetimeMs: () => 2_700_000,
  maxPeersPerAddress: 256,
  keyPrefix: 'shoal:',
} satisfies Partial<RedisStoreOptions>;

/** A store of swarms that several trackers share. */
export class RedisStore implements AsyncDisposable {
  /** WebTorrent peers of all trackers of the store. */
  readonly signalling: RedisSignalling;
  readonly #connection: Connection;
  readonly #random: () => number;
  readonly #lifetimeMs: () => number;
  readonly #ports: string;
  readonly #prefix: string;
  readonly #clock: (() => number) | undefined;
  #loading: Promise<void> | undefined;
  /** Why there is no connection. */
  #trouble: Error | undefined;
  #closed = false;

  /**
   * Begins to connect to a store: `redis://[user:password@]host[:port][/database]`, `rediss://…` over TLS,
   * `redis-cluster://host:port,host:port` or `rediss-cluster://…`. It may come and go; calls fail while it is away.
   * @throws TypeError for another URL; RangeError for a number of ports out of range
   */
  constructor(url: string, options: RedisStoreOptions) {
    const { random, peerLifetimeMs, maxPeersPerAddress, keyPrefix } = { ...defaults, ...options };
    if (!(maxPeersPerAddress >= 1 && maxPeersPerAddress <= 1024))
      throw new RangeError('maxPeersPerAddress must be 1 to 1024');
    this.#random = random;
    this.#lifetimeMs = peerLifetimeMs;
    this.#ports = String(maxPeersPerAddress);
    this.#prefix = keyPrefix;
    this.#clock = options.clock;
    this.#connection = connect(url);
    this.signalling = new RedisSignalling({
      connect: () => connect(url),
      call: async (name, key, words) => {
        try {
          return await this.#call(name, key, words);
        } catch (error) {
          throw this.#failure(error);
        }
      },
      swarmKey: (infoHash) => this.#keyOf(infoHash),
      keyPrefix,
      lifetime: () => this.#lifetime(),
      second: () => this.#second(),
      seed: () => this.#seed(),
    });
    // Each call hears of its own failure, and the client connects again by itself.
    this.#connection.on('error', (error: Error) => (this.#trouble = error));
    this.#connection.on('ready', () => (this.#trouble = undefined));
  }

  /** Records the announcer and draws peers for it. The bytes of `peer` are free again when this returns. @throws TrackerRedisError */
  async announce(peer: StoreAnnounce): Promise<RemoteAnswer> {
    const words = [
      recordOf(peer),
      peer.seeding ? '2' : peer.partial ? '1' : '0',
      peer.leaving ? '1' : '0',
      peer.listing === 'private' ? '1' : '0',
      String(peer.want),
      peer.families === 'both' ? '1' : '0',
      this.#lifetime(),
      this.#ports,
      this.#seed(),
      participantOf(peer),
      peer.formerly === undefined ? '' : recordOf(peer.formerly),
      this.#second(),
      Buffer.from(peer.peerId),
      peer.withPeerIds ? '1' : '0',
      peer.since === undefined ? '' : String(peer.since),
    ];
    const key = this.#keyOf(peer.infoHash);
    try {
      return answerIn(await this.#call(functionNames.announce, key, words));
    } catch (error) {
      if (!lacksRoom(error)) throw this.#failure(error);
      return this.#look(key, words);
    }
  }

  /** Counts for each hash, in order; undefined where nobody is. @throws TrackerRedisError */
  async counts(infoHashes: readonly Uint8Array[]): Promise<(ScrapeCounts | undefined)[]> {
    const words = [this.#lifetime(), this.#second()];
    const keys = infoHashes.map((infoHash) => this.#keyOf(infoHash));
    try {
      return (await Promise.all(keys.map((key) => this.#call(functionNames.counts, key, words)))).map(countsIn);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** What the store holds over all trackers, by walking over every swarm: seconds for a million. @throws TrackerRedisError */
  async totals(): Promise<StoreTotals> {
    const words = [this.#lifetime(), this.#second()];
    try {
      return await swarmTotals(this.#masters(), this.#prefix, (key) => this.#call(functionNames.counts, key, words));
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** Settles once the store is connected; never, while it cannot be. */
  async ready(): Promise<void> {
    if (this.#connection.status !== 'ready')
      await new Promise<void>((resolve) => this.#connection.once('ready', resolve));
  }

  /** Calls back each time the store is connected; at once, where it is. */
  onReady(listener: () => void): void {
    this.#connection.on('ready', listener);
    if (this.#connection.status === 'ready') listener();
  }

  /**
   * A secret that all trackers of the store share, such as the key of their tracker ids: what is kept there already, else
   * `offered` from now on. @throws TrackerRedisError
   */
  async sharedSecret(offered: Uint8Array): Promise<Uint8Array> {
    const key = `${this.#prefix}secret`;
    try {
      await this.#connection.set(key, Buffer.from(offered), 'NX');
      const kept = await this.#connection.getBuffer(key);
      return kept === null || kept.length !== offered.length ? offered : Uint8Array.from(kept);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** Ends the connections at once; calls under way fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#connection.disconnect();
  }

  /** The announce that a full store can still answer. */
  async #look(key: string, words: readonly (Buffer | string)[]): Promise<RemoteAnswer> {
    try {
      return answerIn(await this.#call(functionNames.look, key, words));
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** Calls a function: with the others of this moment, and once more by itself where that can help. */
  async #call(name: string, key: string, words: readonly (Buffer | string)[]): Promise<unknown> {
    try {
      return await this.#connection.fcallBuffer(name, 1, key, ...words);
    } catch (error) {
      if (this.#closed) throw error;
      if (lacksFunctions(error)) await this.#load();
      else if (!this.#mayBeElsewhere(error)) throw error;
    }
    // By itself, because in a pipeline the client follows no redirections.
    return this.#alone(name, key, words);
  }

  async #alone(name: string, key: string, words: readonly (Buffer | string)[]): Promise<unknown> {
    const command = new Command('fcall', [name, '1', key, ...words], { replyEncoding: null });
    await this.#connection.sendCommand(command);
    return command.promise;
  }

  /** Whether an error may be due to a picture of the cluster that is out of date; has it renewed then. */
  #mayBeElsewhere(error: unknown): boolean {
    if (!(this.#connection instanceof Cluster) || !(error instanceof Error)) return false;
    const isReply = error.name === 'ReplyError';
    if (isReply && !/^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN|READONLY) /.test(error.message)) return false;
    this.#connection.refreshSlotsCache();
    // The client finds out only then that the keys of a pipeline have got different masters meanwhile.
    return isReply || error.message.includes('same slots allocation group');
  }

  /** A call that was not even sent failed for the reason for which there is no connection. */
  #failure(error: unknown): TrackerRedisError {
    const isReply = error instanceof Error && error.name === 'ReplyError';
    return new TrackerRedisError(isReply ? error : (this.#trouble ?? error));
  }

  /** Loads the functions into every master; whoever needs them meanwhile waits for the same attempt. */
  #load(): Promise<void> {
    this.#loading ??= this.#loadAll().finally(() => (this.#loading = undefined));
    return this.#loading;
  }

  async #loadAll(): Promise<void> {
    const loads = this.#masters().map((node) => node.function('LOAD', 'REPLACE', functionLibrary));
    const results = await Promise.allSettled(loads);
    // One master that is down must not keep the others from serving.
    const failure = results.find((result) => result.status === 'rejected');
    if (failure !== undefined && results.every((result) => result.status === 'rejected')) throw failure.reason;
  }

  #masters(): Redis[] {
    return this.#connection instanceof Cluster ? this.#connection.nodes('master') : [this.#connection];
  }

  #lifetime(): string {
    return String(Math.max(1, Math.ceil(this.#lifetimeMs() / 1000)));
  }

  #second(): string {
    return this.#clock === undefined ? '' : String(Math.ceil(this.#clock() / 1000));
  }

  #seed(): string {
    return String(Math.floor(this.#random() * 0x7fff_ffff));
  }

  #keyOf(infoHash: Uint8Array): string {
    return this.#prefix + Buffer.from(infoHash).toString('hex');
  }
}

/** The compact record of an address (BEP 23, BEP 7). */
function recordOf({ address, port }: Pick<StoreAnnounce, 'address' | 'port'>): Buffer {
  const record = Buffer.allocUnsafe(address.length + 2);
  record.set(address);
  record.writeUInt16BE(port, address.length);
  return record;
}

/** Key and peer id, which together name a participant; nothing without a key. */
function participantOf({ key, peerId }: StoreAnnounce): Buffer | string {
  if (key === 0) return '';
  const name = Buffer.allocUnsafe(4 + peerId.length);
  name.writeUInt32BE(key);
  name.set(peerId, 4);
  return name;
}
