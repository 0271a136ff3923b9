// What a tracker id says: "this announce was answered at this address". Nothing is remembered: the id is the address
// with a keyed hash of it, of the torrent and of the peer id. Whoever echoes it from elsewhere proves that the address
// was its own; peers never see it, so nobody can prove a stranger's. BEP 3's `tracker id`, meant for lost state.
import { KeyedHash } from './memory/keyed-hash.ts';
import { readWord, writeWord } from './memory/torrent-table.ts';
import { peerIdBytes } from './peer-sample.ts';
import type { StoreEndpoint } from './peer-store.ts';

/** Who an id is for. */
export interface TrackerIdSubject {
  readonly infoHash: Uint8Array;
  readonly peerId: Uint8Array;
}

/** Two keys of 8 bytes. */
export const trackerIdKeyBytes = 16;

/** Two hashes: to forge one id takes 2^64 announces. */
const hashBytes = 8;

/** Letters of an id over IPv4 and IPv6: 14 and 26 bytes in base 64. */
const idLengths: ReadonlyMap<number, number> = new Map([
  [19, 4],
  [35, 16],
]);

/** RFC 4648, for URLs: clients echo it without an escape. */
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const codes: Uint8Array = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));

/** Issues tracker ids and reads those that come back. */
export class TrackerIds {
  readonly #hashes: readonly [KeyedHash, KeyedHash];
  /** Info-hash, peer id, port and address. */
  readonly #words = new Uint32Array(15);
  readonly #bytes = new Uint8Array(16 + 2 + hashBytes);

  /** @throws RangeError unless the key has 16 bytes */
  constructor(key: Uint8Array) {
    if (key.length !== trackerIdKeyBytes) throw new RangeError(`A key of tracker ids has ${trackerIdKeyBytes} bytes`);
    let at = -4;
    const word = (): number => readWord(key, (at += 4)) / 0x1_0000_0000;
    this.#hashes = [new KeyedHash(word), new KeyedHash(word)];
  }

  /** The id of a peer at an address of 4 or 16 bytes: 19 or 35 letters. */
  issue(subject: TrackerIdSubject, address: Uint8Array, port: number): string {
    this.#bytes.set(address);
    this.#bytes[address.length] = port >>> 8;
    this.#bytes[address.length + 1] = port;
    this.#writeHashes(subject, address.length, this.#bytes, address.length + 2);
    return textOf(this.#bytes, address.length + 2 + hashBytes);
  }

  /** The address at which an id was issued to this peer; undefined for any other text. */
  read(id: string, subject: TrackerIdSubject): StoreEndpoint | undefined {
    const length = idLengths.get(id.length);
    if (length === undefined || !readText(id, this.#bytes)) return undefined;
    const claimed = this.#bytes.slice(length + 2, length + 2 + hashBytes);
    this.#writeHashes(subject, length, this.#bytes, length + 2);
    let difference = 0;
    for (let at = 0; at < hashBytes; at++) difference |= claimed[at]! ^ this.#bytes[length + 2 + at]!;
    if (difference !== 0) return undefined;
    return { address: this.#bytes.slice(0, length), port: this.#bytes[length]! * 256 + this.#bytes[length + 1]! };
  }

  /** Hashes the subject and the address and port that `#bytes` begins with. */
  #writeHashes({ infoHash, peerId }: TrackerIdSubject, addressLength: number, into: Uint8Array, at: number): void {
    const words = this.#words;
    for (let word = 0; word < peerIdBytes / 4; word++) {
      words[word] = readWord(infoHash, word * 4);
      words[5 + word] = readWord(peerId, word * 4);
    }
    words[10] = this.#bytes[addressLength]! * 256 + this.#bytes[addressLength + 1]!;
    for (let word = 0; word < addressLength / 4; word++) words[11 + word] = readWord(this.#bytes, word * 4);
    const [first, second] = this.#hashes;
    writeWord(into, at, first.of(words, 0, 11 + addressLength / 4));
    writeWord(into, at + 4, second.of(words, 0, 11 + addressLength / 4));
  }
}

/** Three bytes, four letters at a time: one by one takes three times as long, 1.5 µs. */
function textOf(bytes: Uint8Array, length: number): string {
  let text = '';
  for (let at = 0; at < length; at += 3) {
    const second = at + 1 < length ? bytes[at + 1]! : 0;
    const three = (bytes[at]! << 16) | (second << 8) | (at + 2 < length ? bytes[at + 2]! : 0);
    const four = String.fromCharCode(
      codes[three >>> 18]!,
      codes[(three >>> 12) & 63]!,
      codes[(three >>> 6) & 63]!,
      codes[three & 63]!,
    );
    text += at + 3 <= length ? four : four.slice(0, length - at + 1);
  }
  return text;
}

/** False for a character that is no such letter. The bits after the last whole byte are not read. */
function readText(text: string, into: Uint8Array): boolean {
  let bits = 0;
  let value = 0;
  let at = 0;
  for (const letter of text) {
    const digit = letters.indexOf(letter);
    if (digit < 0) return false;
    value = ((value << 6) | digit) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    into[at++] = value >>> bits;
  }
  return true;
}
