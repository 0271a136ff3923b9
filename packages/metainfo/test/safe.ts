/** What "safe" means, stated apart from the code that makes it so. */
import { relative, resolve, sep } from 'node:path';
import { expect } from 'vitest';
import type { Metainfo } from '../src/index.ts';

/** Every file stays below the folder it is put in, has a name every system can store, and a place of its own. */
export function expectSafe(metainfo: Metainfo): void {
  const places = new Set<string>();
  const folders = new Set<string>();
  for (const file of metainfo.files) {
    expect(file.path.length).toBeGreaterThan(0);
    expect(file.path.filter((element) => !isSafeElement(element))).toEqual([]);
    expect(isInside(file.path)).toBe(true);
    expect(file.path[0]).toBe(metainfo.name);
    const target = file.symlinkTarget ?? [metainfo.name];
    expect(target.filter((element) => !isSafeElement(element))).toEqual([]);
    expect(target[0]).toBe(metainfo.name);
    if (file.isPadding) continue;
    const folded = file.path.map((element) => element.normalize('NFC').toLowerCase());
    expect(places.has(folded.join('/'))).toBe(false);
    places.add(folded.join('/'));
    for (let i = 1; i < folded.length; i++) folders.add(folded.slice(0, i).join('/'));
  }
  for (const place of places) expect(folders.has(place)).toBe(false);
}

function isInside(path: readonly string[]): boolean {
  const base = resolve('downloads');
  return relative(base, resolve(base, ...path)) === path.join(sep);
}

export function isSafeElement(element: string): boolean {
  return (
    element !== '' &&
    // Traversal is a case of it: `.` and `..` end in a dot.
    !/[. ]$/.test(element) &&
    !/[/\\\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\u200b\u2060\ufeff\ufffd]/u.test(element) &&
    !/^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i.test(element) &&
    Buffer.byteLength(element) <= 240
  );
}
