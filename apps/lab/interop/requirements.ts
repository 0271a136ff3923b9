// Which programs of others are on this machine, by asking them for their version.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { hasWebRtcLink } from './namespace.ts';

export interface Requirement {
  readonly name: string;
  /** How to have it. */
  readonly remedy: string;
  isMet(): boolean;
}

/** Debian's own Python is the one that its modules are for. */
export const systemPython = '/usr/bin/python3';

export const transmissionDaemon: Requirement = debian('transmission-daemon', 'transmission-daemon', '--version');
export const aria2c: Requirement = debian('aria2', 'aria2c', '--version');
export const libtorrentModule: Requirement = debian('python3-libtorrent', systemPython, '-c', 'import libtorrent');
export const opentrackerProgram: Requirement = opentrackerRequirement();
export const redisServer: Requirement = debian('redis-server', 'redis-server', '--version');

const opponents = fileURLToPath(new URL('opponents/', import.meta.url));

export const bittorrentTrackerPackage: Requirement = {
  name: 'npm bittorrent-tracker',
  remedy: '`npm ci --ignore-scripts` in apps/lab/interop/opponents',
  isMet: isInstalled,
};

/** Debian's. */
export const chromiumPath = '/usr/bin/chromium';

/** A page in Chromium, with the browser build of npm webtorrent. */
export const chromium: Requirement = {
  name: 'chromium',
  remedy: `apt-get install chromium, npm webtorrent (${bittorrentTrackerPackage.remedy}), and network links of type veth`,
  isMet: () =>
    isInstalled() && hasWebRtcLink() && spawnSync(chromiumPath, ['--version'], { stdio: 'ignore' }).status === 0,
};

/** Gives npm webtorrent and bittorrent-tracker in Node a WebRTC whose binaries npm has, for the commonest platforms. */
export const webRtcPreload: string = fileURLToPath(new URL('opponents/webrtc.mjs', import.meta.url));

export const webRtcInNode: Requirement = {
  name: 'npm webtorrent with @roamhq/wrtc',
  remedy: `${bittorrentTrackerPackage.remedy} on a platform that @roamhq/wrtc is built for, and network links of type veth`,
  isMet: () => isInstalled() && hasWebRtcLink() && hasWebRtcBinding(),
};

function hasWebRtcBinding(): boolean {
  const words = [
    '--import',
    webRtcPreload,
    '--input-type=module',
    '--eval',
    "import 'webrtc-polyfill'; process.exit()",
  ];
  return spawnSync(process.execPath, words, { cwd: opponents, stdio: 'ignore' }).status === 0;
}

/** Installs the npm packages of others when they are missing; false when that does not work here. */
export function installOpponents(): boolean {
  if (isInstalled()) return true;
  const words = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  // npm's own words go to stderr: stdout belongs to the results.
  return spawnSync('npm', words, { cwd: opponents, stdio: ['ignore', 2, 2] }).status === 0;
}

function isInstalled(): boolean {
  if (!existsSync(`${opponents}node_modules`)) return false;
  try {
    const require = createRequire(`${opponents}package.json`);
    const wanted = (require('./package.json') as { dependencies: Record<string, string> }).dependencies;
    const { packages } = require('./node_modules/.package-lock.json') as {
      packages: Record<string, { version: string }>;
    };
    return Object.entries(wanted).every(([name, version]) => packages[`node_modules/${name}`]?.version === version);
  } catch {
    return false;
  }
}

/** opentracker changes its root and its user, and refuses to run where it cannot. */
function opentrackerRequirement(): Requirement {
  const installed = debian('opentracker', 'opentracker', '-h');
  const remedy = `${installed.remedy}, and root`;
  return { name: installed.name, remedy, isMet: () => hasOtherUsers() && installed.isMet() };
}

/** False in a user namespace that knows no user but its root. */
function hasOtherUsers(): boolean {
  const [line = ''] = readFileSync('/proc/self/uid_map', 'utf8').trim().split('\n');
  return Number(line.trim().split(/\s+/)[2]) > 1;
}

function debian(name: string, program: string, ...words: readonly string[]): Requirement {
  const isMet = (): boolean => {
    const { error, status } = spawnSync(program, words, { stdio: 'ignore' });
    // opentracker has no option that ends with status 0; a module that is missing does not.
    return error === undefined && (program !== systemPython || status === 0);
  };
  return { name, remedy: `apt-get install ${name}`, isMet };
}
