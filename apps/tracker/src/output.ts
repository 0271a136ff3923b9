// What the command prints: events on stdout, as lines for people or as JSON for programs. What happens in between is
// the log's, on stderr.
import type { TrackerCounts } from '@shoal/tracker';
import type { Traffic } from '@shoal/tracker-server';
import type { Urls } from './health.ts';

/** Where a run reports to. */
export interface Output {
  /** The servers are up; what is off is left out. */
  listening(urls: Urls): void;
  /** The servers are going down. */
  stopped(signal: string, counts: TrackerCounts, traffic: Traffic): void;
}

/** Writes text; a stream such as `process.stdout`. */
export interface Writable {
  write(text: string): unknown;
}

/** One JSON object a line. */
export function jsonOutput(stdout: Writable): Output {
  const print = (event: object): void => void stdout.write(`${JSON.stringify(event)}\n`);
  return {
    // In this order: scripts read lines by patterns.
    listening: ({ http, udp, websocket, admin }) => print({ event: 'listening', http, udp, websocket, admin }),
    stopped: (signal, swarms, traffic) => print({ event: 'stopped', signal, swarms, ...traffic }),
  };
}

/** Lines for people. */
export function textOutput(stdout: Writable): Output {
  return {
    listening: ({ http, udp, websocket, admin }) => {
      for (const url of [http, udp, websocket]) if (url !== undefined) stdout.write(`announce  ${url}/announce\n`);
      if (http !== undefined) stdout.write(`stats     ${http}/stats\n`);
      if (admin !== undefined) stdout.write(`admin     ${admin}/policy\n`);
    },
    stopped: (signal, counts) => {
      const { announces, scrapes } = counts;
      stdout.write(
        `stopped   ${signal}: ${announces} announces, ${scrapes} scrapes, ${counts.completed} downloads completed, ` +
          `${counts.seeders + counts.leechers} peers of ${counts.torrents} torrents at the end\n`,
      );
    },
  };
}
