// The clients that seed to and download from each other: how each is started, and the word with which it says that it
// is ready or done. Measured, not judged: everyone runs with the limits it comes with.
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inNamespace } from '../network.ts';

const here = import.meta.dirname;
/** As users have it: compiled, and every package of ours too. */
const client = ['-C', 'built', path.join(here, '../../apps/client/dist/main.js')];
const opponents = path.join(here, '../opponents');
const loopDelay = ['--import', path.join(here, 'loop-delay.mjs')];

/** What one process of a run has to do. */
export interface Job {
  readonly mode: 'seed' | 'leech';
  readonly torrent: string;
  /** Holds, or will hold, the name of the torrent. */
  readonly directory: string;
  readonly address: string;
  readonly port: number;
  /** `address:port` of peers to dial. */
  readonly peers: readonly string[];
  /** A folder for what the client writes about itself. */
  readonly home: string;
}

export interface Contestant {
  readonly name: string;
  /** Undefined when it can run here; else what is missing. */
  missing(): string | undefined;
  command(job: Job): readonly string[];
  /** Matches its output when the content is checked and served, and when it is all there. */
  readonly ready: RegExp;
  readonly done: RegExp;
  /** Matches the output of a downloader that can be dialled; undefined when it does not say, so that it meets one peer only. */
  readonly listening?: RegExp;
  /** It cannot be told of a peer by hand, or makes less of it, so a tracker tells it. */
  readonly needsTracker?: boolean;
  /** Memory-mapped payload counts as memory of its own in VmHWM: look at anonymous memory instead. */
  readonly mapsPayload?: boolean;
  /** It runs on Node with our preload, so the delay of its event loop can be asked for. */
  readonly tellsLoopDelay?: boolean;
  /** On a machine with two cores, to say beforehand how long a run takes: from start to listening, and MB/s to itself. */
  readonly startSeconds: number;
  readonly expectedRate: number;
  /** Bound by its own timers: gets less content and fewer rounds. */
  readonly slow?: boolean;
}

export const shoal: Contestant = {
  name: 'shoal',
  missing: () => undefined,
  command: ({ mode, torrent, directory, address, port, peers }) => [
    process.execPath,
    ...loopDelay,
    ...client,
    ...(mode === 'seed' ? ['seed'] : ['download', '--seed']),
    torrent,
    '-d',
    directory,
    '--port',
    String(port),
    '--bind',
    address,
    '--jsonl',
    '--interval-ms',
    '1000',
    ...peers.flatMap((peer) => ['--peer', peer]),
  ],
  ready: /"event":"added"/,
  done: /"event":"completed"/,
  listening: /"event":"added"/,
  tellsLoopDelay: true,
  startSeconds: 0.4,
  expectedRate: 500,
};

export const libtorrent: Contestant = {
  name: 'libtorrent',
  missing: () =>
    spawnSync('/usr/bin/python3', ['-c', 'import libtorrent']).status === 0 ? undefined : "Debian's python3-libtorrent",
  command: ({ mode, torrent, directory, address, port, peers }) => [
    '/usr/bin/python3',
    path.join(here, 'lt-peer.py'),
    mode,
    torrent,
    directory,
    `${address}:${port}`,
    ...peers,
  ],
  ready: /READY/,
  done: /DONE/,
  listening: /LISTENING/,
  mapsPayload: true,
  // It dials peers given by hand at its next tick, half a second later, and those of a tracker at once.
  needsTracker: true,
  startSeconds: 0.2,
  expectedRate: 500,
};

export const webtorrent: Contestant = {
  name: 'webtorrent',
  missing: () =>
    existsSync(path.join(opponents, 'node_modules/webtorrent'))
      ? undefined
      : 'npm webtorrent (npm ci --ignore-scripts in bench/opponents)',
  command: ({ mode, torrent, directory, port, peers }) => [
    process.execPath,
    ...loopDelay,
    '--import',
    path.join(opponents, 'without-webrtc.mjs'),
    path.join(opponents, 'webtorrent.mjs'),
    mode,
    torrent,
    directory,
    String(port),
    ...peers,
  ],
  ready: /READY/,
  done: /DONE/,
  listening: /LISTENING/,
  tellsLoopDelay: true,
  startSeconds: 0.8,
  expectedRate: 250,
};

export const aria2: Contestant = {
  name: 'aria2',
  missing: () => (runs('aria2c', '--version') ? undefined : "Debian's aria2"),
  command: ({ mode, torrent, directory, address, port }) => [
    'aria2c',
    '--no-conf',
    '--console-log-level=notice',
    '--show-console-readout=false',
    '--summary-interval=0',
    '--enable-dht=false',
    '--enable-dht6=false',
    '--bt-enable-lpd=false',
    '--enable-peer-exchange=false',
    '--disable-ipv6=true',
    '--file-allocation=none',
    '--seed-ratio=0.0',
    `--interface=${address}`,
    `--listen-port=${port}`,
    `--dir=${directory}`,
    `--torrent-file=${torrent}`,
    // Its own way of telling: it runs a program, and this one prints what it is given.
    ...(mode === 'seed'
      ? ['--check-integrity=true', '--bt-hash-check-seed=true']
      : ['--on-bt-download-complete=/bin/echo', '--bt-max-peers=0']),
  ],
  ready: /listening on TCP port/,
  done: /^[0-9a-f]{16} \d+ /m,
  needsTracker: true,
  startSeconds: 2,
  expectedRate: 500,
};

export const rtorrent: Contestant = {
  name: 'rtorrent',
  missing: () => (runs('rtorrent', '-h') ? undefined : "Debian's rtorrent"),
  command: ({ mode, torrent, directory, address, port, home }) => {
    const event = mode === 'seed' ? 'hash_done' : 'finished';
    const word = mode === 'seed' ? 'READY' : 'DONE';
    const said = path.join(home, 'said');
    const rules = [
      'system.daemon.set = true',
      `network.bind_address.set = ${address}`,
      `network.local_address.set = ${address}`,
      `network.port_range.set = ${port}-${port}`,
      'network.port_random.set = no',
      'dht.mode.set = disable',
      'protocol.pex.set = no',
      'protocol.encryption.set = none',
      `directory.default.set = ${directory}`,
      String.raw`method.set_key = event.download.${event},told,"execute.nothrow=sh,-c,\"echo ${word} > ${said}\""`,
      `load.start = ${torrent}`,
    ];
    const file = path.join(home, 'rtorrent.rc');
    writeFileSync(file, `${rules.join('\n')}\n`);
    // It gives its children another standard output than its own.
    return ['sh', '-c', 'mkfifo "$1" && { cat 0<>"$1" & exec rtorrent -n -o "import=$2"; }', 'sh', said, file];
  },
  ready: /READY/,
  done: /DONE/,
  needsTracker: true,
  mapsPayload: true,
  startSeconds: 0.3,
  expectedRate: 500,
};

export const transmission: Contestant = {
  name: 'Transmission',
  missing: () => {
    if (!runs('transmission-daemon', '--version') || !runs('transmission-remote', '--version'))
      return "Debian's transmission-daemon or transmission-cli";
    return inNamespace ? undefined : 'a network namespace (root): it dials nobody on 127.0.0.0/8, and that';
  },
  command: ({ mode, torrent, directory, address, port, home }) => [
    'sh',
    path.join(here, 'transmission-peer.sh'),
    mode,
    torrent,
    directory,
    address,
    String(port),
    home,
  ],
  ready: /READY/,
  done: /DONE/,
  needsTracker: true,
  slow: true,
  startSeconds: 13,
  expectedRate: 8,
};

export const contestants: readonly Contestant[] = [shoal, libtorrent, aria2, rtorrent, webtorrent, transmission];

function runs(program: string, option: string): boolean {
  return spawnSync(program, [option]).error === undefined;
}
