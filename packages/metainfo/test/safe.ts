/** What "safe" means, stated apart from the code that makes it so. */
import { relative, resolve, sep } from 'node:path';
import { expect } from 'vitest';
import type { Metainfo, MetainfoFile } from '../src/index.ts';

/** Every file stays below the folder it is put in, has a name every system can store, and a place of its own. */
export function expectSafe(metainfo: Metainfo): void {
  const faults = metainfo.files.flatMap((file, index) =>
    faultsOf(file, metainfo.name).map((fault) => `file ${index} ${fault}: ${JSON.stringify(file.path)}`),
  );
  expect(faults).toEqual([]);
  const places = new Set<string>();
  const folders = new Set<string>();
  const written = metainfo.files.filter((file) => !file.isPadding);
  for (const file of written) {
    const folded = file.path.map((element) => element.normalize('NFC').toLowerCase());
    places.add(folded.join('/'));
    for (let i = 1; i < folded.length; i++) folders.add(folded.slice(0, i).join('/'));
  }
  expect(places.size).toBe(written.length);
  expect([...places].filter((place) => folders.has(place))).toEqual([]);
}

function faultsOf(file: MetainfoFile, name: string): string[] {
  const faults: string[] = [];
  for (const path of [file.path, file.symlinkTarget ?? [name]]) {
    if (path[0] !== name) faults.push('is not in the torrent');
    if (!path.every(isSafeElement)) faults.push('has an unsafe name');
    if (!isInside(path)) faults.push('lies outside');
  }
  if (file.isSkipped !== (file.isPadding || (isLink(file) && file.symlinkTarget === undefined))) {
    faults.push('is written or skipped wrongly');
  }
  return faults;
}

function isLink(file: MetainfoFile): boolean {
  return file.attributes?.includes('l') ?? false;
}

const base = resolve('downloads');

function isInside(path: readonly string[]): boolean {
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
