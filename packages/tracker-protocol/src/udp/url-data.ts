// BEP 41: options after the fixed part of a UDP announce; URLData carries path and query of the announce URL.

/** Bytes that `writeUrlData` needs for a text. */
export function urlDataLength(urlData: string): number {
  return urlData.length + 2 * Math.ceil(urlData.length / 255);
}

/** Writes the text in chunks of at most 255 bytes and returns the offset after them. The packet's end ends the options. */
export function writeUrlData(target: Uint8Array, offset: number, urlData: string): number {
  let at = offset;
  for (let start = 0; start < urlData.length; start += 255) {
    const length = Math.min(255, urlData.length - start);
    target[at++] = option.urlData;
    target[at++] = length;
    for (let index = 0; index < length; index++) target[at++] = urlData.charCodeAt(start + index);
  }
  return at;
}

/** The concatenated URLData of the options from `offset` to the end; what follows a truncated option is ignored. */
export function readUrlData(bytes: Uint8Array, offset: number): string | undefined {
  let text: string | undefined;
  let at = offset;
  while (at < bytes.length) {
    const type = bytes[at++];
    if (type === option.end) break;
    if (type === option.nothing) continue;
    const length = bytes[at++];
    if (length === undefined || at + length > bytes.length) break;
    if (type === option.urlData) text = (text ?? '') + String.fromCharCode(...bytes.subarray(at, at + length));
    at += length;
  }
  return text;
}

const option = { end: 0, nothing: 1, urlData: 2 } as const;
