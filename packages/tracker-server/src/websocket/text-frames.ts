// Text frames as a server sends them, written by ourselves and not by ws: several in one write, where each would cost a
// system call of its own. RFC 6455 §5.2.

/** A whole message of ASCII in one frame, a byte a character: to be written as latin1. Servers mask nothing (§5.1). */
export function textFrame(ascii: string): string {
  const { length } = ascii;
  if (length < 126) return `\x81${String.fromCharCode(length)}${ascii}`;
  if (length < 0x1_0000) return `\x81\x7e${String.fromCharCode(length >> 8, length & 0xff)}${ascii}`;
  // The upper 32 bits of the length are 0: no string is that long.
  const bytes = [24, 16, 8, 0].map((shift) => (length >>> shift) & 0xff);
  return `\x81\x7f\0\0\0\0${String.fromCharCode(...bytes)}${ascii}`;
}
