// The strictest reader of bencode, written apart from the one that is tested elsewhere: keys in order and once, numbers
// in their one form, not a byte left over. BEP 3.
import { Mismatch } from './target.ts';

/** Strings are Latin-1 text, a character a byte. */
export type Value = number | string | readonly Value[] | ReadonlyMap<string, Value>;

/** The dictionary that the text is, to its end. @throws Mismatch */
export function readDictionary(text: string): ReadonlyMap<string, Value> {
  const reader = new Reader(text);
  const value = reader.value();
  if (!(value instanceof Map)) throw new Mismatch('the answer is no dictionary');
  if (reader.at !== text.length) throw new Mismatch(`${text.length - reader.at} bytes after the answer`);
  return value;
}

class Reader {
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): Value {
    const letter = this.#text[this.at];
    if (letter === 'd') return this.#dictionary();
    if (letter === 'l') return this.#list();
    return letter === 'i' ? this.#integer() : this.#string();
  }

  #dictionary(): ReadonlyMap<string, Value> {
    const entries = new Map<string, Value>();
    let last: string | undefined;
    for (this.at++; this.#text[this.at] !== 'e';) {
      const key = this.#string();
      if (last !== undefined && key <= last) throw new Mismatch(`key ${key} after key ${last}`);
      last = key;
      entries.set(key, this.value());
    }
    this.at++;
    return entries;
  }

  #list(): readonly Value[] {
    const values: Value[] = [];
    for (this.at++; this.#text[this.at] !== 'e';) values.push(this.value());
    this.at++;
    return values;
  }

  #integer(): number {
    const [whole, digits] = this.#match(/i(0|-?[1-9]\d*)e/y);
    this.at += whole.length;
    return Number(digits);
  }

  #string(): string {
    const [whole, digits] = this.#match(/(0|[1-9]\d*):/y);
    const start = this.at + whole.length;
    this.at = start + Number(digits);
    if (this.at > this.#text.length) throw new Mismatch('a string longer than the answer');
    return this.#text.slice(start, this.at);
  }

  #match(pattern: RegExp): readonly [whole: string, digits: string] {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.#text);
    if (match === null) throw new Mismatch(`no bencode at byte ${this.at}: ${this.#text.slice(this.at, this.at + 20)}`);
    return [match[0], match[1] ?? ''];
  }
}
