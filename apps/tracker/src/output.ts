// What the command prints: events on stdout, as lines for people or as JSON for programs; messages on stderr.
import type { TrackerCounts } from '@shoal/tracker';
import type { Traffic } from '@shoal/tracker-server';

/** Where a run reports to. */
export interface Output {
  readonly log: (message: string) => void;
  /** The servers are up; a transport that is off is undefined. */
  listening(http: string | undefined, udp: string | undefined): void;
  /** The servers are down. */
  stopped(signal: string, counts: TrackerCounts, traffic: Traffic): void;
}

/** Writes text; a stream such as `process.stdout`. */
export interface Writable {
  write(text: string): unknown;
}

/** One JSON object a line. */
export function jsonOutput(stdout: Writable, stderr: Writable): Output {
  const print = (event: object): void => void stdout.write(`${JSON.stringify(event)}\n`);
  return {
    log: (message) => stderr.write(`${message}\n`),
    listening: (http, udp) => print({ event: 'listening', http, udp }),
    stopped: (signal, swarms, { http, udp }) => print({ event: 'stopped', signal, swarms, http, udp }),
  };
}

/** Lines for people. */
export function textOutput(stdout: Writable, stderr: Writable): Output {
  return {
    log: (message) => stderr.write(`${message}\n`),
    listening: (http, udp) => {
      for (const url of [http, udp]) if (url !== undefined) stdout.write(`announce  ${url}/announce\n`);
      if (http !== undefined) stdout.write(`stats     ${http}/stats\n`);
    },
    stopped: (signal, counts, { http, udp }) => {
      const announces = http.announces + udp.announces;
      const scrapes = http.scrapes + udp.scrapes;
      stdout.write(
        `stopped   ${signal}: ${announces} announces, ${scrapes} scrapes, ${counts.completed} downloads completed, ` +
          `${counts.seeders + counts.leechers} peers of ${counts.torrents} torrents at the end\n`,
      );
    },
  };
}
