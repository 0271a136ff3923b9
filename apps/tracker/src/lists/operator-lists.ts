// All lists of the operator's, and what they mean for policy. Names are those of the options that name their files.
import type { AddressRanges, ClientPrefixes, InfoHashSet, InfoHashes, PolicySettings } from '@shoal/tracker';
import { type ServeOptions, writtenName } from '../configuration/settings.ts';
import { addressList, clientList, torrentList } from './list-kind.ts';
import { type ListEvents, type ListStep, OperatorList } from './operator-list.ts';

/** Options that name the file of a list. */
export type ListName = 'allow' | 'deny' | 'allowClients' | 'denyClients' | 'allowAddresses' | 'ban';

type ListFiles = Pick<ServeOptions, ListName>;

type AnyList = Pick<OperatorList<unknown, unknown>, 'name' | 'prepare' | 'reload' | 'has' | 'add' | 'remove' | 'view'> &
  Disposable;

/** The lists. */
export class OperatorLists implements Disposable {
  readonly #torrents: Readonly<Record<'allow' | 'deny', OperatorList<InfoHashSet, InfoHashes>>>;
  readonly #clients: Readonly<
    Record<'allowClients' | 'denyClients', OperatorList<ReadonlySet<string>, ClientPrefixes>>
  >;
  readonly #addresses: Readonly<Record<'allowAddresses' | 'ban', OperatorList<ReadonlySet<string>, AddressRanges>>>;

  private constructor(events: ListEvents) {
    this.#torrents = {
      allow: new OperatorList('allow', true, torrentList, events),
      deny: new OperatorList('deny', false, torrentList, events),
    };
    this.#clients = {
      allowClients: new OperatorList(writtenName('allowClients'), true, clientList, events),
      denyClients: new OperatorList(writtenName('denyClients'), false, clientList, events),
    };
    this.#addresses = {
      allowAddresses: new OperatorList(writtenName('allowAddresses'), true, addressList, events),
      ban: new OperatorList('ban', false, addressList, events),
    };
  }

  /** Reads every file that is named. @throws ConfigurationError naming file and line */
  static async open(files: ListFiles, events: ListEvents): Promise<OperatorLists> {
    const lists = new OperatorLists(events);
    await lists.use(files);
    return lists;
  }

  /** Goes by these files from now on. @throws ConfigurationError; then nothing changes */
  async use(files: ListFiles): Promise<void> {
    const steps: ListStep[] = [];
    try {
      for (const [name, list] of this.#named) steps.push(await list.prepare(files[name]));
    } catch (error) {
      for (const step of steps) step.drop();
      throw error;
    }
    for (const step of steps) step.take();
  }

  /** Reads every file again; says whether all could be used. Those that could not keep what they had. */
  async reload(): Promise<boolean> {
    const results = await Promise.all(this.all.map((list) => list.reload()));
    return results.every(Boolean);
  }

  get all(): readonly AnyList[] {
    return this.#named.map(([, list]) => list);
  }

  /** By the name that is written, such as `allow-clients`. */
  find(name: string): AnyList | undefined {
    return this.all.find((list) => list.name === name);
  }

  /** What the lists say, for policy. */
  get rules(): PolicySettings {
    const rules = {
      allowedTorrents: this.#torrents.allow.rules,
      deniedTorrents: this.#torrents.deny.rules,
      allowedClients: this.#clients.allowClients.rules,
      deniedClients: this.#clients.denyClients.rules,
      allowedAddresses: this.#addresses.allowAddresses.rules,
      bannedAddresses: this.#addresses.ban.rules,
    };
    return stated(rules);
  }

  [Symbol.dispose](): void {
    for (const list of this.all) list[Symbol.dispose]();
  }

  get #named(): readonly (readonly [ListName, AnyList])[] {
    const { allow, deny } = this.#torrents;
    const { allowClients, denyClients } = this.#clients;
    const { allowAddresses, ban } = this.#addresses;
    return Object.entries({ allow, deny, allowClients, denyClients, allowAddresses, ban }) as [ListName, AnyList][];
  }
}

/** Without the properties that are undefined: an option left out and one that is undefined are two things. */
export function stated<Value extends object>(
  value: Value,
): { [Name in keyof Value]?: Exclude<Value[Name], undefined> } {
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof Value]?: Exclude<Value[Name], undefined> };
}
