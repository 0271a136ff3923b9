/**
 * Malformed, odd and ordinary torrents, generated. Each name mirrors by intent one that libtorrent's suite loads; what is expected
 * of ours stands beside it. BEP 52 has no implementation here: what is v2 alone is refused as such.
 */
import { bytesOf, encode, type BencodeInput } from '@shoal/bencode';
import type { Metainfo, MetainfoErrorCode } from '../src/index.ts';

export interface Specimen {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** The code of the refusal; absent when the torrent loads. */
  readonly code?: MetainfoErrorCode;
  /** Paths of the files when it loads. */
  readonly paths?: readonly string[];
  /** Text that one of the warnings holds; absent: there are no warnings. */
  readonly warning?: RegExp;
  /** Anything else to be true of the result. */
  readonly also?: (metainfo: Metainfo) => boolean;
}

type Fields = Record<string, BencodeInput | undefined>;

/** A dictionary without the undefined fields. */
export function dictionary(fields: Fields): Record<string, BencodeInput> {
  const present: Record<string, BencodeInput> = {};
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) present[key] = value;
  return present;
}

export const pieceLength = 16_384;

/** A single file of 20,000 bytes in 2 pieces, with fields replaced, or removed by undefined. */
export function single(info: Fields = {}, root: Fields = {}): Uint8Array {
  return torrent(
    { name: 'temp', length: 20_000, 'piece length': pieceLength, pieces: new Uint8Array(40), ...info },
    root,
  );
}

export type RawPath = readonly (string | Uint8Array | number)[];

/** A folder `temp` whose files, by path or as whole entries, hold 10 bytes each unless they say otherwise; up to 16 MB. */
export function folder(files: readonly (RawPath | Fields)[], info: Fields = {}, root: Fields = {}): Uint8Array {
  const entries = files.map((file) => dictionary(Array.isArray(file) ? { length: 10, path: file } : (file as Fields)));
  const total = entries.reduce((sum, { length, attr }) => {
    const isLink = typeof attr === 'string' && attr.includes('l');
    return sum + (typeof length === 'number' && !isLink ? Math.max(0, length) : 0);
  }, 0);
  const pieces = 'pieces' in info ? undefined : new Uint8Array(20 * Math.min(1000, Math.ceil(total / pieceLength)));
  return torrent({ name: 'temp', files: entries, 'piece length': pieceLength, pieces, ...info }, root);
}

function torrent(info: Fields, root: Fields): Uint8Array {
  return encode(dictionary({ announce: 'http://tracker.example/announce', info: dictionary(info), ...root }));
}

const link = (path: RawPath, target: BencodeInput, more: Fields = {}): Fields => ({
  attr: 'l',
  length: 0,
  path,
  'symlink path': target,
  ...more,
});

const root32 = new Uint8Array(32).fill(7);
const v2File: Fields = { length: 20_000, 'pieces root': root32 };
const fileTree = (files: Record<string, Fields>): BencodeInput =>
  Object.fromEntries(Object.entries(files).map(([name, file]) => [name, { '': dictionary(file) }]));

/** A torrent of v2 alone. */
function v2(info: Fields = {}, root: Fields = {}): Uint8Array {
  return torrent(
    { name: 'temp', 'meta version': 2, 'piece length': pieceLength, 'file tree': fileTree({ a: v2File }), ...info },
    { 'piece layers': new Map([[String.fromCharCode(...root32), new Uint8Array(64)]]), ...root },
  );
}

const hybridFields: Fields = { 'meta version': 2, 'file tree': fileTree({ temp: v2File }) };
const hybrid = /hybrid/;

function nested(depth: number): Uint8Array {
  return bytesOf(`d4:infod9:file tree${'d1:a'.repeat(depth)}de${'e'.repeat(depth)}4:name1:aee`);
}

function ascii(text: string): Uint8Array {
  return bytesOf(text);
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value) as Uint8Array;

/** Must be refused. */
export const refused: readonly Specimen[] = [
  { name: 'missing_piece_len', code: 'piece-length', bytes: single({ 'piece length': undefined }) },
  { name: 'invalid_piece_len', code: 'piece-length', bytes: single({ 'piece length': 'long' }) },
  { name: 'negative_piece_len', code: 'piece-length', bytes: single({ 'piece length': -pieceLength }) },
  { name: 'v2_no_power2_piece', code: 'v2-only', bytes: v2({ 'piece length': 20_000 }) },
  { name: 'v2_piece_size', code: 'v2-only', bytes: v2({ 'piece length': 1024 }) },
  { name: 'no_name', code: 'no-name', bytes: single({ name: undefined }) },
  { name: 'bad_name', code: 'bad-name', bytes: single({ name: 7 }) },
  { name: 'invalid_name', code: 'bad-name', bytes: single({ name: ['temp'] }) },
  { name: 'missing_path_list', code: 'bad-path', bytes: folder([{ length: 10 }]) },
  { name: 'invalid_path_list', code: 'bad-path', bytes: folder([['a', 7]]) },
  { name: 'invalid_symlink', code: 'bad-path', bytes: folder([['a'], link(['b'], 'a')]) },
  { name: 'invalid_info', code: 'no-info', bytes: encode({ info: 'text' }) },
  { name: 'string', code: 'no-info', bytes: encode('just text') },
  { name: 'negative_size', code: 'bad-length', bytes: single({ length: -1 }) },
  { name: 'negative_file_size', code: 'bad-length', bytes: folder([['a'], { length: -10, path: ['b'] }]) },
  { name: 'invalid_file_size', code: 'bad-length', bytes: folder([['a'], { length: 'ten', path: ['b'] }]) },
  { name: 'zero', code: 'empty', bytes: single({ length: 0, pieces: '' }) },
  {
    name: 'zero2',
    code: 'empty',
    bytes: folder([
      { length: 0, path: ['a'] },
      { length: 0, path: ['b'] },
    ]),
  },
  {
    name: 'v2_large_file',
    code: 'v2-only',
    bytes: v2({ 'file tree': fileTree({ a: { ...v2File, length: 2n ** 63n } }) }),
  },
  { name: 'invalid_pieces', code: 'pieces', bytes: single({ pieces: undefined }) },
  { name: 'unaligned_pieces', code: 'pieces', bytes: single({ pieces: new Uint8Array(39) }) },
  { name: 'many_pieces', code: 'too-large', bytes: single({ length: 2 ** 40, 'piece length': 1024 }) },
  {
    name: 'v2_large_offset',
    code: 'v2-only',
    bytes: v2({ 'file tree': fileTree({ a: { ...v2File, length: 2 ** 48 } }) }),
  },
  { name: 'no_files', code: 'no-files', bytes: folder([]) },
  { name: 'duplicate_files2', code: 'collisions', bytes: folder(Array.from({ length: 502 }, () => ['same'])) },
  { name: 'v2_invalid_file', code: 'v2-only', bytes: v2({ 'file tree': { a: { '': 'text' } } }) },
  { name: 'v2_empty_filename', code: 'v2-only', bytes: v2({ 'file tree': fileTree({ '': v2File }) }) },
  { name: 'v2_deep_recursion', code: 'too-large', bytes: nested(200) },
  { name: 'v2_unordered_files', code: 'v2-only', bytes: ascii('d4:infod12:meta versioni2e9:file treed1:bde1:adeeee') },
  { name: 'v2_overlong_integer', code: 'not-bencoded', bytes: ascii(`d4:infod12:meta versioni${'1'.repeat(2000)}eee`) },
  {
    name: 'v2_non_multiple_piece_layer',
    code: 'v2-only',
    bytes: v2({}, { 'piece layers': { a: new Uint8Array(33) } }),
  },
  { name: 'v2_piece_layer_invalid_file_hash', code: 'v2-only', bytes: v2({}, { 'piece layers': { short: root32 } }) },
  { name: 'v2_invalid_piece_layer', code: 'v2-only', bytes: v2({}, { 'piece layers': { a: 7 } }) },
  {
    name: 'v2_invalid_piece_layer_root',
    code: 'v2-only',
    bytes: v2({}, { 'piece layers': { a: new Uint8Array(64) } }),
  },
  {
    name: 'v2_invalid_piece_layer_size',
    code: 'v2-only',
    bytes: v2({}, { 'piece layers': { a: new Uint8Array(96) } }),
  },
  { name: 'v2_unknown_piece_layer_entry', code: 'v2-only', bytes: v2({}, { 'piece layers': { other: root32 } }) },
  {
    name: 'v2_missing_file_root_invalid_symlink',
    code: 'v2-only',
    bytes: v2({ 'file tree': fileTree({ a: { attr: 'l', length: 9 } }) }),
  },
  {
    name: 'v2_zero_root',
    code: 'v2-only',
    bytes: v2({ 'file tree': fileTree({ a: { ...v2File, 'pieces root': new Uint8Array(32) } }) }),
  },
  {
    name: 'v2_zero_root_small',
    code: 'v2-only',
    bytes: v2({ 'file tree': fileTree({ a: { length: 9, 'pieces root': new Uint8Array(32) } }) }),
  },
  {
    name: 'v2_invalid_pad_file',
    code: 'v2-only',
    bytes: v2({ 'file tree': fileTree({ a: { ...v2File, attr: 'p' } }) }),
  },
  // libtorrent loads these: they are v2 alone, which is not supported here.
  { name: 'v2', code: 'v2-only', bytes: v2() },
  { name: 'v2_only', code: 'v2-only', bytes: v2({}, { announce: undefined }) },
  {
    name: 'v2_multipiece_file',
    code: 'v2-only',
    bytes: v2({ 'file tree': fileTree({ a: { ...v2File, length: 200_000 } }) }),
  },
  { name: 'v2_multiple_files', code: 'v2-only', bytes: v2({ 'file tree': fileTree({ a: v2File, b: v2File }) }) },
  { name: 'v2_empty_file', code: 'v2-only', bytes: v2({ 'file tree': fileTree({ a: { length: 0 }, b: v2File }) }) },
  { name: 'v2_no_piece_layers', code: 'v2-only', bytes: v2({}, { 'piece layers': undefined }) },
  {
    name: 'v2_incomplete_piece_layer',
    code: 'v2-only',
    bytes: v2({ 'file tree': fileTree({ a: v2File, b: v2File }) }),
  },
  { name: 'v2_invalid_filename', code: 'v2-only', bytes: v2({ 'file tree': fileTree({ '..': v2File }) }) },
  { name: 'v2_invalid_filename2', code: 'v2-only', bytes: v2({ 'file tree': fileTree({ 'a/b': v2File }) }) },
  {
    name: 'v2_symlinks',
    code: 'v2-only',
    bytes: v2({ 'file tree': fileTree({ a: v2File, b: { attr: 'l', 'symlink path': ['a'] } }) }),
  },
];

/** Must load, with safe paths whatever the names. */
const kept = /is kept as/;

export const cleaned: readonly Specimen[] = [
  { name: 'parent_path', bytes: folder([['..', '..', 'bar']]), paths: ['temp/bar'], warning: kept },
  { name: 'hidden_parent_path', bytes: folder([['.\u202e.', '\u200f..', 'bar']]), paths: ['temp/bar'], warning: kept },
  { name: 'slash_path', bytes: folder([['/', 'bar']]), paths: ['temp/_/bar'], warning: kept },
  { name: 'slash_path2', bytes: folder([['abc', '/../..']]), paths: ['temp/abc/_'], warning: kept },
  { name: 'slash_path3', bytes: folder([['foo/bar']]), paths: ['temp/foobar'], warning: kept },
  { name: 'backslash_path', bytes: folder([['..\\..\\bar']]), paths: ['temp/....bar'], warning: kept },
  { name: 'absolute_filename', bytes: folder([['/etc', '/passwd']]), paths: ['temp/etc/passwd'], warning: kept },
  { name: 'invalid_filename', bytes: folder([[ascii('a\xffb')]]), paths: ['temp/a_b'], warning: kept },
  { name: 'invalid_filename2', bytes: folder([[ascii('a\xe2\x82')]]), paths: ['temp/a_'], warning: kept },
  {
    name: 'invalid_directory_name',
    bytes: folder([[ascii('\xc0\xafdir'), 'file']]),
    paths: ['temp/__dir/file'],
    warning: kept,
  },
  {
    name: 'invalid_name2',
    bytes: single({ name: '' }),
    also: ({ name, infoHash }) => name === infoHash,
    warning: kept,
  },
  { name: 'invalid_name3', bytes: single({ name: 'trailing space ' }), paths: ['trailing space'], warning: kept },
  {
    name: 'long_name',
    bytes: single({ name: `${'x'.repeat(500)}.iso` }),
    paths: [`${'x'.repeat(236)}.iso`],
    warning: kept,
  },
  { name: 'empty_path', bytes: folder([['']]), paths: ['temp/_'], warning: kept },
  {
    name: 'empty_path_multi',
    bytes: folder([[], ['', '']]),
    paths: ['temp/_.1', 'temp/_/_'],
    warning: /is kept as "_\.1"/,
  },
  {
    name: 'duplicate_files',
    bytes: folder([['dir', 'a.txt'], ['dir', 'A.txt'], ['dir'], ['dir', 'a.txt']]),
    paths: ['temp/dir/a.txt', 'temp/dir/A.1.txt', 'temp/dir.1', 'temp/dir/a.2.txt'],
    warning: /is kept as "A\.1\.txt"/,
  },
  {
    name: 'whitespace_url',
    bytes: single({}, { announce: ' \nhttp://tracker.example/announce\t ' }),
    also: ({ announceTiers }) => announceTiers[0]?.[0] === 'http://tracker.example/announce',
  },
  {
    name: 'duplicate_web_seeds',
    bytes: single({}, { 'url-list': ['http://seed.example/a', 'http://seed.example/a', 'http://seed.example/b'] }),
    also: ({ webSeeds }) => webSeeds.join() === 'http://seed.example/a,http://seed.example/b',
  },
  {
    name: 'symlink1',
    bytes: folder([['dir', 'file'], link(['link'], ['dir', 'file'])]),
    also: ({ files }) => files[1]?.symlinkTarget?.join('/') === 'temp/dir/file',
  },
  {
    name: 'symlink2',
    bytes: folder([['dir', 'file'], link(['link'], ['dir'])]),
    also: ({ files }) => files[1]?.symlinkTarget?.join('/') === 'temp/dir',
  },
  {
    name: 'overlapping_symlinks',
    bytes: folder([['dir', 'file'], link(['one'], ['dir']), link(['two'], ['one', 'file'])]),
    also: ({ files }) => files[2]?.symlinkTarget?.join('/') === 'temp/dir/file',
  },
  {
    name: 'symlink_zero_size',
    bytes: folder([['file'], link(['link'], ['file'], { length: 5000 })]),
    also: ({ files, geometry }) => files[1]?.length === 0 && geometry.totalLength === 10,
  },
  {
    name: 'symlink_filtered_path',
    bytes: folder([['file'], link(['link'], ['..', '/etc', 'passwd'])]),
    warning: /leads nowhere in this torrent/,
    also: ({ files }) => files[1]?.symlinkTarget === undefined && files[1]?.isSkipped === true,
  },
];

const url = 'http://seed.example/file';

/** Must load as they are. */
export const loaded: readonly Specimen[] = [
  {
    name: 'unordered',
    bytes: ascii(`d4:infod4:name1:a12:piece lengthi16384e6:lengthi5e6:pieces20:${'h'.repeat(20)}e7:comment2:hie`),
    warning: /unsorted/,
    also: ({ comment, infoHash }) => comment === 'hi' && infoHash === 'c8a03a9187f3e665db6caf3e23fcb150ea4b216f',
  },
  {
    name: 'single_multi_file',
    bytes: folder([['only']]),
    paths: ['temp/only'],
    also: ({ isMultiFile }) => isMultiFile,
  },
  {
    name: 'pad_file',
    bytes: folder([['a'], { attr: 'p', length: 16_374, path: ['.pad', '16374'] }, ['b']]),
    also: ({ files }) => files.map((file) => file.isPadding && file.isSkipped).join() === 'false,true,false',
  },
  {
    name: 'pad_file_no_path',
    bytes: folder([['a'], { attr: 'p', length: 16_374 }, ['b']]),
    paths: ['temp/a', 'temp/.pad/16374', 'temp/b'],
  },
  { name: 'empty-files-1', bytes: folder([{ length: 0, path: ['a'] }, ['b']]), paths: ['temp/a', 'temp/b'] },
  { name: 'empty-files-2', bytes: folder([['a'], { length: 0, path: ['b'] }]), paths: ['temp/a', 'temp/b'] },
  {
    name: 'empty-files-3',
    bytes: folder([['a'], { length: 0, path: ['b'] }, ['c']]),
    paths: ['temp/a', 'temp/b', 'temp/c'],
  },
  {
    name: 'empty-files-4',
    bytes: folder([{ length: 0, path: ['a'] }, { length: 0, path: ['d', 'b'] }, ['c']]),
    paths: ['temp/a', 'temp/d/b', 'temp/c'],
  },
  {
    name: 'empty-files-5',
    bytes: folder([['a'], { length: 0, path: ['b'] }, { length: 0, path: ['c'] }]),
    paths: ['temp/a', 'temp/b', 'temp/c'],
  },
  {
    name: 'large',
    bytes: folder(Array.from({ length: 20_000 }, (_, i) => [`folder ${i % 7}`, `file ${i}`])),
    also: ({ files }) => files.length === 20_000,
  },
  {
    name: 'large_piece_size',
    bytes: single({ 'piece length': 32_767 * 16_384, pieces: new Uint8Array(20) }),
    also: ({ geometry }) => geometry.pieceCount === 1,
  },
  { name: 'url_seed', bytes: single({}, { 'url-list': url }), also: ({ webSeeds }) => webSeeds.join() === url },
  {
    name: 'url_seed_multi',
    bytes: folder([['a']], {}, { 'url-list': 'http://seed.example/folder/' }),
    also: ({ webSeeds }) => webSeeds.join() === 'http://seed.example/folder/',
  },
  {
    name: 'url_seed_multi_space',
    bytes: folder([['a']], {}, { 'url-list': 'http://seed.example/a folder/' }),
    also: ({ webSeeds }) => webSeeds.length === 1,
  },
  {
    name: 'url_list',
    bytes: single({}, { 'url-list': [url, `${url}2`] }),
    also: ({ webSeeds }) => webSeeds.length === 2,
  },
  {
    name: 'url_list2',
    bytes: single({}, { 'url-list': [url, '', 7] }),
    warning: /url-list holds/,
    also: ({ webSeeds }) => webSeeds.length === 1,
  },
  { name: 'url_list3', bytes: single({}, { 'url-list': '' }), also: ({ webSeeds }) => webSeeds.length === 0 },
  {
    name: 'httpseed',
    bytes: single({}, { httpseeds: [url] }),
    also: ({ unknown }) => [...unknown.keys()].join() === 'httpseeds',
  },
  {
    name: 'creation_date',
    bytes: single({}, { 'creation date': 1_234_567 }),
    also: ({ creationDate }) => creationDate === 1_234_567,
  },
  { name: 'no_creation_date', bytes: single(), also: (metainfo) => !('creationDate' in metainfo) },
  {
    name: 'dht_nodes',
    bytes: single({}, { nodes: [['127.0.0.1', 6881]] }),
    also: ({ unknown }) => unknown.has('nodes'),
  },
  {
    name: 'similar',
    bytes: single({}, { similar: [new Uint8Array(20)] }),
    also: ({ unknown }) => unknown.has('similar'),
  },
  { name: 'similar2', bytes: single({ similar: [new Uint8Array(20)] }) },
  {
    name: 'collection',
    bytes: single({}, { collections: ['a', 'b'] }),
    also: ({ unknown }) => unknown.has('collections'),
  },
  { name: 'collection2', bytes: single({ collections: ['a', 'b'] }) },
  { name: 'v2_hybrid', bytes: single(hybridFields), warning: hybrid },
  {
    name: 'v2_hybrid-missing-tailpad',
    bytes: folder([['a'], { attr: 'p', length: 16_374 }, ['b']], hybridFields),
    warning: hybrid,
  },
  // libtorrent refuses these two: the v2 part contradicts the v1 part. Here the v1 part alone counts.
  { name: 'v2_mismatching_metadata', bytes: single({ ...hybridFields, length: 19_999 }), warning: hybrid },
  { name: 'v2_bad_file_alignment', bytes: folder([['a'], ['b']], hybridFields), warning: hybrid },
  { name: 'utf8_names', bytes: folder([[text('größe'), text('日本.txt')]]), paths: ['temp/größe/日本.txt'] },
];
