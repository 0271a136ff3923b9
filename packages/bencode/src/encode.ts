// Encode: values to bytes in bencode's one canonical form (BEP 3), keys in raw byte order, without recursion.
// Decides what counts as a value; refuses what has no form (undefined, NaN, Date) rather than writing something else.
import { defaults, maxIntegerDigits } from './limits.ts';
import { EncodeBuffer } from './encode-buffer.ts';
import { latin1 } from './text.ts';

/**
 * What can be encoded. A string is written as UTF-8. A Map's keys are byte strings as latin1 text, as decoding gives
 * them; a plain object's keys are text, written as UTF-8.
 */
export type BencodeInput =
  | number
  | bigint
  | string
  | Uint8Array
  | readonly BencodeInput[]
  | ReadonlyMap<string, BencodeInput>
  | { readonly [key: string]: BencodeInput };

/** How far to encode. */
export interface EncodeOptions {
  /** Most lists and dictionaries inside each other; catches cycles. Default 100, what decoding accepts by default. */
  readonly maxDepth?: number;
}

/**
 * The value in canonical form: equal values give equal bytes, and decoding them strictly gives the value back.
 * @throws TypeError for a value or key that bencode cannot hold (undefined, null, boolean, Date, unpaired surrogate).
 * @throws RangeError for a number that is no safe integer (use bigint), for too many digits, or when too deep.
 */
export function encode(value: BencodeInput, options: EncodeOptions = {}): Uint8Array {
  const { maxDepth = defaults.maxDepth } = options;
  const buffer = new EncodeBuffer();
  const open: Frame[] = [];
  let current: BencodeInput | undefined = value;
  for (;;) {
    const frame: Frame | undefined = isContainer(current) ? frameOf(current) : undefined;
    if (frame !== undefined) {
      if (open.length >= maxDepth) throw new RangeError(`bencode deeper than ${maxDepth}, or a cycle`);
      buffer.byte(frame.keys === undefined ? listByte : dictionaryByte);
      open.push(frame);
    } else {
      writeScalar(buffer, current, open);
    }
    while (open.length > 0 && isDone(open.at(-1)!)) {
      buffer.byte(endByte);
      open.pop();
    }
    const innermost = open.at(-1);
    if (innermost === undefined) return buffer.finish();
    const index = innermost.next;
    innermost.next += 1;
    if (innermost.keys !== undefined) writeKey(buffer, innermost.keys[index]!, open);
    current = innermost.values[index];
  }
}

/** A list or dictionary not closed yet: in a dictionary, `keys` are sorted and stand beside their `values`. */
interface Frame {
  readonly keys: readonly string[] | undefined;
  readonly values: readonly BencodeInput[];
  next: number;
}

const listByte = 0x6c;
const dictionaryByte = 0x64;
const endByte = 0x65;

type Container = Exclude<BencodeInput, number | bigint | string | Uint8Array>;

function isContainer(value: BencodeInput | undefined): value is Container {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array);
}

function isDone(frame: Frame): boolean {
  return frame.next === frame.values.length;
}

/** Undefined for an object that is neither a list nor a dictionary, such as a Date. */
function frameOf(value: Container): Frame | undefined {
  if (isList(value)) return { keys: undefined, values: value, next: 0 };
  if (value instanceof Map) return mapFrame(value);
  if (!isPlain(value)) return undefined;
  return mapFrame(new Map(Object.entries(value).map(([key, item]) => [utf8Key(key), item])));
}

function mapFrame(map: ReadonlyMap<string, BencodeInput>): Frame {
  const keys = [...map.keys()];
  // Of latin1 text, code unit order is raw byte order.
  if (!isSorted(keys)) keys.sort(inTextOrder);
  return { keys, values: keys.map((key) => map.get(key)!), next: 0 };
}

function isSorted(keys: readonly string[]): boolean {
  for (let index = 1; index < keys.length; index += 1) {
    if (keys[index - 1]! > keys[index]!) return false;
  }
  return true;
}

function inTextOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isList(value: Container): value is readonly BencodeInput[] {
  return Array.isArray(value);
}

/** An object literal, or one without prototype: what has a class of its own is not silently taken for its fields. */
function isPlain(value: Container): value is { readonly [key: string]: BencodeInput } {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** A key of a plain object in the form of a Map's key. */
function utf8Key(key: string): string {
  if (isBelow(key, 0x80)) return key;
  if (!key.isWellFormed()) throw new TypeError('key has an unpaired surrogate');
  return latin1(utf8Encoder.encode(key));
}

function writeKey(buffer: EncodeBuffer, key: string, open: readonly Frame[]): void {
  if (typeof key !== 'string' || !isBelow(key, 0x100)) throw new TypeError(`${placeIn(open)}: key is not latin1 text`);
  buffer.latin1String(key);
}

function writeScalar(buffer: EncodeBuffer, value: BencodeInput | undefined, open: readonly Frame[]): void {
  if (value instanceof Uint8Array) buffer.string(value);
  else if (typeof value === 'string') writeText(buffer, value, open);
  else if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${placeIn(open)}: ${value} is no safe integer`);
    buffer.integer(String(value));
  } else if (typeof value === 'bigint') writeBigint(buffer, value, open);
  else throw new TypeError(`${placeIn(open)}: bencode has no form for ${kindOf(value)}`);
}

function writeText(buffer: EncodeBuffer, text: string, open: readonly Frame[]): void {
  if (isBelow(text, 0x80)) return buffer.latin1String(text);
  if (!text.isWellFormed()) throw new TypeError(`${placeIn(open)}: text has an unpaired surrogate`);
  buffer.string(utf8Encoder.encode(text));
}

function writeBigint(buffer: EncodeBuffer, value: bigint, open: readonly Frame[]): void {
  const digits = String(value);
  if (digits.length > maxIntegerDigits) throw new RangeError(`${placeIn(open)}: more than ${maxIntegerDigits} digits`);
  buffer.integer(digits);
}

/** Whether every character's code is below `bound`. */
function isBelow(text: string, bound: number): boolean {
  for (let position = 0; position < text.length; position += 1) {
    if (text.charCodeAt(position) >= bound) return false;
  }
  return true;
}

/** Where the value or key now written stands, for the caller who has to find it: `info.files[3].length`. */
function placeIn(open: readonly Frame[]): string {
  const steps = open.map(({ keys, next }) => (keys === undefined ? `[${next - 1}]` : `.${String(keys[next - 1])}`));
  return `value${steps.join('')}`;
}

function kindOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return typeof value === 'object' ? 'null' : typeof value;
  return `${Object.prototype.toString.call(value).slice(8, -1)} objects`;
}

const utf8Encoder = new TextEncoder();
