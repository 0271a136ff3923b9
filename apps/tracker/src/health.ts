// What a supervisor or load balancer asks: is the process alive, and does it serve?
import type { ServeOptions } from './configuration/settings.ts';

/** Where a tracker listens; what is off, or not yet up, is undefined. */
export interface Urls {
  readonly http?: string;
  readonly udp?: string;
  readonly websocket?: string;
  readonly admin?: string;
}

/** The object of /readyz. */
export interface Health {
  readonly ready: boolean;
  /** By transport; those that are off are left out. */
  readonly listening: Readonly<Record<string, boolean>>;
  /** Whether the swarms can be reached; those in memory always can. */
  readonly store: boolean;
  /** Whether configuration and lists are those of their files; if not, those read before serve on, and the log says why. */
  readonly configuration: boolean;
}

/** Ready is a tracker that listens wherever it is meant to and knows its swarms. */
export function health(
  urls: Urls,
  { http, udp }: Pick<ServeOptions, 'http' | 'udp'>,
  store: boolean,
  configuration: boolean,
): Health {
  const listening = {
    ...(http !== 'off' && { http: urls.http !== undefined }),
    ...(udp !== 'off' && { udp: urls.udp !== undefined }),
  };
  return { ready: store && Object.values(listening).every(Boolean), listening, store, configuration };
}

/** The object of /healthz: whoever can answer is alive. */
export const alive = { alive: true } as const;
