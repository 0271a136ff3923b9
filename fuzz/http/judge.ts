// What the body of an announce or scrape must say, given what its query means and what the model of the swarm knows.
import { type Value, readDictionary } from '../bencode.ts';
import { hex } from '../model.ts';
import { expectEqual, expectThat } from '../target.ts';
import { type Source, type World, sources } from '../world.ts';
import { type QueryAnnounce, readAnnounceQuery, readScrapeQuery } from './reference.ts';

/** What the query of an announce must do and get; says what kind of answer it was. */
export function judgeAnnounce(world: World, query: string, source: Source, now: number, body: string): string {
  const announce = readAnnounceQuery(query);
  const answer = readDictionary(body);
  if (announce === undefined) return judgeFailure(answer, 'announce: refused query');
  const peer = { ...announce, address: source.canonical };
  if (world.refuses(peer, source.reach)) {
    expectEqual('interval of a refusal', answer.get('interval'), world.settings.interval);
    return judgeFailure(answer, 'announce: refused by policy');
  }
  const before = world.model.counts(announce.infoHash);
  const outcome = world.model.announce(peer, Math.ceil(now / 1000) * 1000);
  expectEqual('failure reason', answer.get('failure reason'), undefined);
  expectEqual('warning', answer.has('warning message'), outcome === 'full');
  expectEqual('interval', answer.get('interval'), world.settings.interval);
  expectEqual(
    'min interval',
    answer.get('min interval'),
    world.settings.minInterval ?? Math.min(60, world.settings.interval),
  );
  const counts = world.model.counts(announce.infoHash);
  expectEqual('complete', answer.get('complete'), counts.complete);
  expectEqual('incomplete', answer.get('incomplete'), counts.incomplete);
  // The last one who leaves hears how often the torrent was completed; then that is forgotten.
  expectEqual('downloaded', answer.get('downloaded'), announce.leaving ? before.downloaded : counts.downloaded);
  expectEqual('tracker id', answer.has('tracker id'), outcome === 'joined' || announce.bringsId);
  if (answer.has('downloaders')) expectEqual('downloaders', answer.get('downloaders'), counts.downloaders);
  expectEqual('external ip', hex(bytesOf(answer.get('external ip'))), source.canonical);
  for (const key of answer.keys()) expectThat(announceKeys.has(key), `a key that nobody knows: ${key}`);
  const given = announce.compact ? judgeCompact(world, peer, answer) : judgeDictionaries(world, peer, announce, answer);
  const want = announce.leaving ? 0 : world.wanted(announce.numWant);
  const candidates = world.model.candidates(peer);
  // Its own family first; the other fills the rest.
  const own = source.canonical.length === 8 ? 'v4' : 'v6';
  const other = own === 'v4' ? 'v6' : 'v4';
  const expected = Math.min(want, candidates[own]);
  expectEqual('peers of its own family', given[own], expected);
  expectEqual('peers of the other family', given[other], Math.min(want - expected, candidates[other]));
  const others = counts.complete + counts.incomplete - (outcome === 'joined' || outcome === 'stays' ? 1 : 0);
  expectEqual('num peers', answer.get('num peers'), announce.wantsNews ? others : undefined);
  // Who is given a mark has been given everybody.
  if (answer.has('last')) expectThat(announce.wantsNews, 'a mark that nobody wanted');
  if (answer.has('last')) expectEqual('peers with a mark', given.v4 + given.v6, candidates.v4 + candidates.v6);
  if (announce.leaving) return 'announce: goodbye';
  return `announce: ${announce.compact ? 'compact' : 'dictionaries'}${given.v4 + given.v6 > 0 ? '' : ', empty'}`;
}

/** What the query of a scrape must get. */
export function judgeScrape(world: World, query: string, limit: number, body: string): string {
  const hashes = readScrapeQuery(query, limit);
  const answer = readDictionary(body);
  if (hashes === undefined) return judgeFailure(answer, 'scrape: refused');
  const files = answer.get('files');
  expectThat(files instanceof Map, 'a scrape without files');
  const known = hashes.filter((infoHash) => world.serves(infoHash) && world.model.has(infoHash));
  expectEqual('files', files.size, known.length);
  for (const infoHash of known) {
    const entry: unknown = files.get(Buffer.from(infoHash, 'hex').toString('latin1'));
    expectThat(entry instanceof Map, `${infoHash} is not in a scrape that names it`);
    for (const [name, count] of Object.entries(world.model.counts(infoHash)))
      if (name !== 'downloaders' || entry.has(name)) expectEqual(name, entry.get(name), count);
  }
  return known.length > 0 ? 'scrape' : 'scrape: nobody';
}

/** A refusal says why in words. */
export function judgeFailure(answer: ReadonlyMap<string, Value>, kind: string): string {
  const reason = answer.get('failure reason');
  expectThat(typeof reason === 'string' && reason.length > 0, 'no reason where a refusal must be');
  new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(reason, 'latin1'));
  for (const key of answer.keys()) expectThat(failureKeys.has(key), `a refusal with the key ${key}`);
  return kind;
}

type Given = Readonly<Record<'v4' | 'v6', number>>;
type Announcer = QueryAnnounce & { readonly address: string };

function judgeCompact(world: World, peer: Announcer, answer: ReadonlyMap<string, Value>): Given {
  const v4 = bytesOf(answer.get('peers'));
  const v6 = answer.has('peers6') ? bytesOf(answer.get('peers6')) : new Uint8Array();
  expectThat(!answer.has('peers6') || v6.length > 0, 'peers6 is there and empty');
  world.judgePeers(peer, v4, 6);
  world.judgePeers(peer, v6, 18);
  return { v4: v4.length / 6, v6: v6.length / 18 };
}

function judgeDictionaries(
  world: World,
  peer: Announcer,
  query: QueryAnnounce,
  answer: ReadonlyMap<string, Value>,
): Given {
  const peers = answer.get('peers');
  expectThat(Array.isArray(peers), 'no list of dictionaries');
  const given = { v4: 0, v6: 0 };
  const seen = new Set<string>();
  for (const entry of peers as readonly Value[]) {
    expectThat(entry instanceof Map, 'an entry that is no dictionary');
    const [ip, port] = [entry.get('ip'), entry.get('port')];
    expectThat(typeof ip === 'string' && typeof port === 'number', 'an entry without ip or port');
    const address = sources.find(({ listed }) => listed === ip)?.canonical;
    expectThat(address !== undefined, `a peer at ${ip}, where nobody is`);
    world.judgePeer(peer, address, port);
    expectThat(!seen.has(`${ip} ${port}`), `${ip} ${port} is listed twice`);
    seen.add(`${ip} ${port}`);
    judgePeerId(world, query, address, port, entry.get('peer id'));
    given[address.length === 8 ? 'v4' : 'v6']++;
  }
  return given;
}

/** The id of a peer is the last that it gave, where ids are kept and wanted; zeros stand for none. */
function judgePeerId(world: World, query: QueryAnnounce, address: string, port: number, id: Value | undefined): void {
  const known = world.model.peer(query.infoHash, address, port)?.peerId;
  const shown = !query.noPeerId && world.settings.keepPeerIds && known !== '0'.repeat(40);
  expectEqual('peer id', id === undefined ? undefined : hex(bytesOf(id)), shown ? known : undefined);
}

const announceKeys: ReadonlySet<string> = new Set(
  [
    ['complete', 'downloaded', 'downloaders', 'external ip', 'incomplete', 'interval', 'min interval'],
    ['last', 'num peers', 'peers', 'peers6', 'tracker id', 'warning message'],
  ].flat(),
);
const failureKeys: ReadonlySet<string> = new Set(['failure reason', 'interval', 'retry in']);

function bytesOf(value: Value | undefined): Uint8Array {
  expectThat(typeof value === 'string', 'no bytes where bytes must be');
  return Buffer.from(value, 'latin1');
}
