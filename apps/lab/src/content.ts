// What the swarm shares: a file or a folder as it lies on this machine.
import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { LabError } from './exit-codes.ts';

export interface Content {
  /** Absolute, links followed. */
  readonly path: string;
  /** The folder that holds it: what the origin seeds from. */
  readonly parent: string;
  readonly isFolder: boolean;
}

/** @throws LabError `input`. */
export async function contentAt(place: string): Promise<Content> {
  try {
    const real = await realpath(place);
    const facts = await stat(real);
    if (!facts.isFile() && !facts.isDirectory()) throw new Error('it is neither a file nor a folder');
    return { path: real, parent: path.dirname(real), isFolder: facts.isDirectory() };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file or folder' : message;
    throw new LabError('input', `cannot share ${place}: ${why}`, { cause: error });
  }
}

/** Whether `inner` is `outer` or lies in it: a swarm must not write into what it shares. */
export function isBelow(inner: string, outer: string): boolean {
  const relative = path.relative(outer, inner);
  return relative === '' || (relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative));
}
