import { describe, expect, test } from 'vitest';
import { MetainfoError, parseMetainfo, type Metainfo } from '../src/index.ts';
import { cleaned, loaded, refused, type Specimen } from './corpus.ts';
import { expectSafe } from './safe.ts';

describe('torrents that must be refused', () => {
  test.for(refused.map((specimen) => [specimen.name, specimen] as const))('%s', ([, specimen]) => {
    const error = errorOf(specimen.bytes);
    expect(error).toBeInstanceOf(MetainfoError);
    expect(error).toMatchObject({ code: specimen.code });
  });
});

describe('torrents that must load and be cleaned', () => {
  test.for(cleaned.map((specimen) => [specimen.name, specimen] as const))('%s', ([, specimen]) =>
    expectLoads(specimen),
  );
});

describe('torrents that must load', () => {
  test.for(loaded.map((specimen) => [specimen.name, specimen] as const))('%s', ([, specimen]) => expectLoads(specimen));
});

function expectLoads({ bytes, paths, warning, also }: Specimen): void {
  const metainfo: Metainfo = parseMetainfo(bytes);
  expectSafe(metainfo);
  if (paths !== undefined) expect(metainfo.files.map((file) => file.path.join('/'))).toEqual(paths);
  if (warning === undefined) expect(metainfo.warnings).toEqual([]);
  else expect(metainfo.warnings.join('\n')).toMatch(warning);
  if (also !== undefined) expect(also(metainfo)).toBe(true);
}

function errorOf(bytes: Uint8Array): unknown {
  try {
    return parseMetainfo(bytes);
  } catch (error) {
    return error;
  }
}
