// Text frames as a server sends them, written by ourselves and not by ws: several in one write, where each would cost a
// system call of its own, and its head one buffer more. RFC 6455 §5.2.

/** A whole message in one frame. Servers mask nothing (§5.1). */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const headBytes = length < 126 ? 2 : length < 0x1_0000 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headBytes + length);
  frame[0] = 0x81;
  if (headBytes === 2) {
    frame[1] = length;
  } else if (headBytes === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    // No text is so long that the upper 32 bits of its length are not 0.
    frame.writeUInt32BE(0, 2);
    frame.writeUInt32BE(length, 6);
  }
  frame.write(text, headBytes, 'utf8');
  return frame;
}
