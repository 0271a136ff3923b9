// Text frames as a server sends them, written by ourselves and not by ws: several in one write, where each would cost a
// system call of its own, and its head one buffer more. RFC 6455 §5.2.

/** Each text as a whole message in a frame of its own, one after the other. Servers mask nothing (§5.1). */
export function textFrames(texts: readonly string[]): Buffer {
  const [first = ''] = texts;
  if (texts.length === 1) {
    const length = Buffer.byteLength(first);
    const frame = Buffer.allocUnsafe(headBytes(length) + length);
    writeFrame(frame, 0, first, length);
    return frame;
  }
  const lengths = texts.map((text) => Buffer.byteLength(text));
  const frames = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + headBytes(length) + length, 0));
  let at = 0;
  for (const [index, text] of texts.entries()) at = writeFrame(frames, at, text, lengths[index]!);
  return frames;
}

function headBytes(length: number): number {
  return length < 126 ? 2 : length < 0x1_0000 ? 4 : 10;
}

/** Says where it ends. */
function writeFrame(into: Buffer, at: number, text: string, length: number): number {
  const start = at + headBytes(length);
  into[at] = 0x81;
  if (length < 126) {
    into[at + 1] = length;
  } else if (length < 0x1_0000) {
    into[at + 1] = 126;
    into.writeUInt16BE(length, at + 2);
  } else {
    into[at + 1] = 127;
    // No text is so long that the upper 32 bits of its length are not 0.
    into.writeUInt32BE(0, at + 2);
    into.writeUInt32BE(length, at + 6);
  }
  return start + into.write(text, start, 'utf8');
}
