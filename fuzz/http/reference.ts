// What a query means, read in the plainest way from the corner cases that trackers meet, to be held against the parser
// that reads it in one scan. BEP 3, 7, 23, 48.

/** What the answer to an announce depends on. */
export interface QueryAnnounce {
  /** 40 hex digits. */
  readonly infoHash: string;
  readonly peerId: string;
  readonly port: number;
  readonly seeding: boolean;
  readonly partial: boolean;
  readonly leaving: boolean;
  readonly numWant: number | undefined;
  readonly compact: boolean;
  readonly noPeerId: boolean;
  /** Whether it brings a tracker id. None in this world proves anything. */
  readonly bringsId: boolean;
  /** Whether it wants only what is new since a mark; nor does the tracker know any mark here. */
  readonly wantsNews: boolean;
}

class Refused extends Error {}

/** Undefined where the query has to be refused. */
export function readAnnounceQuery(raw: string): QueryAnnounce | undefined {
  return unlessRefused(() => {
    const last = new Map<string, string>();
    for (const [name, value] of parameters(raw, (known) => announceNames.has(known))) {
      if (name === 'info_hash') {
        if (last.has(name)) throw new Refused();
        readHash(value);
      } else if (name === 'peer_id' && decode(value).length !== 20) throw new Refused();
      else if (name === 'port' && !isPort(value)) throw new Refused();
      else if (textNames.has(name)) decode(value);
      last.set(name.startsWith('num') ? 'numwant' : name, value);
    }
    const [infoHash, peerId, port] = [last.get('info_hash'), last.get('peer_id'), last.get('port')];
    if (infoHash === undefined || peerId === undefined || port === undefined) throw new Refused();
    const event = last.get('event')?.toLowerCase();
    const leaving = event === 'stopped';
    const seeding = integer(last.get('left') ?? '') === 0;
    if (integer(port) === 0 && !leaving) throw new Refused();
    const want = integer(last.get('numwant') ?? '');
    const since = integer(last.get('last') ?? '');
    return {
      infoHash: readHash(infoHash),
      peerId: hexOf(decode(peerId)),
      port: integer(port) ?? 0,
      seeding,
      partial: event === 'paused' && !seeding,
      leaving,
      numWant: want !== undefined && want >= 0 ? want : undefined,
      compact: last.has('compact') && !last.get('compact')?.startsWith('0'),
      bringsId: last.has('trackerid'),
      wantsNews: since !== undefined && since >= 0,
      noPeerId: last.has('no_peer_id') && !last.get('no_peer_id')?.startsWith('0'),
    };
  });
}

/** The hashes of a scrape in hex, each once; undefined where it has to be refused. */
export function readScrapeQuery(raw: string, limit: number): string[] | undefined {
  return unlessRefused(() => {
    const hashes = new Set<string>();
    for (const [name, value] of parameters(raw, (known) => known === 'info_hash' || known === 'passkey'))
      if (name === 'info_hash') hashes.add(readHash(value));
    if (hashes.size === 0 || hashes.size > limit) throw new Refused();
    return [...hashes];
  });
}

const textNames: ReadonlySet<string> = new Set(['key', 'trackerid', 'ip', 'ipv4', 'ipv6']);
const announceNames: ReadonlySet<string> = new Set(
  [
    ['info_hash', 'peer_id', 'port', 'uploaded', 'downloaded', 'left', 'event', 'last'],
    ['numwant', 'num want', 'num+want', 'compact', 'no_peer_id'],
    [...textNames],
  ].flat(),
);

/** Names, decoded, with values, still encoded. After a value of an unknown name a `?` begins a new query. */
function* parameters(raw: string, knows: (name: string) => boolean): Generator<[name: string, value: string]> {
  for (let rest = raw; rest !== '';) {
    rest = rest.replace(/^\?+/, '');
    const [part = ''] = rest.split('&', 1);
    let used = part.length;
    const equals = part.indexOf('=');
    if (equals > 0 && equals + 1 < part.length) {
      const name = decode(part.slice(0, equals));
      const question = part.indexOf('?', equals);
      if (knows(name)) yield [name, part.slice(equals + 1)];
      else if (question >= 0) used = question;
    }
    rest = rest.slice(used + 1);
  }
}

/** Bytes as Latin-1 text. */
function decode(text: string): string {
  if (/%(?![0-9a-f]{2})/i.test(text)) throw new Refused();
  return text.replaceAll(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** BEP 52: a hash of 32 bytes is announced by its first 20. */
function readHash(value: string): string {
  const bytes = decode(value);
  if (bytes.length !== 20 && bytes.length !== 32) throw new Refused();
  return hexOf(bytes.slice(0, 20));
}

function isPort(value: string): boolean {
  const port = integer(value);
  return port !== undefined && port >= 0 && port <= 65_535;
}

/** Undefined for what is no whole number. */
function integer(value: string): number | undefined {
  // One zero: the other is no number of peers.
  return /^-?\d+$/.test(value) ? Number(value) + 0 : undefined;
}

function hexOf(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('hex');
}

function unlessRefused<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
}
