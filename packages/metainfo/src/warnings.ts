/**
 * Collects what was odd but not fatal, in sentences for people. Bounded, and never a carrier of terminal control codes: the text
 * quoted in a warning or error comes from a stranger.
 */

/** A file of 10 MB can hold some 400,000 faults; nobody reads more than a screen or two of them. */
const maxWarnings = 50;
/** Enough of a name or URL to recognise it. */
const maxQuotedLength = 80;

export class Warnings {
  readonly #texts: string[] = [];
  #more = 0;

  /** Takes how to make the sentence: those that nobody will read must not cost the making. */
  add(text: () => string): void {
    if (this.#texts.length < maxWarnings) this.#texts.push(text());
    else this.#more++;
  }

  /** What was collected, in order; the last line counts what was left out. */
  list(): string[] {
    return this.#more === 0 ? [...this.#texts] : [...this.#texts, `and ${this.#more} more oddities of the same kinds`];
  }
}

/** A stranger's text in quotes, shortened, with control, bidi and other invisible characters escaped. */
export function quoted(text: string): string {
  const short = text.length > maxQuotedLength ? `${text.slice(0, maxQuotedLength)}…` : text;
  return `"${short.replace(/[\p{C}\p{Zl}\p{Zp}"\\]/gu, escaped)}"`;
}

/** A file in a sentence, by its number and its path without the torrent's name. */
export function quotedFile(index: number, originalPath: readonly string[]): string {
  return `file ${index} ${quoted(originalPath.slice(1).join('/'))}`;
}

function escaped(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
