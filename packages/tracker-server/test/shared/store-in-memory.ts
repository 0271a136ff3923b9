// A store that several trackers of one test share: members and inboxes as plain maps. It can be made to fail.
import {
  type NodeId,
  type RemoteAnswer,
  type RemoteMember,
  type RemoteMemberAnswer,
  type SignalHandover,
  type StoreTotals,
  memberNameBytes,
} from '@shoal/tracker';
import type { ScrapeCounts } from '@shoal/tracker-protocol';
import type { RemoteSignalling, RemoteStore } from '../../src/index.ts';

interface Swarm {
  readonly members: Map<string, { readonly seeding: boolean; readonly counted: boolean }>;
  completed: number;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

export class StoreInMemory implements RemoteStore {
  /** While it is there. */
  available = true;
  /** Nodes that are taken for gone. */
  readonly gone = new Set<NodeId>();
  /** Batches that were handed over. */
  readonly handed: { readonly to: NodeId; readonly bytes: number }[] = [];
  /** As with a store elsewhere, what is held back is answered later. */
  readonly held: (() => void)[] = [];
  holds = false;
  readonly #swarms = new Map<string, Swarm>();
  readonly #inboxes = new Map<NodeId, (batch: Uint8Array) => void>();
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  readonly signalling: RemoteSignalling = {
    announce: async (member) => {
      const { infoHash, name } = member;
      const copied = { ...member, infoHash: infoHash.slice(), name: name.slice() };
      await this.#reached();
      return this.member(copied);
    },
    hand: async (node, batch): Promise<SignalHandover> => {
      await this.#reached();
      if (this.gone.has(node)) return 'gone';
      this.handed.push({ to: node, bytes: batch.length });
      this.#inboxes.get(node)?.(batch);
      return 'taken';
    },
    listen: (node, take) => {
      this.#inboxes.set(node, take);
      return { [Symbol.dispose]: () => void this.#inboxes.delete(node) };
    },
  };

  /** What an announce of a member gives. */
  member({ infoHash, name, seeding, leaving, want }: RemoteMember): RemoteMemberAnswer {
    const swarm = this.#swarmOf(infoHash);
    const known = swarm.members.get(hex(name));
    if (leaving) {
      swarm.members.delete(hex(name));
    } else {
      if (known !== undefined && seeding && !known.counted) swarm.completed++;
      swarm.members.set(hex(name), { seeding, counted: seeding || known?.counted === true });
    }
    const others = [...swarm.members].filter(([key, one]) => key !== hex(name) && !(seeding && one.seeding));
    const drawn = this.#shuffled(others.map(([key]) => key)).slice(0, leaving ? 0 : want);
    const { complete: seeders, incomplete: leechers, downloaded: completed } = countsIn(swarm);
    return { seeders, leechers, completed, drawn: Buffer.from(drawn.join(''), 'hex') };
  }

  async announce(): Promise<RemoteAnswer> {
    throw new Error('no peers that can be dialled in this test');
  }

  async counts(infoHashes: readonly Uint8Array[]): Promise<(ScrapeCounts | undefined)[]> {
    await this.#reached();
    return infoHashes.map((infoHash) => countsIn(this.#swarmOf(infoHash)));
  }

  async totals(): Promise<StoreTotals> {
    throw new Error('nobody counts in this test');
  }

  /** Connections of nodes in a torrent. */
  membersOf(infoHash: Uint8Array): number {
    return this.#swarmOf(infoHash).members.size;
  }

  async #reached(): Promise<void> {
    if (this.holds) await new Promise<void>((resolve) => this.held.push(resolve));
    if (!this.available) throw new Error('connection refused');
  }

  #swarmOf(infoHash: Uint8Array): Swarm {
    const key = hex(infoHash);
    const known = this.#swarms.get(key) ?? { members: new Map(), completed: 0 };
    this.#swarms.set(key, known);
    return known;
  }

  #shuffled(names: string[]): string[] {
    for (let at = names.length - 1; at > 0; at--) {
      const other = Math.floor(this.#random() * (at + 1));
      [names[at], names[other]] = [names[other]!, names[at]!];
    }
    return names.filter((name) => name.length === 2 * memberNameBytes);
  }
}

function countsIn({ members, completed }: Swarm): ScrapeCounts {
  const complete = [...members.values()].filter(({ seeding }) => seeding).length;
  return { complete, incomplete: members.size - complete, downloaded: completed };
}
