// The form that all lists share: one entry a line, blanks around it, comments from a # that begins a line or follows
// a blank. Works on bytes: a list of ten million info-hashes is longer than the longest text.
import { PolicyListError, type PolicyListErrorCode } from '../../errors.ts';

/** One entry: bytes `start` to `end` of `content`. `line` counts from 1. */
export interface ListEntry {
  readonly content: Uint8Array;
  start: number;
  end: number;
  line: number;
  /** Where its line starts. */
  lineStart: number;
}

/** The entries of a list, in order. The object is the same every time. */
export function* entriesOf(content: Uint8Array): Generator<ListEntry> {
  const entry: ListEntry = { content, start: 0, end: 0, line: 0, lineStart: 0 };
  for (let at = startsWithMark(content) ? 3 : 0; at < content.length; at++) {
    entry.line++;
    entry.lineStart = at;
    const end = lineEnd(content, at);
    trim(entry, at, end);
    if (entry.start < entry.end) yield entry;
    at = end;
    if (content[end] === carriageReturn && content[end + 1] === lineFeed) at++;
  }
}

/** How many line ends there are, of one byte: with one more at least as many as entries. */
export function countLineEnds(content: Uint8Array): number {
  let ends = 0;
  for (let at = 0; at < content.length; at++) if (content[at] === lineFeed || content[at] === carriageReturn) ends++;
  return ends;
}

/** The entry as text, one character a byte. */
export function textOf({ content, start, end }: ListEntry): string {
  let text = '';
  for (let at = start; at < end; at++) text += String.fromCharCode(content[at]!);
  return text;
}

/** The error of an entry. */
export function listError(code: PolicyListErrorCode, entry: ListEntry): PolicyListError {
  const shown = textOf({ ...entry, end: Math.min(entry.end, entry.start + 80) }).replaceAll(/[^ -~]/g, '?');
  return new PolicyListError(code, entry.line, entry.start - entry.lineStart + 1, shown);
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const hash = 0x23;

/** The byte order mark that some editors put before UTF-8. */
function startsWithMark(content: Uint8Array): boolean {
  return content[0] === 0xef && content[1] === 0xbb && content[2] === 0xbf;
}

function lineEnd(content: Uint8Array, from: number): number {
  let at = from;
  while (at < content.length && content[at] !== lineFeed && content[at] !== carriageReturn) at++;
  return at;
}

function trim(entry: ListEntry, lineStart: number, end: number): void {
  const { content } = entry;
  let start = lineStart;
  while (start < end && isBlank(content[start]!)) start++;
  let stop = start;
  while (stop < end && !(content[stop] === hash && (stop === start || isBlank(content[stop - 1]!)))) stop++;
  while (stop > start && isBlank(content[stop - 1]!)) stop--;
  entry.start = start;
  entry.end = stop;
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09;
}
