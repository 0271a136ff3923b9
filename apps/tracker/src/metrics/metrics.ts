// /metrics: everything Prometheus is told, read from plain counters when it asks. Series carry no addresses and no
// info-hashes, so their number is fixed.
import type { TrackerCounts } from '@shoal/tracker';
import type { NatCheckCounts, Traffic } from '@shoal/tracker-server';
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import type { ListView } from '../lists/operator-list.ts';
import type { SnapshotView } from '../state.ts';
import type { Measurements } from './measured-service.ts';

/** What is measured. Each is asked at every scrape. */
export interface MetricsSources {
  readonly counts: () => TrackerCounts;
  readonly traffic: Traffic;
  /** By transport. */
  readonly measurements: Readonly<Record<string, Measurements>>;
  readonly natCheck: () => NatCheckCounts;
  /** Whether the swarms can be reached; those in memory always can. */
  readonly storeAvailable: () => boolean;
  /** Entries of each of the operator's lists, and how many of them were made while running. */
  readonly lists: () => readonly ListView[];
  /** Configurations that could be read again, and those that could not. */
  readonly reloads: () => { readonly ok: number; readonly failed: number };
  /** The last snapshot of the swarms; undefined where there is none. */
  readonly snapshot?: () => SnapshotView | undefined;
}

const durationName = 'btt_request_duration_seconds';

/**
 * Makes what writes all metrics in Prometheus' text format. Nothing is watched before it is asked for the first time:
 * event loop and garbage collection cost a little even when nobody looks.
 */
export function createMetrics(sources: MetricsSources): () => Promise<string> {
  let registry: Registry | undefined;
  return async () => {
    registry ??= registryOf(sources);
    return `${await registry.metrics()}\n${durationsOf(sources)}`;
  };
}

function registryOf(sources: MetricsSources): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  addSwarmMetrics(registry, sources);
  addTrafficMetrics(registry, sources);
  addWebSocketMetrics(registry, sources);
  addOperationMetrics(registry, sources);
  addSnapshotMetrics(registry, sources);
  return registry;
}

function addSwarmMetrics(registry: Registry, { counts }: MetricsSources): void {
  gauge(registry, 'btt_torrents', 'Torrents with at least one peer', [], (set) => set({}, counts().torrents));
  gauge(registry, 'btt_peers', 'Peers listed', ['role', 'family'], (set) => {
    for (const { role, family, peers } of peersOf(counts())) set({ role, family }, peers);
  });
  counter(registry, 'btt_completed_total', 'Downloads completed', [], (set) => set({}, counts().completed));
  counter(registry, 'btt_rejects_total', 'Announces refused by policy', ['reason'], (set) => {
    for (const [reason, value] of Object.entries(counts().refusals)) set({ reason }, value);
  });
  counter(registry, 'btt_peers_expired_total', 'Peers dropped because they fell silent', [], (set) =>
    set({}, counts().expired),
  );
  counter(
    registry,
    'btt_announces_unlisted_total',
    'Announces answered without listing the peer, for want of room',
    [],
    (set) => set({}, counts().unlisted),
  );
}

function addTrafficMetrics(registry: Registry, { traffic, measurements }: MetricsSources): void {
  const labels = ['proto', 'family', 'event', 'result'];
  counter(registry, 'btt_announces_total', 'Announces answered', labels, (set) => {
    for (const [proto, measured] of Object.entries(measurements)) {
      for (const { count, ...kind } of measured.announces()) set({ proto, ...kind }, count);
    }
  });
  gauge(registry, 'btt_announce_interval_seconds', 'Mean interval that clients were told lately', ['proto'], (set) => {
    for (const [proto, { interval }] of Object.entries(measurements)) set({ proto }, interval);
  });
  counter(registry, 'btt_scrapes_total', 'Scrapes answered', ['proto'], (set) => {
    set({ proto: 'http' }, traffic.http.scrapes);
    set({ proto: 'udp' }, traffic.udp.scrapes);
    set({ proto: 'ws' }, traffic.websocket.scrapes);
  });
  counter(registry, 'btt_connects_total', 'Connection ids given out over UDP', [], (set) =>
    set({}, traffic.udp.connects),
  );
  counter(
    registry,
    'btt_failures_total',
    'Requests answered with an error: refused, malformed or for no page',
    ['proto'],
    (set) => {
      set({ proto: 'http' }, traffic.http.failures + traffic.http.unknown);
      set({ proto: 'udp' }, traffic.udp.errors);
      set({ proto: 'ws' }, traffic.websocket.failures);
    },
  );
  counter(registry, 'btt_datagrams_dropped_total', 'Datagrams that got no answer', [], (set) =>
    set({}, traffic.udp.dropped),
  );
}

function addWebSocketMetrics(registry: Registry, { traffic: { websocket } }: MetricsSources): void {
  gauge(registry, 'btt_websocket_connections', 'WebSockets open', [], (set) => set({}, websocket.connections));
  counter(registry, 'btt_websocket_refused_total', 'WebSockets refused', [], (set) => set({}, websocket.refused));
  counter(registry, 'btt_websocket_slow_total', 'WebSockets closed because they did not read', [], (set) =>
    set({}, websocket.slow),
  );
  counter(registry, 'btt_signals_total', 'Messages from one WebTorrent peer to another', ['kind'], (set) => {
    set({ kind: 'offer' }, websocket.offers);
    set({ kind: 'answer' }, websocket.answers);
    set({ kind: 'dropped' }, websocket.dropped);
    set({ kind: 'relayed' }, websocket.relayed);
    set({ kind: 'lost' }, websocket.lost);
  });
}

function addOperationMetrics(registry: Registry, { lists, reloads, natCheck, storeAvailable }: MetricsSources): void {
  gauge(registry, 'btt_store_available', 'Whether the swarms can be reached', [], (set) =>
    set({}, storeAvailable() ? 1 : 0),
  );
  counter(registry, 'btt_nat_checks_total', 'Connections back to announcers', ['result'], (set) => {
    const { reachable, unreachable, failed, skipped } = natCheck();
    for (const [result, value] of Object.entries({ reachable, unreachable, failed, skipped })) set({ result }, value);
  });
  gauge(registry, 'btt_list_entries', "Entries of the operator's lists that hold", ['list'], (set) => {
    for (const { list, entries } of lists()) set({ list }, entries);
  });
  gauge(registry, 'btt_list_overrides', 'Entries added or removed while running', ['list'], (set) => {
    for (const { list, overrides } of lists()) set({ list }, overrides.added.length + overrides.removed.length);
  });
  counter(registry, 'btt_reloads_total', 'Times the configuration or a list was read again', ['result'], (set) => {
    const { ok, failed } = reloads();
    set({ result: 'ok' }, ok);
    set({ result: 'failed' }, failed);
  });
}

function addSnapshotMetrics(registry: Registry, { snapshot }: MetricsSources): void {
  const add = (name: string, help: string, value: (view: SnapshotView) => number): void =>
    gauge(registry, name, help, [], (set) => {
      const view = snapshot?.();
      if (view !== undefined) set({}, value(view));
    });
  add('btt_snapshot_age_seconds', 'Time since the swarms were written', ({ ageSeconds }) => ageSeconds);
  add('btt_snapshot_bytes', 'How large that was', ({ bytes }) => bytes);
  add('btt_snapshot_duration_seconds', 'How long that took', ({ durationMs }) => durationMs / 1000);
}

type Set = (labels: Record<string, string>, value: number) => void;

function gauge(registry: Registry, name: string, help: string, labels: string[], read: (set: Set) => void): void {
  addMetric(Gauge, registry, name, help, labels, read);
}

/** A counter whose value is kept elsewhere. */
function counter(registry: Registry, name: string, help: string, labels: string[], read: (set: Set) => void): void {
  addMetric(Counter, registry, name, help, labels, read);
}

function addMetric(
  Kind: typeof Gauge | typeof Counter,
  registry: Registry,
  name: string,
  help: string,
  labels: string[],
  read: (set: Set) => void,
): void {
  const metric: Gauge | Counter = new Kind({
    name,
    help,
    labelNames: labels,
    registers: [registry],
    collect: () => {
      metric.reset();
      // Of nothing: what is added is the value.
      read((found, value) => metric.inc(found, value));
    },
  });
}

/** By hand, because prom-client fills histograms one observation at a time. */
function durationsOf({ measurements }: MetricsSources): string {
  const help = 'Time from a decoded request to its answer at the socket; over UDP one request in 64 is measured';
  const series = Object.entries(measurements).map(([proto, { announceDurations, scrapeDurations }]) => {
    const announces = announceDurations.exposition(durationName, `proto="${proto}",request="announce"`);
    return announces + scrapeDurations.exposition(durationName, `proto="${proto}",request="scrape"`);
  });
  return `# HELP ${durationName} ${help}\n# TYPE ${durationName} histogram\n${series.join('')}`;
}

/**
 * Peers that can be dialled by role and family, where a participant with two addresses counts in both families, and by
 * role alone, where it counts once. WebTorrent peers have no address that anybody is told.
 */
function peersOf({ signalled, ...counts }: TrackerCounts): PeerCount[] {
  const { ipv4Peers, ipv6Peers, ipv4Seeds, ipv6Seeds } = counts;
  return [
    { role: 'seeder', family: 'any', peers: counts.seeders - (signalled?.seeders ?? 0) },
    { role: 'leecher', family: 'any', peers: counts.leechers - (signalled?.leechers ?? 0) },
    { role: 'seeder', family: 'ipv4', peers: ipv4Seeds },
    { role: 'leecher', family: 'ipv4', peers: ipv4Peers - ipv4Seeds },
    { role: 'seeder', family: 'ipv6', peers: ipv6Seeds },
    { role: 'leecher', family: 'ipv6', peers: ipv6Peers - ipv6Seeds },
    { role: 'seeder', family: 'webtorrent', peers: signalled?.seeders ?? 0 },
    { role: 'leecher', family: 'webtorrent', peers: signalled?.leechers ?? 0 },
  ];
}

interface PeerCount {
  readonly role: 'seeder' | 'leecher';
  readonly family: 'ipv4' | 'ipv6' | 'webtorrent' | 'any';
  readonly peers: number;
}
