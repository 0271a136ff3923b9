// Which files of torrents a person wants, and how much: by number as they are listed, or by pattern. Pure.
import type { Metainfo } from '@shoal/metainfo';
import type { FilePriority } from '@shoal/session';
import { CommandError } from './exit-codes.ts';
import { visible } from './render/text.ts';

export interface FileChoice {
  /** Only these; all when there are none. */
  readonly select: readonly string[];
  readonly skip: readonly string[];
  readonly prefer: readonly string[];
  readonly defer: readonly string[];
}

export interface ListedFile {
  /** From 1, as people count; filler between files has none. */
  readonly number: number;
  /** Among all files of the torrent, from 0. */
  readonly index: number;
  /** With the torrent's name first, slashes between. */
  readonly path: string;
  readonly length: number;
}

export function listedFiles({ files }: Metainfo): ListedFile[] {
  const listed: ListedFile[] = [];
  for (const [index, { path, length, isPadding }] of files.entries())
    if (!isPadding) listed.push({ number: listed.length + 1, index, path: path.join('/'), length });
  return listed;
}

/**
 * One list of priorities for each torrent; undefined where everything is wanted alike.
 * @throws CommandError `usage` when a pattern matches nothing, or nothing of a torrent is left.
 */
export function prioritiesOf(
  torrents: readonly Metainfo[],
  choice: FileChoice,
): (readonly FilePriority[] | undefined)[] {
  const patterns = [...choice.select, ...choice.skip, ...choice.prefer, ...choice.defer];
  if (patterns.length === 0) return torrents.map(() => undefined);
  for (const pattern of patterns) requireMatch(torrents, pattern);
  return torrents.map((metainfo) => prioritiesOfOne(metainfo, choice));
}

/**
 * The file that a person calls by number, path or last name; without a word for it, the only one. Its place among all files.
 * @throws CommandError `usage` that lists what there is.
 */
export function fileCalled(metainfo: Metainfo, word: string | undefined): number {
  const files = listedFiles(metainfo);
  const [only, another] = files;
  if (word === undefined) {
    if (only !== undefined && another === undefined) return only.index;
    throw refusal(metainfo, `"${metainfo.name}" has ${files.length} files: --stdout FILE says which`);
  }
  const exact = files.filter(({ path, number }) => word === String(number) || namesOf(path).includes(word));
  const found = exact.length > 0 ? exact : files.filter(({ path }) => path.endsWith(`/${word}`));
  const [file] = found;
  if (file === undefined) throw refusal(metainfo, `there is no file ${word} in "${metainfo.name}"`);
  if (found.length > 1) throw refusal(metainfo, `${word} is the name of ${found.length} files: give the whole path`);
  return file.index;
}

function prioritiesOfOne(metainfo: Metainfo, { select, skip, prefer, defer }: FileChoice): FilePriority[] {
  const files = listedFiles(metainfo);
  const priorities = metainfo.files.map((): FilePriority => (select.length === 0 ? 'normal' : 'skip'));
  const set = (patterns: readonly string[], priority: FilePriority): void => {
    for (const file of files) if (patterns.some((pattern) => matches(pattern, file))) priorities[file.index] = priority;
  };
  // What is preferred is wanted, so it is selected too; what is skipped is skipped whatever else is said.
  set(select, 'normal');
  set(defer, 'low');
  set(prefer, 'high');
  set(skip, 'skip');
  if (!files.some(({ index }) => priorities[index] !== 'skip'))
    throw refusal(metainfo, `nothing of "${metainfo.name}" is selected: select some of it, or leave the torrent out`);
  return priorities;
}

function requireMatch(torrents: readonly Metainfo[], pattern: string): void {
  const [first] = torrents;
  if (first === undefined) return;
  if (isNumbers(pattern) && torrents.length > 1)
    throw new CommandError('usage', `${pattern} means files of one torrent, and ${torrents.length} are given`);
  for (const metainfo of torrents) {
    const files = listedFiles(metainfo);
    const last = isNumbers(pattern) ? Math.max(...rangesOf(pattern).flat()) : 0;
    if (last > files.length) throw refusal(metainfo, `there is no file ${last} in "${metainfo.name}"`);
    if (files.some((file) => matches(pattern, file))) return;
  }
  throw refusal(first, `no file matches ${pattern}`);
}

/** Files spelled out; `--list` has them all. */
const maxListed = 20;

function refusal(metainfo: Metainfo, what: string): CommandError {
  const files = listedFiles(metainfo);
  const lines = files.slice(0, maxListed).map(({ number, path }) => `  ${number}  ${visible(path)}`);
  const more = files.length > maxListed ? [`  and ${files.length - maxListed} more, see --list`] : [];
  return new CommandError('usage', [`${visible(what)}; there are:`, ...lines, ...more].join('\n'));
}

const isNumbers = (pattern: string): boolean => /^\d{1,9}(?:-\d{1,9})?(?:,\d{1,9}(?:-\d{1,9})?)*$/.test(pattern);

const rangesOf = (numbers: string): [first: number, last: number][] =>
  numbers.split(',').map((range) => {
    const [first = '', last = first] = range.split('-');
    return [Number(first), Number(last)];
  });

function matches(pattern: string, file: ListedFile): boolean {
  if (isNumbers(pattern)) return rangesOf(pattern).some(([first, last]) => file.number >= first && file.number <= last);
  const parts = file.path.split('/');
  const [name = ''] = parts;
  // A word without a slash may be any name on the way; one with a slash begins at the torrent's name or right below it.
  const candidates = pattern.includes('/')
    ? parts.flatMap((_part, i) => namesOf(parts.slice(0, i + 1).join('/')))
    : parts.length === 1
      ? [name]
      : parts.slice(1);
  const expression = expressionOf(pattern);
  return candidates.some((candidate) => candidate === pattern || expression.test(candidate));
}

/** A path with the torrent's name, and without it. */
function namesOf(path: string): string[] {
  const slash = path.indexOf('/');
  return slash < 0 ? [path] : [path, path.slice(slash + 1)];
}

/** `*` and `?` stay within a name, `**` crosses slashes. Brackets and braces mean themselves: names are full of them. */
function expressionOf(pattern: string): RegExp {
  const source = pattern
    .replace(/\/$/, '')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/|\*+|\?/g, (wild) => {
      if (wild === '**/') return '(?:.*/)?';
      if (wild === '?') return '[^/]';
      return wild.length > 1 ? '.*' : '[^/]*';
    });
  return new RegExp(`^${source}$`, 'u');
}
