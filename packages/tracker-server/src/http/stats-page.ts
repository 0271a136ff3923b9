// What /stats shows: the tracker's own counts, as a page for people and as JSON for programs.
import type { Tracker, TrackerCounts } from '@shoal/tracker';
import type { Traffic } from '../traffic.ts';

/** The object of /stats.json. */
export interface Stats {
  readonly uptimeSeconds: number;
  /** Seconds between regular announces. */
  readonly interval: number;
  readonly swarms: TrackerCounts;
  readonly http: Traffic['http'];
  readonly udp: Traffic['udp'];
}

/** The state of a tracker at `now`; both times in ms. */
export function statsOf(tracker: Tracker, traffic: Traffic, started: number, now: number): Stats {
  const { http, udp } = traffic;
  const uptimeSeconds = Math.floor((now - started) / 1000);
  return { uptimeSeconds, interval: tracker.interval(now), swarms: tracker.counts, http, udp };
}

/** The page. Contains numbers only: nothing a remote sent is ever shown. */
export function statsPage({ uptimeSeconds, interval, swarms, http, udp }: Stats): string {
  const sections = [
    section('Swarms', {
      Torrents: swarms.torrents,
      Seeders: swarms.seeders,
      Leechers: swarms.leechers,
      'IPv4 peers': swarms.ipv4Peers,
      'IPv6 peers': swarms.ipv6Peers,
      'Downloads completed': swarms.completed,
      'Peers expired': swarms.expired,
      'Announces refused': swarms.refused,
      'Peers not listed': swarms.unlisted,
    }),
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
  ];
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
<p>Up for ${duration(uptimeSeconds)}; peers announce every ${interval} seconds. <a href="/stats.json">As JSON</a></p>
${sections.join('\n')}
</body>
</html>
`;
}

function section(caption: string, rows: Readonly<Record<string, number>>): string {
  const lines = Object.entries(rows).map(
    ([name, value]) => `<tr><th scope="row">${name}</th><td>${value.toLocaleString('en')}</td></tr>`,
  );
  return `<table><caption>${caption}</caption>\n${lines.join('\n')}\n</table>`;
}

function duration(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const clock = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  return `${days > 0 ? `${days} d ` : ''}${clock.map((part) => String(part).padStart(2, '0')).join(':')}`;
}
