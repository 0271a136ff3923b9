// The clients that seed to and download from each other: how each is started, and the word with which it says that it
// is ready or done.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

const here = import.meta.dirname;
const root = path.join(here, '..', '..');

export interface Contestant {
  readonly name: string;
  /** Undefined when it can run here; else what is missing. */
  missing(): string | undefined;
  /** Memory-mapped payload counts as memory of its own in VmHWM: look at anonymous memory instead. */
  readonly mapsPayload: boolean;
  command(mode: 'seed' | 'leech', torrent: string, directory: string, port: number, peer?: string): readonly string[];
  /** Matches its output when the content is checked and served, and when it is all there. */
  readonly ready: RegExp;
  readonly done: RegExp;
}

const shoal: Contestant = {
  name: 'shoal',
  missing: () => undefined,
  mapsPayload: false,
  command: (mode, torrent, directory, port, peer) => {
    const common = [
      torrent,
      '-d',
      directory,
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--jsonl',
      '--interval-ms',
      '1000',
    ];
    const main = [process.execPath, path.join(root, 'apps/client/src/main.ts')];
    if (mode === 'seed') return [...main, 'seed', ...common];
    return [...main, 'download', '--seed', ...common, ...(peer === undefined ? [] : ['--peer', peer])];
  },
  ready: /"event":"added"/,
  done: /"event":"completed"/,
};

const libtorrent: Contestant = {
  name: 'libtorrent',
  missing: () =>
    spawnSync('/usr/bin/python3', ['-c', 'import libtorrent']).status === 0 ? undefined : "Debian's python3-libtorrent",
  mapsPayload: true,
  command: (mode, torrent, directory, port, peer) => [
    '/usr/bin/python3',
    path.join(here, 'lt-peer.py'),
    mode,
    torrent,
    directory,
    String(port),
    ...(peer === undefined ? [] : [peer]),
  ],
  ready: /READY/,
  done: /DONE/,
};

const opponents = path.join(here, '..', 'opponents');

const webtorrent: Contestant = {
  name: 'webtorrent',
  missing: () =>
    existsSync(path.join(opponents, 'node_modules/webtorrent'))
      ? undefined
      : 'npm webtorrent (npm ci --ignore-scripts in bench/opponents)',
  mapsPayload: false,
  command: (mode, torrent, directory, port, peer) => [
    process.execPath,
    '--import',
    path.join(opponents, 'without-webrtc.mjs'),
    path.join(opponents, 'webtorrent.mjs'),
    mode,
    torrent,
    directory,
    String(port),
    ...(peer === undefined ? [] : [peer]),
  ],
  ready: /READY/,
  done: /DONE/,
};

/** Seeder and downloader of each row. */
export const pairings: readonly (readonly [Contestant, Contestant])[] = [
  [shoal, shoal],
  [shoal, libtorrent],
  [libtorrent, shoal],
  [libtorrent, libtorrent],
  [shoal, webtorrent],
  [webtorrent, shoal],
  [webtorrent, webtorrent],
];
