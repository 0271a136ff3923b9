// Puts the suite into a network and process namespace of its own: nothing leaves the machine, no port collides, every
// client has an address to itself, and whatever is still running when the suite ends, ends with it.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Tells the suite inside that it is inside, and where it may write. */
const scratchVariable = 'SHOAL_INTEROP_SCRATCH';

/** Why there can be no namespace, or how to make one. */
export type NamespaceProbe =
  | { readonly possible: true; readonly words: readonly string[] }
  | { readonly possible: false; readonly reason: string };

/** The scratch folder; undefined outside the namespace. */
export const scratchFolder: string | undefined = process.env[scratchVariable];

/** Finds the words before a command that run it in a namespace; root is had where it is, mapped where it is not. */
export function probeNamespace(): NamespaceProbe {
  if (process.platform !== 'linux') return { possible: false, reason: 'network namespaces need Linux' };
  if (spawnSync('ip', ['-V']).error !== undefined) return { possible: false, reason: 'there is no ip (iproute2)' };
  const isolation = ['unshare', '--net', '--pid', '--fork', '--kill-child'];
  const words = process.getuid?.() === 0 ? isolation : [...isolation, '--map-root-user'];
  const [program = '', ...options] = words;
  const tried = spawnSync(program, [...options, 'ip', 'link', 'set', 'lo', 'up'], { encoding: 'utf8' });
  if (tried.error === undefined && tried.status === 0) return { possible: true, words };
  const detail = tried.error?.message ?? tried.stderr.trim();
  return { possible: false, reason: `needs root, or unprivileged user namespaces: ${detail}` };
}

/** Runs this very program again inside, with a scratch folder for the time; answers its exit status. */
export async function runInside(words: readonly string[]): Promise<number> {
  const scratch = await mkdtemp(join(tmpdir(), 'shoal-interop-'));
  try {
    const [program = '', ...options] = words;
    const child = spawn(program, [...options, process.execPath, ...process.argv.slice(1)], {
      stdio: 'inherit',
      env: { ...process.env, [scratchVariable]: scratch },
    });
    // The first process of a namespace gets no signal it does not handle; it is this one that ends the namespace.
    let stopped: number | undefined;
    const stop = (exitCode: number) => (): void => {
      stopped = exitCode;
      child.kill('SIGKILL');
    };
    process.once('SIGINT', stop(130)).once('SIGTERM', stop(143));
    const [status] = (await once(child, 'exit')) as [number | null];
    return stopped ?? status ?? 1;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Brings loopback up with every address of `addressOf`: it owns the whole network of an address that it has. */
export function bringUpLoopback(): void {
  const networks = ['10.77.0.1/16', '11.77.0.1/16'].map((network) => `address add ${network} dev lo\n`);
  const commands = `link set lo up\n${networks.join('')}`;
  const done = spawnSync('ip', ['-batch', '-'], { input: commands, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`cannot set up loopback: ${done.error?.message ?? done.stderr}`);
}

/** WebRTC uses no loopback device; a pair of its own kind leads nowhere else either. */
const webRtcLink = 'shoal0';

/** Gives WebRTC a network card to find its address by, where the kernel has the kind; without one its cells are skipped. */
export function bringUpWebRtcLink(): void {
  const commands = [
    `link add ${webRtcLink} type veth peer name shoal1`,
    `address add 10.78.0.1/24 dev ${webRtcLink}`,
    `link set ${webRtcLink} up`,
    'link set shoal1 up',
    // A page may know only the address of the default route (RFC 8828 mode 2). Behind this one there is nobody.
    `route add default via 10.78.0.2 dev ${webRtcLink}`,
  ];
  spawnSync('ip', ['-batch', '-'], { input: `${commands.join('\n')}\n`, stdio: ['pipe', 'ignore', 'ignore'] });
}

export function hasWebRtcLink(): boolean {
  return spawnSync('ip', ['link', 'show', 'up', 'dev', webRtcLink], { stdio: 'ignore' }).status === 0;
}

/** Not in 127.0.0.0/8, where Transmission dials nobody. */
export function addressOf(net: number, host: number): string {
  return `10.77.${net}.${host}`;
}

/** The same of the open internet, as far as anybody can tell from the address: nothing leaves the namespace. */
export function publicAddressOf(net: number, host: number): string {
  return `11.77.${net}.${host}`;
}
