// What an announce or scrape reports, the same for every transport, so that a case on swarms is written once.
import { type BencodeValue, utf8 } from '@shoal/bencode';
import { decodeAnnounceReply, decodeCompactPeers, isFailure, percentEncode } from '@shoal/tracker-protocol';
import { ConformanceError } from './errors.ts';
import { type HttpAnswer, type HttpProbe, parametersFor } from './http-probe.ts';
import { plainBody } from './http-response.ts';
import { type UdpProbe, action, announcePacket, describe, scrapePacket } from './udp-probe.ts';

/** An announce as every transport can say it. */
export interface SwarmAnnounce {
  readonly infoHash: Uint8Array;
  readonly peerId: Uint8Array;
  readonly port: number;
  /** Default 1000 bytes. */
  readonly left?: bigint;
  readonly uploaded?: bigint;
  readonly downloaded?: bigint;
  /** Default `none`. */
  readonly event?: 'none' | 'completed' | 'started' | 'stopped';
  /** Default: not said. */
  readonly numWant?: number;
  /** 32 bits. Default: none. */
  readonly key?: number;
}

/** An answer to an announce. */
export interface SwarmReading {
  readonly failure: string | undefined;
  readonly interval: number | undefined;
  readonly complete: number | undefined;
  readonly incomplete: number | undefined;
  /** `ip:port`, IPv6 without brackets. */
  readonly peers: readonly string[];
  /** Ports of the peers. */
  readonly ports: readonly number[];
}

/** Counts of one torrent. */
export interface SwarmCounts {
  readonly complete: number;
  readonly incomplete: number;
  readonly downloaded: number;
}

/** An answer over HTTP, read. @throws ConformanceError not-bencoded */
export function readHttpAnswer({ response, dictionary, failure }: HttpAnswer): SwarmReading {
  if (failure !== undefined) return refused(failure);
  const reply = decodeReply(plainBody(response));
  const count = (key: string): number | undefined => {
    const value = dictionary.get(key);
    return typeof value === 'number' ? value : undefined;
  };
  const counts = { interval: count('interval'), complete: count('complete'), incomplete: count('incomplete') };
  return { failure, ...counts, ...named(reply) };
}

/** Announces over HTTP with a compact list. */
export async function announceOverHttp(probe: HttpProbe, announce: SwarmAnnounce): Promise<SwarmReading> {
  const { infoHash, peerId, port, left, uploaded, downloaded, event = 'none', numWant, key } = announce;
  const parameters = {
    ...parametersFor(infoHash, peerId, port),
    left: left ?? 1000,
    uploaded: uploaded ?? 0,
    downloaded: downloaded ?? 0,
    event: event === 'none' ? undefined : event,
    numwant: numWant,
    key: key?.toString(16).padStart(8, '0'),
  };
  return readHttpAnswer(await probe.announce(parameters));
}

/** Announces over UDP under a connection id. @throws ConformanceError no-answer */
export async function announceOverUdp(
  probe: UdpProbe,
  connectionId: Uint8Array,
  family: 4 | 6,
  announce: SwarmAnnounce,
): Promise<SwarmReading> {
  const event = ['none', 'completed', 'started', 'stopped'].indexOf(announce.event ?? 'none');
  return readUdpReply(await probe.ask(announcePacket(connectionId, { ...announce, event }), 'an announce'), family);
}

/** A reply over UDP, read. @throws ConformanceError no-answer when it is neither announce nor error */
export function readUdpReply(reply: Buffer, family: 4 | 6): SwarmReading {
  const number = reply.readUInt32BE(0);
  if (number === action.error) return refused(reply.subarray(8).toString('utf8').replace(/\0+$/, ''));
  if (number !== action.announce || reply.length < 20) {
    throw new ConformanceError('no-answer', `an announce was answered with ${describe(reply)}`);
  }
  const { peers } = decodeCompactPeers(reply, family, Infinity, 20);
  return {
    failure: undefined,
    interval: reply.readUInt32BE(8),
    incomplete: reply.readUInt32BE(12),
    complete: reply.readUInt32BE(16),
    ...named(peers),
  };
}

/** Scrapes over HTTP: in the order asked, undefined for what is left out. @throws ConformanceError not-bencoded */
export async function scrapeOverHttp(
  probe: HttpProbe,
  infoHashes: readonly Uint8Array[],
): Promise<(SwarmCounts | undefined)[] | string> {
  if (probe.scrapePath === undefined) return 'the URL has no scrape';
  const query = infoHashes.map((infoHash) => `info_hash=${percentEncode(infoHash)}`).join('&');
  const { dictionary, failure } = await probe.ask(probe.withQuery(probe.scrapePath, query));
  if (failure !== undefined) return failure;
  const files = dictionary.get('files');
  return infoHashes.map((infoHash) => {
    const entry = files instanceof Map ? files.get(String.fromCharCode(...infoHash)) : undefined;
    if (!(entry instanceof Map)) return undefined;
    const [complete, incomplete, downloaded] = ['complete', 'incomplete', 'downloaded'].map((key) =>
      Number(entry.get(key) ?? Number.NaN),
    );
    return { complete: complete!, incomplete: incomplete!, downloaded: downloaded! };
  });
}

/** Scrapes over UDP; the text of an error when it is refused. */
export async function scrapeOverUdp(
  probe: UdpProbe,
  connectionId: Uint8Array,
  infoHashes: readonly Uint8Array[],
): Promise<(SwarmCounts | undefined)[] | string> {
  const reply = await probe.ask(scrapePacket(connectionId, infoHashes), 'a scrape');
  return reply.readUInt32BE(0) === action.scrape ? countsIn(reply) : describe(reply);
}

/** The records of a scrape reply. */
export function countsIn(reply: Buffer): SwarmCounts[] {
  return Array.from({ length: Math.floor((reply.length - 8) / 12) }, (_, index) => ({
    complete: reply.readUInt32BE(8 + 12 * index),
    downloaded: reply.readUInt32BE(12 + 12 * index),
    incomplete: reply.readUInt32BE(16 + 12 * index),
  }));
}

/** Text of a byte string. */
export function textOf(value: unknown): string | undefined {
  return value instanceof Uint8Array ? utf8(value) : undefined;
}

/** A bencoded value in words. */
export function shown(value: BencodeValue | undefined): string {
  if (typeof value === 'number' || typeof value === 'bigint') return value.toString();
  return value === undefined ? 'nothing' : (textOf(value) ?? 'a list or dictionary');
}

function decodeReply(body: Uint8Array): readonly { readonly ip: string; readonly port: number }[] {
  try {
    const reply = decodeAnnounceReply(body);
    return isFailure(reply) ? [] : reply.peers;
  } catch (cause) {
    throw new ConformanceError(
      'not-bencoded',
      `no announce reply: ${cause instanceof Error ? cause.message : ''}`,
      cause,
    );
  }
}

function named(
  peers: readonly { readonly ip: string; readonly port: number }[],
): Pick<SwarmReading, 'peers' | 'ports'> {
  return { peers: peers.map(({ ip, port }) => `${ip}:${port}`), ports: peers.map(({ port }) => port) };
}

function refused(failure: string): SwarmReading {
  return { failure, interval: undefined, complete: undefined, incomplete: undefined, peers: [], ports: [] };
}
