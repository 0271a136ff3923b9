// What /stats shows: the tracker's own counts and how busy it is, as a page for people and as JSON for programs.
import type { Tracker, TrackerCounts } from '@shoal/tracker';
import type { Traffic } from '../traffic.ts';
import { LoadMeter } from './load-meter.ts';

/** The object of /stats.json. */
export interface Stats {
  readonly uptimeSeconds: number;
  /** Seconds between regular announces, about. */
  readonly interval: number;
  /** Over the last ten seconds. */
  readonly announcesPerSecond: number;
  readonly memory: {
    /** What the process takes of the machine. */
    readonly residentBytes: number;
    /** Typed arrays, such as peers in memory. */
    readonly arrayBufferBytes: number;
  };
  readonly swarms: TrackerCounts;
  readonly http: Traffic['http'];
  readonly udp: Traffic['udp'];
  readonly websocket: Traffic['websocket'];
}

/** Between two looks at the counters. */
const lookMs = 1000;

/** Numbers about a running tracker. Looks at its counters once a second until it is disposed. */
export class TrackerStats implements Disposable {
  readonly #tracker: Tracker;
  readonly #traffic: Traffic;
  readonly #clock: () => number;
  readonly #interval: () => number;
  readonly #started: number;
  readonly #load = new LoadMeter();
  readonly #timer: NodeJS.Timeout;

  /**
   * `clock`: monotonic ms, that of the tracker's servers. `interval`: the seconds to show, as told lately; asking the
   * tracker, which is the default, draws one as though for a client.
   */
  constructor(tracker: Tracker, traffic: Traffic, clock: () => number, interval?: () => number) {
    this.#interval = interval ?? ((): number => tracker.interval(clock()));
    this.#tracker = tracker;
    this.#traffic = traffic;
    this.#clock = clock;
    this.#started = clock();
    this.#timer = setInterval(() => this.#load.look(tracker.counts.announces, clock()), lookMs).unref();
  }

  /** As of now. */
  read(): Stats {
    const now = this.#clock();
    const swarms = this.#tracker.counts;
    const { rss: residentBytes, arrayBuffers: arrayBufferBytes } = process.memoryUsage();
    return {
      uptimeSeconds: Math.floor((now - this.#started) / 1000),
      interval: this.#interval(),
      announcesPerSecond: this.#load.perSecond(swarms.announces, now),
      memory: { residentBytes, arrayBufferBytes },
      swarms,
      http: this.#traffic.http,
      udp: this.#traffic.udp,
      websocket: this.#traffic.websocket,
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** The page. Contains numbers and our own words only: nothing a remote sent is ever shown. */
export function statsPage(stats: Stats): string {
  const { uptimeSeconds, interval, announcesPerSecond } = stats;
  const load = announcesPerSecond.toLocaleString('en', { maximumFractionDigits: 1 });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="10">
<title>Tracker statistics</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light dark; }
table { border-collapse: collapse; width: 100%; margin-bottom: 1.5rem; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th { text-align: left; font-weight: 400; }
td { text-align: right; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid #8884; padding: .15rem 0; }
</style>
</head>
<body>
<h1>Tracker statistics</h1>
<p>Up for ${duration(uptimeSeconds)}; ${load} announces a second; peers announce every ${interval} seconds. <a href="/stats.json">As JSON</a></p>
${sectionsOf(stats).join('\n')}
</body>
</html>
`;
}

function sectionsOf({ swarms, http, udp, websocket, memory }: Stats): string[] {
  const refusals = Object.entries(swarms.refusals).map(
    ([reason, count]) => [reason.replaceAll('-', ' '), count] as const,
  );
  return [
    section('Swarms', {
      Torrents: swarms.torrents,
      Seeders: swarms.seeders,
      Leechers: swarms.leechers,
      'IPv4 peers': swarms.ipv4Peers,
      'IPv6 peers': swarms.ipv6Peers,
      ...(swarms.signalled !== undefined && {
        'WebTorrent peers': swarms.signalled.seeders + swarms.signalled.leechers,
      }),
      'Downloads completed': swarms.completed,
      'Peers expired': swarms.expired,
      'Announces refused': swarms.refused,
      'Peers not listed': swarms.unlisted,
    }),
    ...(refusals.length === 0 ? [] : [section('Refused because', Object.fromEntries(refusals))]),
    section('HTTP', {
      Announces: http.announces,
      Scrapes: http.scrapes,
      Failures: http.failures,
      'Unknown requests': http.unknown,
    }),
    section('UDP', {
      Connects: udp.connects,
      Announces: udp.announces,
      Scrapes: udp.scrapes,
      Errors: udp.errors,
      Dropped: udp.dropped,
    }),
    section('WebSocket', {
      'Connections open': websocket.connections,
      Announces: websocket.announces,
      Scrapes: websocket.scrapes,
      'Offers passed on': websocket.offers,
      'Answers passed back': websocket.answers,
      'Handed to other nodes': websocket.relayed,
      'Lost on the way': websocket.lost,
      Failures: websocket.failures,
    }),
    section('Memory in MiB', {
      Resident: mebibytes(memory.residentBytes),
      'Typed arrays': mebibytes(memory.arrayBufferBytes),
    }),
  ];
}

function section(caption: string, rows: Readonly<Record<string, number>>): string {
  const lines = Object.entries(rows).map(
    ([name, value]) => `<tr><th scope="row">${name}</th><td>${value.toLocaleString('en')}</td></tr>`,
  );
  return `<table><caption>${caption}</caption>\n${lines.join('\n')}\n</table>`;
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / (1024 * 1024));
}

function duration(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const clock = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  return `${days > 0 ? `${days} d ` : ''}${clock.map((part) => String(part).padStart(2, '0')).join(':')}`;
}
