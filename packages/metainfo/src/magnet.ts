/**
 * Magnet links: what a link says about a torrent, read and written. Whatever its text, a link costs time in proportion to its
 * length. Opens nothing. BEP 9, 12, 19, 53.
 */
import { cleanTiers, cleanWebSeeds } from './addresses.ts';
import { MetainfoError } from './errors.ts';
import { parseInfoHash } from './info-hash.ts';
import { quoted, Warnings } from './warnings.ts';

/** Links of thousands of trackers are no use; mail programs and shells stop long before. */
const maxLength = 65_536;
/** Addresses to try before a tracker answers; more are an attack on whoever they name. */
const maxPeers = 200;

/** A checked magnet link of a v1 torrent. */
export interface Magnet {
  /** 40 lower-case hex digits. */
  readonly infoHash: string;
  /** The SHA-256 multihash (`1220…`) of a hybrid torrent's v2 part, in lower-case hex (BEP 52). */
  readonly infoHashV2?: string;
  /** To show until the real name is known. A stranger's text: not safe as a path. */
  readonly name?: string;
  /** Bytes of content, as the link claims. */
  readonly length?: number;
  /** Tracker URLs in the order of the link, which has no tiers. */
  readonly trackers: readonly string[];
  readonly webSeeds: readonly string[];
  /** Where the .torrent file may be had. */
  readonly exactSources: readonly string[];
  /** Peers to try at once, `host:port` or `[v6]:port` (BEP 9, `x.pe`). */
  readonly peers: readonly string[];
  /** File indices to download, ordered ranges that do not touch (BEP 53); absent: all. Not checked against the torrent. */
  readonly selectOnly?: readonly FileRange[];
  /** Parameters that this package gives no meaning to, decoded, in order. */
  readonly unknown: readonly (readonly [key: string, value: string])[];
  /** What was odd and left out, in sentences. */
  readonly warnings: readonly string[];
}

/** File indices from `first` to `last`, both included. */
export interface FileRange {
  readonly first: number;
  readonly last: number;
}

/** What a link can be written from: only the info-hash is needed. */
export type MagnetFields = Pick<Magnet, 'infoHash'> & Partial<Omit<Magnet, 'warnings'>>;

/**
 * A magnet link, checked. Unusable optional parameters are left out with a warning.
 * @throws MetainfoError not-a-magnet, no-info-hash, bad-info-hash, v2-only, too-large.
 * @example const { infoHash, name, trackers } = parseMagnet('magnet:?xt=urn:btih:…&dn=debian.iso&tr=udp%3A%2F%2F…');
 */
export function parseMagnet(text: string): Magnet {
  const link = text.trim();
  if (!/^magnet:\?/i.test(link)) {
    throw new MetainfoError('not-a-magnet', `${quoted(link)} is no magnet link: it does not begin with magnet:?`);
  }
  if (link.length > maxLength) {
    throw new MetainfoError(
      'too-large',
      `the magnet link has ${link.length} characters; at most ${maxLength} are read`,
    );
  }
  const warnings = new Warnings();
  const parameters = new Parameters(link.slice('magnet:?'.length));
  const hashes = infoHashesOf(parameters.take('xt'), warnings);
  const name = parameters.take('dn')[0];
  const length = lengthOf(parameters.take('xl')[0], warnings);
  const selectOnly = rangesOf(parameters.take('so'), warnings);
  return {
    ...hashes,
    ...(name === undefined ? {} : { name }),
    ...(length === undefined ? {} : { length }),
    trackers: cleanTiers([parameters.take('tr')], warnings).flat(),
    webSeeds: cleanWebSeeds(parameters.take('ws'), warnings),
    exactSources: cleanWebSeeds(parameters.take('xs'), warnings),
    peers: peersOf(parameters.take('x.pe'), warnings),
    ...(selectOnly.length === 0 ? {} : { selectOnly }),
    unknown: parameters.rest(),
    warnings: warnings.list(),
  };
}

/**
 * The link for a torrent: `formatMagnet({ infoHash, name, trackers: announceTiers.flat(), webSeeds })` of a Metainfo.
 * @throws RangeError when the info-hash is neither 40 hex digits nor 32 base32 letters, or a range is no range.
 */
export function formatMagnet(magnet: MagnetFields): string {
  const infoHash = parseInfoHash(magnet.infoHash);
  if (infoHash === undefined) throw new RangeError(`${quoted(magnet.infoHash)} is no info-hash`);
  const parts = [`xt=urn:btih:${infoHash}`];
  const add = (key: string, value: string | number | undefined): void => {
    if (value !== undefined) parts.push(`${key}=${encodeURIComponent(String(value).toWellFormed())}`);
  };
  if (magnet.infoHashV2 !== undefined) parts.push(`xt=urn:btmh:${magnet.infoHashV2}`);
  add('dn', magnet.name);
  add('xl', magnet.length);
  for (const url of magnet.trackers ?? []) add('tr', url);
  for (const url of magnet.webSeeds ?? []) add('ws', url);
  for (const url of magnet.exactSources ?? []) add('xs', url);
  for (const peer of magnet.peers ?? []) parts.push(`x.pe=${encodeURI(peer.toWellFormed())}`);
  const ranges = magnet.selectOnly ?? [];
  if (ranges.length > 0) parts.push(`so=${ranges.map(formatRange).join(',')}`);
  for (const [key, value] of magnet.unknown ?? []) add(encodeURIComponent(key.toWellFormed()), value);
  return `magnet:?${parts.join('&')}`;
}

/** The query of a link, decoded, its parameters grouped without the `.1`, `.2` that some writers number them with. */
class Parameters {
  readonly #pairs: (readonly [string, string])[] = [];
  readonly #values = new Map<string, string[]>();

  constructor(query: string) {
    for (const part of query.split('&')) {
      if (part === '') continue;
      const equals = part.indexOf('=');
      // Links copied out of a page's source have `&amp;` between parameters.
      const key = percentDecoded(equals < 0 ? part : part.slice(0, equals)).replace(/^amp;/, '');
      const raw = equals < 0 ? '' : part.slice(equals + 1);
      // A plus is a space only in names: in a URL it may well be a plus.
      const value = percentDecoded(key === 'dn' ? raw.replaceAll('+', ' ') : raw);
      this.#pairs.push([key, value]);
    }
    for (const [key, value] of this.#pairs) {
      const values = this.#values.get(plainKey(key));
      if (values === undefined) this.#values.set(plainKey(key), [value]);
      else values.push(value);
    }
  }

  take(key: string): string[] {
    const values = this.#values.get(key) ?? [];
    this.#values.delete(key);
    return values;
  }

  /** All that was not taken. */
  rest(): (readonly [string, string])[] {
    return this.#pairs.filter(([key]) => this.#values.has(plainKey(key)));
  }
}

function plainKey(key: string): string {
  return key.replace(/\.\d{1,9}$/, '');
}

/** Bytes that are no UTF-8 become U+FFFD, and a stray percent sign stays: `decodeURIComponent` would throw. */
function percentDecoded(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString());
}

function infoHashesOf(topics: readonly string[], warnings: Warnings): Pick<Magnet, 'infoHash' | 'infoHashV2'> {
  let infoHash: string | undefined;
  let infoHashV2: string | undefined;
  for (const topic of topics) {
    const [, scheme, value = ''] = /^urn:(btih|btmh):(.*)$/is.exec(topic) ?? [];
    if (scheme?.toLowerCase() === 'btih') {
      const hash = checkedInfoHash(value);
      if (infoHash !== undefined && hash !== infoHash)
        warnings.add(() => 'the link names more than one torrent; the first counts');
      infoHash ??= hash;
    } else if (scheme !== undefined) {
      if (!/^1220[0-9a-f]{64}$/i.test(value)) {
        throw new MetainfoError('bad-info-hash', `${quoted(value)} is no SHA-256 multihash of a v2 torrent`, {
          key: 'xt',
        });
      }
      infoHashV2 ??= value.toLowerCase();
    } else warnings.add(() => `the topic ${quoted(topic)} is not of BitTorrent; it is left out`);
  }
  if (infoHash !== undefined) return { infoHash, ...(infoHashV2 === undefined ? {} : { infoHashV2 }) };
  if (infoHashV2 === undefined) {
    throw new MetainfoError('no-info-hash', 'the magnet link has no xt=urn:btih: with the hash of a torrent', {
      key: 'xt',
    });
  }
  throw new MetainfoError('v2-only', 'the magnet link is of a BitTorrent v2 torrent, which is not supported yet', {
    key: 'xt',
  });
}

function checkedInfoHash(value: string): string {
  const hash = parseInfoHash(value);
  if (hash !== undefined) return hash;
  throw new MetainfoError(
    'bad-info-hash',
    `${quoted(value)} is no info-hash: it needs 40 hexadecimal digits or 32 base32 letters and has ${value.length} characters; check that the link is whole`,
    { key: 'xt' },
  );
}

function lengthOf(value: string | undefined, warnings: Warnings): number | undefined {
  if (value === undefined) return undefined;
  const length = wholeNumber(value);
  if (length === undefined) warnings.add(() => `the length ${quoted(value)} is no number of bytes; it is left out`);
  return length;
}

function wholeNumber(text: string): number | undefined {
  if (!/^\d{1,16}$/.test(text)) return undefined;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : undefined;
}

function peersOf(values: readonly string[], warnings: Warnings): string[] {
  const peers = new Set<string>();
  for (const value of values) {
    const port = Number(/^(?:\[[0-9a-f:.]{2,45}\]|[^\s:/@[\]]{1,253}):(\d{1,5})$/i.exec(value)?.[1] ?? 0);
    if (port < 1 || port > 65_535) warnings.add(() => `the peer ${quoted(value)} is no host:port; it is left out`);
    else if (peers.size < maxPeers) peers.add(value);
    else if (!peers.has(value))
      warnings.add(() => `only the first ${maxPeers} peers are kept; ${quoted(value)} is left out`);
  }
  return [...peers];
}

/** Ranges stay ranges: `0-99999999` is one object, not a hundred million numbers. */
function rangesOf(values: readonly string[], warnings: Warnings): FileRange[] {
  const ranges: FileRange[] = [];
  for (const part of values.flatMap((value) => value.split(','))) {
    const [, from = '', to = from] = /^(\d+)(?:-(\d+))?$/.exec(part.trim()) ?? [];
    const first = wholeNumber(from);
    const last = wholeNumber(to);
    if (first === undefined || last === undefined || last < first) {
      warnings.add(() => `the selection ${quoted(part)} is no file index or range; it is left out`);
    } else ranges.push({ first, last });
  }
  return merged(ranges);
}

function merged(ranges: readonly FileRange[]): FileRange[] {
  const result: FileRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = result.at(-1);
    if (before === undefined || range.first > before.last + 1) result.push(range);
    else result[result.length - 1] = { first: before.first, last: Math.max(before.last, range.last) };
  }
  return result;
}

function formatRange({ first, last }: FileRange): string {
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last) || first < 0 || last < first) {
    throw new RangeError(`${first}-${last} is no range of file indices`);
  }
  return first === last ? String(first) : `${first}-${last}`;
}
