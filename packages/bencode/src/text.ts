// Text: between bytes and strings. Decides how keys are held as text; must not know the grammar of bencode.

/** Bytes as UTF-8 text. What is no UTF-8 becomes U+FFFD; ask {@link isUtf8} first where that matters. */
export function utf8(bytes: Uint8Array): string {
  return replacing.decode(bytes);
}

/** Whether bytes are well-formed UTF-8, so that {@link utf8} loses nothing. */
export function isUtf8(bytes: Uint8Array): boolean {
  try {
    refusing.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Bytes as text with one character a byte, U+0000 to U+00FF: the form of dictionary keys. Loses nothing. */
export function latin1(bytes: Uint8Array): string {
  return latin1Slice(bytes, 0, bytes.length);
}

/**
 * The bytes of latin1 text, the inverse of {@link latin1}.
 * @throws RangeError when a character is above U+00FF.
 */
export function bytesOf(latin1: string): Uint8Array {
  const bytes = new Uint8Array(latin1.length);
  for (let position = 0; position < latin1.length; position += 1) {
    const code = latin1.charCodeAt(position);
    if (code > 0xff) throw new RangeError(`character ${position} of a byte string is above U+00FF`);
    bytes[position] = code;
  }
  return bytes;
}

/** {@link latin1} of the bytes from `start` up to `end`. */
export function latin1Slice(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  let position = start;
  // Eight at a time: twice as fast as one by one, and no argument list grows with the input.
  for (; position + 8 <= end; position += 8) {
    text += String.fromCharCode(
      bytes[position]!,
      bytes[position + 1]!,
      bytes[position + 2]!,
      bytes[position + 3]!,
      bytes[position + 4]!,
      bytes[position + 5]!,
      bytes[position + 6]!,
      bytes[position + 7]!,
    );
  }
  for (; position < end; position += 1) text += String.fromCharCode(bytes[position]!);
  return text;
}

// A byte order mark is kept: dropping it would make two different names equal.
const replacing = new TextDecoder('utf-8', { ignoreBOM: true });
const refusing = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
