// Percent-encoding of bytes in a URL query. Works on the raw target, byte by byte, never through UTF-8:
// an info-hash is bytes, and a text decoder destroys about half of them. RFC 3986; `+` is a plus sign here.
import { TrackerProtocolError } from './errors.ts';

/** Every byte outside RFC 3986's unreserved set becomes %XX, in upper case. */
export function percentEncode(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += escapes[byte]!;
  return text;
}

/** The same for Latin-1 text, one byte per character. */
export function percentEncodeText(latin1: string): string {
  let text = '';
  for (let at = 0; at < latin1.length; at++) {
    const escape = escapes[latin1.charCodeAt(at)];
    if (escape === undefined) throw new RangeError('Text for a query must be Latin-1');
    text += escape;
  }
  return text;
}

/**
 * Decodes `raw` from `from` to `to` into `target` and returns how many bytes there are; those that do not fit are
 * counted, not written.
 * @throws TrackerProtocolError malformed-escape
 */
export function percentDecodeInto(target: Uint8Array, raw: string, from: number, to: number): number {
  let length = 0;
  for (let at = from; at < to; length++) {
    let byte = raw.charCodeAt(at++);
    if (byte === 0x25) {
      byte = at + 1 < to ? (hexDigit(raw.charCodeAt(at)) << 4) | hexDigit(raw.charCodeAt(at + 1)) : -1;
      at += 2;
    }
    // hexDigit gives −1 for anything else, and −1 survives the shift and the or.
    if (byte < 0 || byte > 0xff) throw malformed();
    if (length < target.length) target[length] = byte;
  }
  return length;
}

/**
 * Decodes `raw` from `from` to `to` to Latin-1 text.
 * @throws TrackerProtocolError malformed-escape
 */
export function percentDecodeText(raw: string, from: number, to: number): string {
  const text = raw.slice(from, to);
  if (!text.includes('%')) return text;
  let decoded = '';
  for (let at = 0; at < text.length; at++) {
    let code = text.charCodeAt(at);
    if (code === 0x25) {
      code = (hexDigit(text.charCodeAt(at + 1)) << 4) | hexDigit(text.charCodeAt(at + 2));
      at += 2;
    }
    if (code < 0) throw malformed();
    decoded += String.fromCharCode(code);
  }
  return decoded;
}

function malformed(): TrackerProtocolError {
  return new TrackerProtocolError('malformed-escape', 'Malformed percent-encoding in the query');
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

const escapes: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9._~-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
});
