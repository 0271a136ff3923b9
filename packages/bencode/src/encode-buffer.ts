// Encode buffer: gathers bencoded bytes of unknown total length. Decides memory: long byte strings are not copied into
// it but put in place once, at the end, in a result of exact size. Must not know what may be encoded.

/** Bytes being written. A byte string given to it must not change before {@link EncodeBuffer.finish}. */
export class EncodeBuffer {
  #bytes = new Uint8Array(256);
  #length = 0;
  /** Long byte strings and where, in `#bytes`, each belongs. */
  readonly #inserts: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  #insertedLength = 0;

  byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  /** `i`, the digits, `e`. */
  integer(digits: string): void {
    this.#reserve(digits.length + 2);
    this.#bytes[this.#length++] = 0x69;
    this.#ascii(digits);
    this.#bytes[this.#length++] = 0x65;
  }

  /** A byte string given as bytes. */
  string(bytes: Uint8Array): void {
    this.#stringHead(bytes.length, bytes.length < longString ? bytes.length : 0);
    if (bytes.length >= longString) {
      this.#inserts.push({ at: this.#length, bytes });
      this.#insertedLength += bytes.length;
    } else if (bytes.length > tinyString) {
      this.#bytes.set(bytes, this.#length);
      this.#length += bytes.length;
    } else {
      for (let position = 0; position < bytes.length; position += 1) this.#bytes[this.#length++] = bytes[position]!;
    }
  }

  /** A byte string given as latin1 text; the caller has made sure that it is. */
  latin1String(text: string): void {
    this.#stringHead(text.length, text.length);
    this.#ascii(text);
  }

  /** All that was written, in order, in memory of its own. */
  finish(): Uint8Array {
    const result = new Uint8Array(this.#length + this.#insertedLength);
    let from = 0;
    let to = 0;
    for (const { at, bytes } of this.#inserts) {
      result.set(this.#bytes.subarray(from, at), to);
      to += at - from;
      result.set(bytes, to);
      to += bytes.length;
      from = at;
    }
    result.set(this.#bytes.subarray(from, this.#length), to);
    return result;
  }

  /** Length and colon, with room for `room` bytes after them. */
  #stringHead(length: number, room: number): void {
    // 16 digits hold any length, and the colon.
    this.#reserve(room + 17);
    if (length < 10) this.#bytes[this.#length++] = 0x30 + length;
    else this.#ascii(String(length));
    this.#bytes[this.#length++] = 0x3a;
  }

  #ascii(text: string): void {
    const bytes = this.#bytes;
    let length = this.#length;
    for (let position = 0; position < text.length; position += 1) bytes[length++] = text.charCodeAt(position);
    this.#length = length;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** From this many bytes on, a second copy costs more than remembering where the string belongs. */
const longString = 1024;

/** Up to this many bytes, a loop is faster than a call of `set`. */
const tinyString = 24;
