// The numbers of listening sockets in this process: a process that is started can be given sockets by number, and Node
// does not tell those of threads. Linux does, in two lists that are held together here. proc_pid_fd(5), proc_pid_net(5).
import { readFile, readdir, readlink } from 'node:fs/promises';
import { endianness } from 'node:os';
import { type Endpoint, canonicalIp, formatIp } from '@shoal/tracker-protocol';

/** The first number in a process that is started with others' sockets: after its standard streams and its channel. */
export const firstInherited = 4;

/** `TCP_LISTEN` and `TCP_CLOSE` of the kernel, which is what a socket of UDP without a peer is in. */
const states = { http: '0A', udp: '07' } as const;
const tables = { http: ['tcp', 'tcp6'], udp: ['udp', 'udp6'] } as const;

/** Columns of a table; a line begins with the number of the entry. */
const [localColumn, stateColumn, inodeColumn] = [1, 3, 9];

/** Numbers of the sockets of this process that listen at an address, in ascending order; none where the system does not tell. */
export async function listeningDescriptors(transport: 'http' | 'udp', address: Endpoint): Promise<number[]> {
  const [lines, own] = await Promise.all([linesOf(transport), ownSockets()]);
  const inodes = lines
    .filter((columns) => columns[stateColumn] === states[transport] && isAt(columns[localColumn] ?? '', address))
    .map((columns) => columns[inodeColumn]);
  return inodes.flatMap((inode) => own.get(inode ?? '') ?? []).toSorted((one, other) => one - other);
}

/** Columns of the lines that may be meant: there is a line for every connection of this machine, and few of them are. */
async function linesOf(transport: 'http' | 'udp'): Promise<string[][]> {
  const names = tables[transport];
  const texts = await Promise.all(names.map((name) => readFile(`/proc/self/net/${name}`, 'utf8').catch(() => '')));
  const lines = texts.flatMap((text) => text.split('\n').filter((line) => line.includes(` ${states[transport]} `)));
  return lines.map((line) => line.trim().split(/\s+/));
}

/** Numbers by inode. */
async function ownSockets(): Promise<ReadonlyMap<string, number>> {
  const folder = '/proc/self/fd';
  const names = await readdir(folder).catch(() => []);
  const found = await Promise.all(
    names.map(async (name): Promise<readonly (readonly [inode: string, descriptor: number])[]> => {
      // Some are closed while we look.
      const inode = /^socket:\[(\d+)\]$/.exec(await readlink(`${folder}/${name}`).catch(() => ''))?.[1];
      return inode === undefined ? [] : [[inode, Number(name)]];
    }),
  );
  return new Map(found.flat());
}

/** Whether `0100007F:1F90` is that address: words of 32 bits as the processor has them, and a port. */
function isAt(text: string, { ip, port }: Endpoint): boolean {
  const [digits = '', portDigits = ''] = text.split(':');
  if (Number.parseInt(portDigits, 16) !== port) return false;
  const bytes = Buffer.from(digits, 'hex');
  if (bytes.length !== 4 && bytes.length !== 16) return false;
  if (endianness() === 'LE') bytes.swap32();
  return canonicalIp(formatIp(bytes)) === canonicalIp(ip);
}
