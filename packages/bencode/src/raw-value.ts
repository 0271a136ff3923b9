// Raw value: the bytes of a value inside a document, exactly as received (BEP 3: the info-hash is of the bytes).
// Walks the structure and builds nothing. Agrees with lenient decoding on what is there: the last duplicate wins.
import { BencodeError } from './errors.ts';
import { defaults } from './limits.ts';
import { isDigit, Scanner, token } from './scanner.ts';
import { bytesOf } from './text.ts';

/**
 * The slice of `bytes` that holds the value under dictionary keys `path`, latin1 text; a view, no copy. Undefined when
 * there is no such key. An empty path gives the whole value without what follows it. The whole value is checked:
 * a document that {@link decode} refuses even when lenient is refused here too.
 * @throws BencodeError when the bytes are no bencode or exceed a default limit.
 * @throws RangeError when a key has a character above U+00FF.
 */
export function rawValue(bytes: Uint8Array, ...path: string[]): Uint8Array | undefined {
  return new Walker(bytes, path).find();
}

class Walker {
  readonly #scanner: Scanner;
  readonly #path: readonly Uint8Array[];
  /** For each open container: whether it is a dictionary. */
  readonly #isDictionary: boolean[] = [];
  /** How many of the open containers, from the outermost, are dictionaries on the path. */
  #onPath = 0;
  /** Whether the value that comes next is the one the path goes through, or ends at. */
  #isWanted = true;
  /** Where the value at the end of the path begins and ends; -1 until then. */
  #start = -1;
  #end = -1;

  constructor(bytes: Uint8Array, path: readonly string[]) {
    this.#scanner = new Scanner(bytes, { ...defaults, lenient: true });
    this.#path = path.map(bytesOf);
  }

  find(): Uint8Array | undefined {
    const { bytes } = this.#scanner;
    do this.#step();
    while (this.#isDictionary.length > 0);
    return this.#end < 0 ? undefined : bytes.subarray(this.#start, this.#end);
  }

  /** Reads one scalar, or the beginning or the end of a container. */
  #step(): void {
    const scanner = this.#scanner;
    const depth = this.#isDictionary.length;
    if (depth > 0 && scanner.bytes[scanner.position] === token.end) {
      scanner.position += 1;
      this.#isDictionary.pop();
      if (this.#onPath === depth) this.#onPath -= 1;
      return this.#endValue();
    }
    if (this.#isDictionary[depth - 1] === true) this.#readKey(depth);
    scanner.countToken();
    const byte = scanner.bytes[scanner.position];
    if (this.#isWanted && this.#onPath === this.#path.length) this.#start = scanner.position;
    if (byte === token.list || byte === token.dictionary) return this.#open(byte === token.dictionary);
    this.#isWanted = false;
    if (byte === token.integer) scanner.integer();
    else if (isDigit(byte)) scanner.position = scanner.stringEnd();
    else scanner.refuseValue(depth > 0);
    this.#endValue();
  }

  #open(isDictionary: boolean): void {
    const scanner = this.#scanner;
    if (this.#isDictionary.length >= scanner.maxDepth) throw new BencodeError('too-deep', scanner.position);
    if (isDictionary && this.#isWanted && this.#onPath < this.#path.length) this.#onPath += 1;
    this.#isWanted = false;
    this.#isDictionary.push(isDictionary);
    scanner.position += 1;
  }

  #readKey(depth: number): void {
    const scanner = this.#scanner;
    const end = scanner.keyEnd();
    if (depth === this.#onPath && isAt(scanner.bytes, scanner.position, end, this.#path[depth - 1]!)) {
      this.#isWanted = true;
      // What was found under an earlier duplicate of this key no longer counts.
      this.#start = -1;
      this.#end = -1;
    }
    scanner.position = end;
  }

  /** A value is complete: the sought one, if one was begun and nothing inside it is open any more. */
  #endValue(): void {
    const isOutside = this.#isDictionary.length === this.#path.length;
    if (this.#start >= 0 && this.#end < 0 && isOutside) this.#end = this.#scanner.position;
  }
}

function isAt(bytes: Uint8Array, start: number, end: number, key: Uint8Array): boolean {
  if (end - start !== key.length) return false;
  return key.every((byte, position) => bytes[start + position] === byte);
}
