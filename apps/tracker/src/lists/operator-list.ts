// One list of the operator's: a file that is watched, and entries that were added or removed while running. The file is
// never written: what was changed here holds until the file says the same, or until the tracker ends.
import { PolicyListError } from '@shoal/tracker';
import { ConfigurationError } from '../errors.ts';
import type { ListKind } from './list-kind.ts';
import { WatchedFile } from './watched-file.ts';

/** A list as administrators see it. */
export interface ListView {
  readonly list: string;
  /** Whether it decides anything: an allow list that was never begun refuses nobody. */
  readonly inForce: boolean;
  readonly file: string | undefined;
  /** ISO 8601. */
  readonly readAt: string | undefined;
  /** Why the file is not used as it is now. */
  readonly problem: string | undefined;
  /** How many entries hold, overrides included. */
  readonly entries: number;
  readonly overrides: { readonly added: readonly string[]; readonly removed: readonly string[] };
}

/** What became of a change. */
export type ListChange = 'done' | 'already' | 'full' | 'not-begun';

/** A change that is ready: either `take` or `drop` is called. */
export interface ListStep {
  take(): void;
  drop(): void;
}

/** Whoever needs more puts them in the file: with every change all of them are put together anew. */
const mostOverrides = 1000;

export interface ListEvents {
  /** The list decides otherwise from now on. */
  changed(): void;
  /** Its file was read again. */
  read(list: string, entries: number): void;
  /** Its file cannot be used; the one read before holds. */
  failed(error: ConfigurationError): void;
}

/** A list. */
export class OperatorList<Content, Rules> implements Disposable {
  readonly name: string;
  /** An empty one shuts everybody out, so it is begun by naming a file and by nothing else. */
  readonly #isAllowing: boolean;
  readonly #kind: ListKind<Content, Rules>;
  readonly #events: ListEvents;
  #file: WatchedFile<Content> | undefined;
  #added = new Set<string>();
  #removed = new Set<string>();
  #rules: Rules | undefined;

  constructor(name: string, isAllowing: boolean, kind: ListKind<Content, Rules>, events: ListEvents) {
    this.name = name;
    this.#isAllowing = isAllowing;
    this.#kind = kind;
    this.#events = events;
  }

  /** Reads another file, or none, to go by. @throws ConfigurationError */
  async prepare(path: string | undefined): Promise<ListStep> {
    if (path === this.#file?.path) return { take: () => {}, drop: () => {} };
    const file = path === undefined ? undefined : await this.#open(path);
    return {
      take: () => {
        this.#file?.[Symbol.dispose]();
        this.#file = file;
        this.#prune();
        this.#settle();
      },
      drop: () => file?.[Symbol.dispose](),
    };
  }

  /** What policy asks; undefined when there is nothing to ask. */
  get rules(): Rules | undefined {
    return this.#rules;
  }

  /** Reads the file again; says whether it could be used. */
  async reload(): Promise<boolean> {
    return (await this.#file?.reload()) ?? true;
  }

  /** @throws PolicyListError when `text` is no entry */
  has(text: string): boolean {
    const entry = this.#kind.normalised(text);
    return this.#added.has(entry) || (this.#isInFile(entry) && !this.#removed.has(entry));
  }

  /** @throws PolicyListError when `text` is no entry */
  add(text: string): ListChange {
    return this.#change(this.#kind.normalised(text), true);
  }

  /** @throws PolicyListError when `text` is no entry */
  remove(text: string): ListChange {
    return this.#change(this.#kind.normalised(text), false);
  }

  get view(): ListView {
    const inFile = this.#file === undefined ? 0 : this.#kind.size(this.#file.content);
    return {
      list: this.name,
      inForce: this.#rules !== undefined,
      file: this.#file?.path,
      readAt: this.#file?.readAt.toISOString(),
      problem: this.#file?.problem,
      entries: inFile + this.#added.size - this.#removed.size,
      overrides: { added: [...this.#added], removed: [...this.#removed] },
    };
  }

  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]();
  }

  #open(path: string): Promise<WatchedFile<Content>> {
    return WatchedFile.open(path, {
      name: `the ${this.name} list`,
      read: (bytes) => readAs(this.#kind, path, bytes),
      changed: () => {
        // Not yet, or no longer, the file of this list.
        if (this.#file?.path !== path) return;
        this.#prune();
        this.#settle();
        this.#events.changed();
        this.#events.read(this.name, this.view.entries);
      },
      failed: (error) => this.#events.failed(error),
    });
  }

  #change(entry: string, wanted: boolean): ListChange {
    if (this.#isAllowing && this.#file === undefined) return 'not-begun';
    if (this.has(entry) === wanted) return 'already';
    // Taking back a change is always possible.
    const [mine, other] = wanted ? [this.#added, this.#removed] : [this.#removed, this.#added];
    if (!other.delete(entry)) {
      if (this.#added.size + this.#removed.size >= mostOverrides) return 'full';
      mine.add(entry);
    }
    this.#settle();
    this.#events.changed();
    return 'done';
  }

  #isInFile(entry: string): boolean {
    return this.#file !== undefined && this.#kind.has(this.#file.content, entry);
  }

  /** Forgets what the file now says by itself. */
  #prune(): void {
    for (const entry of this.#added) if (this.#isInFile(entry)) this.#added.delete(entry);
    for (const entry of this.#removed) if (!this.#isInFile(entry)) this.#removed.delete(entry);
  }

  #settle(): void {
    const isEmpty = this.#file === undefined && this.#added.size === 0;
    const content = this.#file?.content ?? this.#kind.empty;
    this.#rules = isEmpty ? undefined : this.#kind.combined(content, [...this.#added], [...this.#removed]);
  }
}

async function readAs<Content>(kind: ListKind<Content, unknown>, path: string, bytes: Uint8Array): Promise<Content> {
  try {
    return await kind.read(bytes);
  } catch (error) {
    if (!(error instanceof PolicyListError)) throw error;
    throw new ConfigurationError(`${path}:${error.line}:${error.column}: ${error.message}`, { cause: error });
  }
}
