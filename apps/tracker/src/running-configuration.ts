// What holds right now, and how it changes: by reading everything again on request, by a file or lists that were edited,
// by administrators. A mistake changes nothing and is told.
import type { StandingPolicy } from '@shoal/tracker';
import { type Certificate, type SourceAddress, type SourceOptions, TrackerServerError } from '@shoal/tracker-server';
import type { AdminToken } from './admin/token.ts';
import type { StatedOptions } from './configuration/configuration-file.ts';
import {
  type Changes,
  type ConfigurationSources,
  readConfiguration,
  reloaded,
  together,
} from './configuration/configuration.ts';
import {
  type ServeOptions,
  type SettingName,
  differences,
  settingNames,
  writtenName,
} from './configuration/settings.ts';
import { ConfigurationError } from './errors.ts';
import { FileWatch } from './file-watch.ts';
import type { OperatorLists } from './lists/operator-lists.ts';
import type { Log } from './log.ts';
import { enforce } from './operator-policy.ts';
import { type Secrets, readSecrets } from './secrets.ts';

/** What a run has that changes with its configuration. */
export interface Configured {
  readonly sources: ConfigurationSources;
  readonly options: ServeOptions;
  readonly secrets: Secrets;
  readonly lists: OperatorLists;
  readonly policy: StandingPolicy;
  readonly source: SourceAddress;
  readonly log: Log;
}

/** What came of reading everything again. */
export interface ReloadReport extends Changes {
  /** Why something was not taken over; what held before holds. */
  readonly problems: readonly string[];
}

/** The configuration as administrators see it. */
export interface ConfigurationView {
  readonly file: string | undefined;
  /** When what holds was read; ISO 8601. */
  readonly readAt: string;
  /** Why the file as it is now does not hold. */
  readonly problem: string | undefined;
  /** What the file says, but holds only from the next start. */
  readonly later: readonly string[];
  /** What was changed by its name, whatever flags and file say. */
  readonly overrides: readonly string[];
}

/** The configuration of a running tracker. */
export class RunningConfiguration implements Disposable {
  readonly #configured: Configured;
  #renew: (certificate: Certificate) => void = () => {};
  readonly #listeners: ((options: ServeOptions) => void)[] = [];
  #options: ServeOptions;
  /** What would hold without overrides. */
  #base: ServeOptions;
  #overrides: StatedOptions = {};
  #secrets: Secrets;
  #watch: FileWatch | undefined;
  #readAt = new Date();
  #problem: string | undefined;
  #later: readonly string[] = [];
  #isReadingLists = false;
  #reloads = { ok: 0, failed: 0 };
  /** One after the other, so that the last request decides. */
  #reloading: Promise<unknown> = Promise.resolve();

  constructor(configured: Configured) {
    this.#configured = configured;
    this.#options = configured.options;
    this.#base = configured.options;
    this.#secrets = configured.secrets;
  }

  /** What holds. */
  get options(): ServeOptions {
    return this.#options;
  }

  /** How often files could, and could not, be taken over: all of them on request, one that changed. */
  get reloads(): { readonly ok: number; readonly failed: number } {
    return this.#reloads;
  }

  get view(): ConfigurationView {
    const { sources } = this.#configured;
    const readAt = this.#readAt.toISOString();
    return { file: sources.config, readAt, problem: this.#problem, later: this.#later, overrides: this.overrides };
  }

  /** Options that were changed by name, as they are written. */
  get overrides(): readonly string[] {
    return settingNames.filter((name) => name in this.#overrides).map(writtenName);
  }

  /** Whether configuration and lists are those of their files as they are now. */
  get isCurrent(): boolean {
    return this.#problem === undefined && this.#configured.lists.all.every(({ view }) => view.problem === undefined);
  }

  /** What administrators must send now. */
  token(): AdminToken | undefined {
    return this.#secrets.token;
  }

  /** Whom requests speak for; changes with the configuration. */
  get source(): SourceAddress {
    return this.#configured.source;
  }

  /** What to show to who connects now. */
  get certificate(): Certificate | undefined {
    return this.#secrets.certificate;
  }

  /** Calls `renew` with every certificate that is read later. It may refuse one with a TrackerServerError. */
  onCertificate(renew: (certificate: Certificate) => void): void {
    this.#renew = renew;
  }

  /** Calls `listen` with the options that hold, now and whenever others do. It must not fail. */
  onOptions(listen: (options: ServeOptions) => void): void {
    this.#listeners.push(listen);
    listen(this.#options);
  }

  /** Counts a list that was read, by itself or with everything else. */
  countList(isUsed: boolean): void {
    if (!this.#isReadingLists) this.#reloads[isUsed ? 'ok' : 'failed']++;
  }

  /** Puts options and lists, as they are now, in force. */
  enforce(): void {
    enforce(this.#configured.policy, this.#options, this.#configured.lists);
  }

  /** Reads file, lists and secrets again and takes over what a running tracker can. Rejects with a failure of our own. */
  reload(): Promise<ReloadReport> {
    return this.#inTurn(async () => this.#reload(true));
  }

  /**
   * Changes one option that may change, whatever flags and file say; undefined takes that back. Resolves to why it cannot be.
   * The value must be one of that option.
   */
  override(name: SettingName, wanted: { readonly value: unknown } | undefined): Promise<string | undefined> {
    return this.#inTurn(async () => {
      const { [name]: _before, ...others } = this.#overrides;
      const overrides: StatedOptions = wanted === undefined ? others : { ...others, [name]: wanted.value };
      try {
        await this.#take(together({ ...this.#base, ...overrides }), this.#secrets);
      } catch (error) {
        if (isMistake(error)) return error.message;
        throw error;
      }
      this.#overrides = overrides;
      this.enforce();
      return undefined;
    });
  }

  /** From now on takes over what the file says whenever it changes, and now if it did since it was read. */
  async watch(onError: (error: unknown) => void): Promise<void> {
    const { sources } = this.#configured;
    if (sources.config === undefined) return;
    const take = async (): Promise<unknown> => this.#inTurn(async () => this.#reload(false));
    this.#watch = new FileWatch(sources.config, () => void take().catch(onError));
    await this.#watch.mark();
    const isAsRead = await readConfiguration(sources).then(
      (wanted) => differences(this.#options, wanted).length === 0,
      () => false,
    );
    if (!isAsRead) await take();
  }

  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]();
  }

  /** What fails does so alone: the next one has its turn. */
  #inTurn<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.#reloading.then(task);
    this.#reloading = result.catch(() => {});
    return result;
  }

  /** `withLists`: whether lists are read as well whose files are the same ones. */
  async #reload(withLists: boolean): Promise<ReloadReport> {
    const { lists, log } = this.#configured;
    const problems: string[] = [];
    const changes = await this.#takeFile();
    if (this.#problem !== undefined) problems.push(this.#problem);
    if (withLists && !(await this.#readLists())) problems.push(...lists.all.flatMap(({ view }) => view.problem ?? []));
    this.enforce();
    this.#reloads[problems.length === 0 ? 'ok' : 'failed']++;
    const { applied, later } = changes;
    // Of a file that cannot be used everything was said.
    if (withLists || problems.length === 0)
      log.info('configuration read again', { applied, entries: entriesOf(lists) });
    if (later.length > 0) log.warn(`${later.join(', ')}: changed, but takes effect at the next start`);
    return { ...changes, problems };
  }

  async #readLists(): Promise<boolean> {
    this.#isReadingLists = true;
    try {
      return await this.#configured.lists.reload();
    } finally {
      this.#isReadingLists = false;
    }
  }

  /** Reads the file and takes over what can be; a mistake in it is `#problem`, and changes nothing. */
  async #takeFile(): Promise<Changes> {
    const { sources, log } = this.#configured;
    await this.#watch?.mark();
    try {
      const wanted = await readConfiguration(sources, true);
      const base = reloaded(this.#base, wanted).options;
      const { options, changes } = reloaded(this.#options, { ...wanted, ...this.#overrides });
      await this.#take(options, await readSecrets(options));
      this.#base = base;
      this.#readAt = new Date();
      this.#problem = undefined;
      this.#later = changes.later;
      return changes;
    } catch (error) {
      if (!isMistake(error)) throw error;
      this.#problem = error.message;
      log.error(`${error.message}; what held before holds`);
      return { applied: [], later: [] };
    }
  }

  /** All of it or nothing, but for a certificate that is good; who calls this enforces what holds in the end. */
  async #take(options: ServeOptions, secrets: Secrets): Promise<void> {
    const { lists, log, policy, source } = this.#configured;
    if (secrets.certificate !== undefined && secrets !== this.#secrets) this.#renew(secrets.certificate);
    enforce(policy, options, lists);
    await lists.use(options);
    source.replace(sourceOptions(options));
    this.#secrets = secrets;
    this.#options = options;
    log.configure({ level: options.logLevel, addresses: options.logAddresses });
    for (const listen of this.#listeners) listen(options);
  }
}

/** Whom the options trust. */
export function sourceOptions({ trustedProxy, trustIp, proxyProtocol }: ServeOptions): SourceOptions {
  return { trustedProxies: trustedProxy, trustIpParameter: trustIp, proxyProtocol };
}

function isMistake(error: unknown): error is Error {
  return error instanceof ConfigurationError || error instanceof TrackerServerError;
}

function entriesOf(lists: OperatorLists): Readonly<Record<string, number>> {
  const inForce = lists.all.map(({ view }) => view).filter((view) => view.inForce);
  return Object.fromEntries(inForce.map(({ list, entries }) => [list, entries]));
}
