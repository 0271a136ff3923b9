// A change of what files are wanted while their torrent runs: storage first, then everybody else, or nothing at all.
// Decides the order and what a failure leaves. Must not know pieces or peers.
import type { ResumeJournal, Storage } from '@shoal/storage';
import type { FilePriority, FileSelection } from './file-selection.ts';

export interface PriorityChangeParts {
  readonly selection: FileSelection;
  readonly storage: Pick<Storage, 'setWanted' | 'prepare'>;
  readonly journal: Pick<ResumeJournal, 'writing' | 'restamp'> | undefined;
  /** The selection, the files on disk, or both may be others now. */
  readonly changed: () => void;
}

export class PriorityChange {
  readonly #parts: PriorityChangeParts;
  #last: Promise<void> = Promise.resolve();

  constructor(parts: PriorityChangeParts) {
    this.#parts = parts;
  }

  /**
   * One after another, so that none undoes what another did meanwhile. After a failure all is as it was, except that files
   * and bytes which the disk took before stay there.
   * @throws RangeError when there is no such file; StorageError.
   */
  set(files: readonly number[], priority: FilePriority): Promise<void> {
    const change = this.#last.then(() => this.#set(files, priority));
    this.#last = change.catch(() => {});
    return change;
  }

  async #set(files: readonly number[], priority: FilePriority): Promise<void> {
    const { selection, storage, journal, changed } = this.#parts;
    const priorities = selection.with(files, priority);
    await journal?.writing();
    try {
      await storage.setWanted(priorities.map((each) => each !== 'skip'));
      // Empty files and those that became wanted exist from now on.
      await storage.prepare();
      selection.priorities = priorities;
    } catch (error) {
      // If even this fails, storage takes bytes of files that nobody asks for, or keeps some apart until the next change.
      await storage.setWanted(selection.wanted()).catch(() => {});
      throw error;
    } finally {
      changed();
      await journal?.restamp();
    }
  }
}
