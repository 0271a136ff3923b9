// Lists of buffers read as one run of bytes, as readv(2) fills them. No copying here: every result is views.

/** Bytes in all of `vectors`. */
export function lengthOfAll(vectors: readonly Uint8Array[]): number {
  let length = 0;
  for (const vector of vectors) length += vector.length;
  return length;
}

/** Views on the `length` bytes from `position`, counted over all vectors; empty ones are left out. */
export function sliceVectors(vectors: readonly Uint8Array[], position: number, length: number): Uint8Array[] {
  const slices: Uint8Array[] = [];
  let skip = position;
  let rest = length;
  for (const vector of vectors) {
    if (rest === 0) break;
    if (skip >= vector.length) {
      skip -= vector.length;
      continue;
    }
    const slice = vector.subarray(skip, Math.min(vector.length, skip + rest));
    slices.push(slice);
    skip = 0;
    rest -= slice.length;
  }
  return slices;
}
