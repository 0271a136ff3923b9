// What all torrents of a session share: bytes of pieces in the making, connections, open files, disk operations and
// hashing threads. Decides each torrent's part of the first two; the others are handed down whole and take turns by
// themselves. Must not know what a torrent does with its part.
import { HashPool, OpenFiles, OperationQueue, SlabPool } from '@shoal/storage';
import { fairShares } from './fair-shares.ts';

export interface BudgetOptions {
  /** Bytes of pieces in the making, over all torrents. */
  readonly pieceBufferBytes: number;
  /** Files open at once. */
  readonly openFiles: number;
  /** Reads and writes of files under way at once. */
  readonly diskOperations: number;
  /** Threads that hash; undefined: as many as the storage finds right for this machine. */
  readonly hashThreads: number | undefined;
  /** Connections over all torrents, those being dialled included. */
  readonly maxTotalConnections: number;
  /** Connections of one torrent. */
  readonly maxConnections: number;
}

/** A torrent as the budget sees it. */
export interface BudgetMember {
  /** Of its longest piece. */
  readonly pieceLength: number;
  /** Bytes of pieces it holds now, and whether it has anybody to get more from. */
  readonly pieceBytes: number;
  readonly isDownloading: boolean;
  /** Open connections. */
  readonly connections: number;
  allow(part: { readonly pieceBufferBytes: number; readonly maxConnections: number }): void;
}

/** Room to grow that everybody is granted before the next look, in connections. */
const spareConnections = 10;
/** How long buffers wait for the next download: made anew for each torrent they would pile up until a thread forgets them. */
const idleBuffersMs = 10_000;
/** How often the parts are looked at again while several torrents want some. */
const rebalanceMs = 1000;

export class Budget implements AsyncDisposable {
  readonly openFiles: OpenFiles;
  /** One queue for all torrents: a slow disk is shared fairly. */
  readonly diskOperations: OperationQueue;
  readonly hashPool: HashPool;
  /** How much may be lent follows from the parts; what lies idle is bounded here. */
  readonly slabs: SlabPool;
  readonly #options: BudgetOptions;
  readonly #members = new Set<BudgetMember>();
  #timer: NodeJS.Timeout | undefined;
  #trimTimer: NodeJS.Timeout | undefined;

  constructor(options: BudgetOptions) {
    const { openFiles, diskOperations, hashThreads, pieceBufferBytes } = options;
    this.#options = options;
    this.openFiles = new OpenFiles({ limit: openFiles });
    this.diskOperations = new OperationQueue({ concurrency: diskOperations });
    this.hashPool = new HashPool(hashThreads === undefined ? {} : { concurrency: hashThreads });
    this.slabs = new SlabPool({ limitBytes: Number.MAX_SAFE_INTEGER, idleBytes: pieceBufferBytes });
  }

  /** Connections that are open now. */
  get connections(): number {
    let sum = 0;
    for (const member of this.#members) sum += member.connections;
    return sum;
  }

  /** Whether another connection may be opened. */
  get hasRoom(): boolean {
    return this.connections < this.#options.maxTotalConnections;
  }

  join(member: BudgetMember): void {
    this.#members.add(member);
    this.rebalance();
    if (this.#members.size < 2 || this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.rebalance(), rebalanceMs);
    this.#timer.unref();
  }

  leave(member: BudgetMember): void {
    this.#members.delete(member);
    this.rebalance();
    if (this.#members.size < 2) this.#stopTimer();
  }

  /** Gives everyone its part, as it should be when somebody begins or ends to download: who wants little gets that, the rest goes to the others in equal parts. */
  rebalance(): void {
    const members = [...this.#members];
    this.#keepBuffers(members.some((member) => member.isDownloading));
    const { pieceBufferBytes, maxTotalConnections, maxConnections } = this.#options;
    const bytes = fairShares(
      pieceBufferBytes,
      members.map((member) => this.#wantedBytes(member)),
    );
    const connections = fairShares(
      maxTotalConnections,
      members.map((member) => Math.min(maxConnections, 2 * member.connections + spareConnections)),
    );
    for (const [index, member] of members.entries())
      member.allow({
        pieceBufferBytes: Math.floor(bytes[index] ?? 0),
        // Whoever is left without any could never be reached; the total is kept to where connections are made.
        maxConnections: Math.max(1, Math.floor(connections[index] ?? 0)),
      });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopTimer();
    clearTimeout(this.#trimTimer);
    await this.hashPool.close();
  }

  /** A lone torrent may have all. Of several those that download get twice what they hold, and enough to begin. */
  #wantedBytes({ isDownloading, pieceBytes, pieceLength }: BudgetMember): number {
    if (this.#members.size === 1) return this.#options.pieceBufferBytes;
    if (!isDownloading) return 0;
    return Math.max(2 * pieceBytes, startingPieces * pieceLength);
  }

  #keepBuffers(areNeeded: boolean): void {
    if (areNeeded) {
      clearTimeout(this.#trimTimer);
      this.#trimTimer = undefined;
      return;
    }
    this.#trimTimer ??= setTimeout(() => this.slabs.trim(), idleBuffersMs).unref();
  }

  #stopTimer(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** Pieces that a torrent may begin with before it has shown what it needs. */
const startingPieces = 4;
