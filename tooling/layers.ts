// The one list of packages, their kind and what each may import (ARCHITECTURE.md draws it). An arrow not here is an error.
export type Kind = 'pure' | 'node' | 'app' | 'private';

export interface Layer {
  readonly kind: Kind;
  /** Direct arrows; what these reach may be imported too. */
  readonly arrows: readonly string[];
}

export const layers: Readonly<Record<string, Layer>> = {
  '@shoal/bencode': { kind: 'pure', arrows: [] },
  '@shoal/pieces': { kind: 'pure', arrows: [] },
  '@shoal/choker': { kind: 'pure', arrows: [] },
  '@shoal/wire': { kind: 'pure', arrows: ['@shoal/bencode', '@shoal/pieces'] },
  '@shoal/picker': { kind: 'pure', arrows: ['@shoal/pieces'] },
  '@shoal/tracker-protocol': { kind: 'pure', arrows: ['@shoal/bencode'] },
  '@shoal/torrent': {
    kind: 'pure',
    arrows: ['@shoal/wire', '@shoal/picker', '@shoal/choker', '@shoal/tracker-protocol'],
  },
  '@shoal/tracker': { kind: 'pure', arrows: ['@shoal/tracker-protocol'] },
  '@shoal/sim': { kind: 'pure', arrows: ['@shoal/torrent', '@shoal/tracker'] },
  '@shoal/metainfo': { kind: 'node', arrows: ['@shoal/bencode', '@shoal/pieces'] },
  '@shoal/tracker-client': { kind: 'node', arrows: ['@shoal/tracker-protocol'] },
  '@shoal/tracker-server': { kind: 'node', arrows: ['@shoal/tracker'] },
  '@shoal/tracker-redis': { kind: 'node', arrows: ['@shoal/tracker'] },
  '@shoal/storage': { kind: 'node', arrows: ['@shoal/pieces'] },
  '@shoal/tracker-conformance': { kind: 'node', arrows: ['@shoal/tracker-protocol'] },
  '@shoal/session': {
    kind: 'node',
    arrows: ['@shoal/torrent', '@shoal/tracker-client', '@shoal/storage', '@shoal/metainfo'],
  },
  shoal: { kind: 'app', arrows: ['@shoal/session'] },
  'shoal-tracker': { kind: 'app', arrows: ['@shoal/tracker-server', '@shoal/tracker-redis', '@shoal/tracker-client'] },
  // The lab starts the other two apps as processes: they are dependencies, never imports.
  'shoal-lab': {
    kind: 'app',
    arrows: ['@shoal/session', '@shoal/tracker-server', '@shoal/sim', 'shoal', 'shoal-tracker'],
  },
};

/** Everything `name` may import: its arrows and what they reach. */
export function reachable(name: string): Set<string> {
  const found = new Set<string>();
  const visit = (from: string): void => {
    for (const next of layers[from]?.arrows ?? []) {
      if (found.has(next)) continue;
      found.add(next);
      visit(next);
    }
  };
  visit(name);
  return found;
}
