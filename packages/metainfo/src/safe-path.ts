/**
 * Makes one element of a remote's path safe to use as a file name on every system, always in the same way, so that data can move
 * between systems. Knows nothing of other files: two results may be equal (file-layout.ts). Clients' corner case 60.
 */

/** File systems allow 255 bytes; the rest is for suffixes such as `.part`. Precedent: libtorrent. */
export const maxElementBytes = 240;
/** What is cut from an over-long name ends at its extension, when that is no longer than this. */
const maxExtensionBytes = 32;

const controls = String.raw`\u0000-\u001f\u007f-\u009f\u2028\u2029`;
/** Also U+FFFD: where the bytes were not UTF-8. */
const replaced: RegExp = new RegExp(`[${controls}\ufffd]`, 'g');
/** Separators, bidirectional controls, zero-width characters and invisible operators. */
const removed = /[/\\\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g;
/** Joiners change letters in Persian, Indic scripts and emoji; beside ASCII they only hide. */
const strayJoiners = /(?<![^\0-\u009f\u200c\u200d])[\u200c\u200d]+|[\u200c\u200d]+(?![^\0-\u009f\u200c\u200d])/g;
const windowsCharacters = /[<>:"|?*]/g;
/** MS-DOS devices, also with an extension and with spaces before it: Windows opens the device. */
const reservedStem = /^(?:con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³]|conin\$|conout\$)(?=\s*(?:\.|$))/i;
/** Printable ASCII without separators, not ending in a dot or space: nothing to do but look for devices. */
const plain = /^[ -.0-[\]-~]*[!-\-0-[\]-~]$/;

/**
 * A file name made of a remote's text: '' when nothing of it could be kept, undefined for `.` and `..`, which name no file.
 * `replaceWindowsCharacters` also puts `_` for what Windows alone refuses (`<>:"|?*`).
 */
export function safeElement(text: string, replaceWindowsCharacters: boolean): string | undefined {
  let name = text;
  if (!plain.test(text)) {
    name = text.replace(removed, '').replace(replaced, '_').replace(strayJoiners, '');
    // After removing, not before: a bidi mark between two dots would hide them.
    if (name === '.' || name === '..') return undefined;
    name = withoutTrailingDots(name);
  }
  if (replaceWindowsCharacters) name = name.replace(windowsCharacters, '_');
  if (reservedStem.test(name)) name = name.replace(reservedStem, '$&_');
  return name.length * 3 <= maxElementBytes ? name : shortened(name, '');
}

/** `name` with `.n` before its extension, within the length allowed: `a.txt`, 1 → `a.1.txt`. */
export function numberedElement(name: string, n: number): string {
  return shortened(name, `.${n}`);
}

/** Equal for names that some file system takes for the same: by case (simple folding) or by composition (NFC). */
export function foldedElement(name: string): string {
  // oxlint-disable-next-line no-control-regex -- the ASCII range, whose folding is the engine's fast path
  if (/^[\0-\x7f]*$/.test(name)) return name.toLowerCase();
  return name
    .normalize('NFC')
    .replace(/[^\0-\x7f]|[A-Z]/gu, foldedCharacter)
    .normalize('NFC');
}

function foldedCharacter(character: string): string {
  const upper = character.toUpperCase();
  // ß → SS and the like would join names that every file system keeps apart.
  return (upper.length === character.length ? upper : character).toLowerCase();
}

function withoutTrailingDots(name: string): string {
  let end = name.length;
  // Not a regular expression: /[. ]+$/ takes quadratic time on a long run of dots inside a name.
  while (end > 0 && (name[end - 1] === '.' || name[end - 1] === ' ')) end--;
  return name.slice(0, end);
}

/** stem + suffix + extension, the stem cut at a character so that all of it fits. */
function shortened(name: string, suffix: string): string {
  const dot = name.lastIndexOf('.');
  const hasExtension = dot > 0 && Buffer.byteLength(name.slice(dot, dot + maxExtensionBytes + 1)) <= maxExtensionBytes;
  const stem = hasExtension ? name.slice(0, dot) : name;
  const extension = hasExtension ? name.slice(dot) : '';
  const room = maxElementBytes - suffix.length - Buffer.byteLength(extension);
  const cut = Buffer.byteLength(stem) <= room ? stem : withoutTrailingDots(cutToBytes(stem, room));
  return `${cut}${suffix}${extension}`;
}

function cutToBytes(text: string, limit: number): string {
  // No more than `limit` code units can fit, so a text of megabytes costs nothing.
  const bytes = Buffer.from(text.slice(0, limit));
  let end = Math.min(limit, bytes.length);
  // Step back over the continuation bytes (10xxxxxx) of a character that does not fit whole.
  while (end < bytes.length && end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
