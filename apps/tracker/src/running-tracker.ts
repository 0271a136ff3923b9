// A tracker with everything around it but its sockets: lists and policy, numbers and metrics, the configuration that
// may change, and a watch over what looks wrong.
import { randomBytes } from 'node:crypto';
import { SignalledSwarms, type StandingPolicy, type Tracker, trackerIdKeyBytes } from '@shoal/tracker';
import {
  type AnnounceHeard,
  NatChecker,
  type Predecessor,
  type SharedState,
  SourceAddress,
  type SwarmService,
  type Traffic,
  checkedService,
  TrackerStats,
  createTraffic,
} from '@shoal/tracker-server';
import type { ConfigurationSources } from './configuration/configuration.ts';
import type { ServeOptions } from './configuration/settings.ts';
import { OperatorLists } from './lists/operator-lists.ts';
import type { Log } from './log.ts';
import { Measurements, measuredService } from './metrics/measured-service.ts';
import { loadMetrics, metricsOnDemand } from './metrics/metrics-on-demand.ts';
import { loggedPolicy, policyOf } from './operator-policy.ts';
import { RunningConfiguration, sourceOptions } from './running-configuration.ts';
import { readSecrets } from './secrets.ts';
import { type Beginning, begin, sharedState } from './restart.ts';
import { State, trackerIdKeyIn } from './state.ts';
import { type Swarms, openSwarms } from './store.ts';

/** How requests come in that a `SwarmService` answers. */
export type Transport = 'http' | 'udp';

/** One request in so many is timed: over UDP reading the clock would be a tenth of the cost of an answer. */
const sampleEvery: Readonly<Record<Transport, number>> = { http: 1, udp: 64 };

/** How often the watch over private addresses is asked what it found. */
const watchMs = 10_000;

/** A tracker that is ready to be served. */
export class RunningTracker implements AsyncDisposable {
  readonly log: Log;
  readonly clock: () => number;
  readonly lists: OperatorLists;
  readonly configuration: RunningConfiguration;
  readonly swarms: Swarms;
  /** Where swarms are kept, if they are. */
  readonly state: State | undefined;
  /** What a successor would be told. */
  readonly shared: SharedState;
  readonly tracker: Tracker;
  readonly traffic: Traffic = createTraffic();
  readonly stats: TrackerStats;
  readonly natChecker: NatChecker;
  readonly measurements: Readonly<Record<Transport | 'ws', Measurements>> = {
    http: new Measurements(),
    udp: new Measurements(),
    ws: new Measurements(),
  };
  /** Writes all metrics in Prometheus' text format. */
  readonly metrics: () => Promise<string>;
  readonly #policy: StandingPolicy;
  readonly #watch: NodeJS.Timeout;

  private constructor(
    lists: OperatorLists,
    policy: StandingPolicy,
    swarms: Swarms,
    configuration: RunningConfiguration,
    log: Log,
    { state, shared, clock }: Pick<RunningTracker, 'state' | 'shared' | 'clock'>,
  ) {
    this.log = log;
    this.clock = clock;
    this.state = state;
    this.shared = shared;
    this.#policy = policy;
    this.lists = lists;
    this.configuration = configuration;
    this.swarms = swarms;
    this.tracker = swarms.tracker;
    this.stats = new TrackerStats(this.tracker, this.traffic, this.clock, () => this.#interval);
    this.natChecker = new NatChecker({ clock: this.clock });
    configuration.onOptions(({ natCheck }) => (this.natChecker.mode = natCheck));
    this.metrics = metricsOnDemand({
      counts: () => this.tracker.counts,
      natCheck: () => this.natChecker.counts,
      storeAvailable: () => swarms.shared?.available ?? true,
      traffic: this.traffic,
      measurements: this.measurements,
      lists: () => lists.all.map(({ view }) => view),
      reloads: () => configuration.reloads,
      snapshot: () => state?.last,
    });
    this.#watch = setInterval(() => this.lookAround(), watchMs).unref();
  }

  /** Reads every file that `options` name, or has the swarms of `predecessor`. @throws ConfigurationError */
  static async open(
    sources: ConfigurationSources,
    options: ServeOptions,
    log: Log,
    predecessor?: Predecessor,
  ): Promise<RunningTracker> {
    const secrets = await readSecrets(options);
    if (options.admin !== 'off' || options.metrics === 'public') await loadMetrics();
    // A list may change before there is one.
    let running: RunningConfiguration | undefined;
    const lists = await OperatorLists.open(options, {
      changed: () => running?.enforce(),
      read: (list, entries) => {
        running?.countList(true);
        log.info('list read again', { list, entries });
      },
      failed: ({ message }) => {
        running?.countList(false);
        log.error(`${message}; the list read before holds`);
      },
    });
    for (const { list, file, entries } of lists.all.map(({ view }) => view)) {
      if (file !== undefined) log.info('list read', { list, entries, file });
    }
    const policy = policyOf(options, lists);
    const source = new SourceAddress(sourceOptions(options));
    const configuration = new RunningConfiguration({ sources, options, secrets, lists, policy, source, log });
    running = configuration;
    const beginning = await begin(predecessor, options.state !== undefined);
    const trackerIdKey = await keyOf(options, beginning);
    const signalling = new SignalledSwarms({ random: Math.random });
    const rules = { policy: loggedPolicy(policy, log), signalling, trackerIdKey };
    const swarms = await openSwarms(options.store, rules, log);
    const state = await openState(swarms, configuration, beginning, log);
    const shared = sharedState(beginning, swarms);
    return new RunningTracker(lists, policy, swarms, configuration, log, { state, shared, clock: beginning.clock });
  }

  /** Who answers over one transport: looks who can be reached where that is wanted, and counts what is asked. */
  service(transport: Transport): SwarmService {
    const { configuration, tracker, natChecker: checker, clock } = this;
    const checked = checkedService({
      service: this.swarms.service,
      checker,
      tracker,
      serves: (infoHash) => this.#policy.serves(infoHash),
      // Asked each time: what is believed may change.
      get addressesProven() {
        const { trustIp, connectionIds } = configuration.options;
        return transport === 'http' ? !trustIp : connectionIds === 'strict';
      },
    });
    return measuredService(checked, this.measurements[transport], sampleEvery[transport], clock);
  }

  /** Counts what is announced by WebSockets. */
  readonly measureWebSocket: AnnounceHeard = (event, address, began, interval) => {
    const { ws } = this.measurements;
    ws.count(event, address.length, interval === undefined);
    if (interval !== undefined) ws.tell(interval);
    ws.announceDurations.record(this.clock() - began);
  };

  /** Logs a failure of our own. */
  readonly tellError = (error: unknown): void => {
    this.log.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  };

  /** The mean of those told lately, or the usual one. */
  get #interval(): number {
    const { http, udp } = this.measurements;
    return Math.round(Math.max(http.interval, udp.interval)) || this.configuration.options.interval;
  }

  /** Says what looks wrong; done every ten seconds by itself. */
  lookAround(): void {
    const address = this.#policy.privateAddresses.finding(this.clock());
    if (address === undefined) return;
    this.log.warn(
      `most announces come from ${address}, an address of a local network, and every peer is listed under it: if that is ` +
        `a proxy, let it say whom it forwards and set trusted-proxy = ["${address}"], with proxy-protocol = true where ` +
        'it sends PROXY headers; no restart is needed',
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#watch);
    this.stats[Symbol.dispose]();
    this.configuration[Symbol.dispose]();
    this.lists[Symbol.dispose]();
    this.natChecker[Symbol.dispose]();
    await this.state?.[Symbol.asyncDispose]();
    await this.swarms[Symbol.asyncDispose]();
  }
}

async function keyOf({ state }: ServeOptions, { shared }: Beginning): Promise<Uint8Array> {
  // Kept there even if it came from elsewhere, so that it is there later.
  const kept = state === undefined ? undefined : await trackerIdKeyIn(state);
  return shared?.trackerIdKey ?? kept ?? randomBytes(trackerIdKeyBytes);
}

/** Fills the swarms: from the process before, or from the folder that keeps them. */
async function openState(
  { memory: store, tracker }: Swarms,
  configuration: RunningConfiguration,
  { clock, predecessor }: Beginning,
  log: Log,
): Promise<State | undefined> {
  if (store === undefined) return undefined;
  const isTakenOver = (await predecessor?.swarms(store, clock)) ?? false;
  if (isTakenOver) log.info('swarms taken over', { ...store.totals });
  const { state: folder } = configuration.options;
  if (folder === undefined) return undefined;
  const everySeconds = (): number => configuration.options.snapshotEvery;
  const state = new State({ folder, store, clock, everySeconds, log });
  if (!isTakenOver) await state.load(tracker.peerLifetimeMs);
  return state;
}
