// The journal file of one writer. Decides when records are added to it and when it is written anew: at the first record,
// when it has grown, and after every failure, since a torn record hides all that would follow. The last writer to begin
// owns the file; one that finds another's header there stops for good, so no lock can be left behind by a crash.
import { randomBytes } from 'node:crypto';
import { StorageError, storageErrorFrom } from '../errors.ts';
import type { JournalFiles, OpenJournal } from './journal-files.ts';
import type { JournalState } from './journal-state.ts';
import { encodeHeader, encodeRecords, type JournalRecord, type JournalSubject } from './records.ts';

export interface JournalWriterOptions {
  readonly path: string;
  readonly files: JournalFiles;
  readonly subject: JournalSubject;
  /** What the first record follows. */
  readonly state: JournalState;
  readonly bootId: string;
  readonly wallClock: () => number;
  readonly onError: ((error: StorageError) => void) | undefined;
}

/** One call at a time, `sync` excepted. */
export class JournalWriter {
  readonly state: JournalState;
  readonly #options: JournalWriterOptions;
  readonly #header: Uint8Array;
  #isStarted = false;
  #isSuperseded = false;
  #isEnded = false;
  #isFailing = false;
  /** Whether what is at the path is not, or may not be, all of ours and whole. */
  #mustReplace = true;
  #hasReplaced = false;
  #size = 0;
  #limit = 0;
  /** Kept open between appends. */
  #file: OpenJournal | undefined;

  constructor(options: JournalWriterOptions) {
    this.#options = options;
    this.state = options.state;
    this.#header = encodeHeader(options.subject, randomBytes(8));
  }

  /** Whether a session has begun on record. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** Whether another writer has the file now. */
  get isSuperseded(): boolean {
    return this.#isSuperseded;
  }

  /** Whether the last attempt failed, so that another is due although nothing new is to be said. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** Never rejects; a record that cannot be written now is part of the next attempt. False = not written. */
  async write(records: readonly JournalRecord[]): Promise<boolean> {
    if (this.#isSuperseded || this.#isEnded) return false;
    const { bootId, wallClock } = this.#options;
    if (!this.#isStarted) this.state.apply({ type: 'session', bootId, wallMs: wallClock() });
    this.#isStarted = true;
    for (const record of records) this.state.apply(record);
    try {
      await this.#put(encodeRecords(records));
      this.#isFailing = false;
      return true;
    } catch (error) {
      this.#mustReplace = true;
      this.report(error, 'write');
      await this.rest();
      return false;
    }
  }

  /** Never rejects. Writes may go on meanwhile, since the device can take its time. */
  async sync(): Promise<void> {
    if (this.#isSuperseded || this.#isEnded) return;
    try {
      await this.#options.files.sync(this.#options.path);
    } catch (error) {
      this.report(error, 'sync');
    }
  }

  /** Nothing more is to be written for a while: closes the file. Never rejects. */
  async rest(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    // What a close can tell of here, the next append meets too.
    await file?.close().catch(() => {});
  }

  /** From now on nothing is written, whatever still comes. */
  async end(): Promise<void> {
    this.#isEnded = true;
    await this.rest();
  }

  /** Tells of the first failure of a streak only. */
  report(cause: unknown, verb: string): void {
    if (this.#isFailing || this.#isEnded) return;
    this.#isFailing = true;
    const { onError, path } = this.#options;
    const error = storageErrorFrom(cause, `${verb} the resume journal`, path);
    // Later, so that whatever a listener throws leaves the journal at rest.
    if (onError !== undefined) queueMicrotask(() => onError(error));
  }

  async #put(bytes: Uint8Array): Promise<void> {
    if (this.#mustReplace || this.#size + bytes.length > this.#limit) return await this.#replace();
    if (!(await this.#append(bytes))) await this.#replace();
  }

  /** False when someone removed the file, which is then written anew. */
  async #append(bytes: Uint8Array): Promise<boolean> {
    const isAppended = (await this.#file?.append(bytes)) ?? false;
    if (!isAppended) {
      // Not open yet, or no longer what is at the path: who is there now?
      await this.rest();
      if (!(await this.#open()) || !(await this.#file?.append(bytes))) return false;
    }
    this.#size += bytes.length;
    return true;
  }

  /**
   * False when there is no file.
   * @throws StorageError `closed` when another process has it.
   */
  async #open(): Promise<boolean> {
    const { path, files } = this.#options;
    const opened = await files.open(path, this.#header);
    this.#isSuperseded = opened === 'foreign';
    if (opened === 'foreign') {
      const message = `cannot go on with the resume journal ${path}: another process writes it; end one of the two`;
      throw new StorageError('closed', message, { path });
    }
    if (opened === 'missing') return false;
    this.#file = opened;
    return true;
  }

  async #replace(): Promise<void> {
    const { path, files } = this.#options;
    // Some systems replace no file that is open.
    await this.rest();
    if (this.#hasReplaced && (await this.#open())) await this.rest();
    const records = encodeRecords(this.state.compact());
    const bytes = new Uint8Array(this.#header.length + records.length);
    bytes.set(this.#header);
    bytes.set(records, this.#header.length);
    await files.replace(path, bytes);
    this.#hasReplaced = true;
    this.#mustReplace = false;
    this.#size = bytes.length;
    this.#limit = Math.max(65_536, this.state.have.bytes.length * 8, bytes.length * 2);
  }
}
