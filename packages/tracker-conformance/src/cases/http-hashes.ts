// How a tracker reads bytes out of an HTTP query: escapes, separators, lengths. BEP 3, RFC 3986.
import { percentEncode } from '@shoal/tracker-protocol';
import type { CaseContext } from '../case-context.ts';
import {
  type ConformanceCase,
  type Verdict,
  differs,
  fail,
  overHttp,
  pass,
  passIf,
  worst,
} from '../conformance-case.ts';
import { ConformanceError } from '../errors.ts';
import { type HttpAnswer, type Parameters, parametersFor, refusalIn } from '../http-probe.ts';
import { readHttpAnswer } from '../swarm-reading.ts';

export const httpHashCases: readonly ConformanceCase[] = [
  {
    number: 1,
    title: 'info_hash is read byte by byte from %XX, in upper and lower case',
    transports: overHttp,
    shape: (infoHash) => infoHash.set([0xab, 0xcd, 0xef, 0x00, 0xff]),
    run: (context) => {
      const upper = escapeAll(context.infoHash);
      return sameSwarm(context, upper, upper.toLowerCase());
    },
  },
  {
    number: 2,
    title: 'info-hashes never go through UTF-8: those that differ in one byte are two swarms',
    transports: overHttp,
    shape: (infoHash, index, first) => {
      if (index === 1) infoHash.set(first);
      infoHash.set([0xc3, 0xa9, index === 1 ? 0xfe : 0xff, 0x80]);
    },
    run: async (context) => {
      const [one, other] = context.infoHashes;
      await announced(context, 0, percentEncode(one!));
      const ports = await announced(context, 1, percentEncode(other!));
      return passIf(!ports.includes(context.peer(0).port), `the other swarm lists ${ports.length} peers`);
    },
  },
  {
    number: 3,
    title: 'unescaped characters that are legal in a URL stand for themselves',
    transports: overHttp,
    shape: (infoHash) => infoHash.set(ascii('~!(a)*Z'), 5),
    run: (context) => sameSwarm(context, escapeAll(context.infoHash), escapeExcept(context.infoHash, '~!()*aZ')),
  },
  {
    number: 4,
    title: '+ in info_hash is a byte 0x2B, not a space',
    transports: overHttp,
    shape: (infoHash) => infoHash.set(ascii('+'), 5),
    run: (context) => sameSwarm(context, escapeAll(context.infoHash), escapeExcept(context.infoHash, '+')),
  },
  {
    number: 5,
    title: '; is data, not a separator',
    transports: overHttp,
    shape: (infoHash) => infoHash.set(ascii(';'), 5),
    run: (context) => sameSwarm(context, escapeAll(context.infoHash), escapeExcept(context.infoHash, ';')),
  },
  {
    number: 6,
    title: 'a broken escape (%, %4, %zz) is refused with a bencoded reason',
    transports: overHttp,
    run: (context) => {
      const start = escapeAll(context.infoHash.subarray(0, 19));
      return refusedAll(
        context,
        ['%', '%4', '%zz'].map((broken) => [`"${broken}"`, { info_hash: start + broken }]),
      );
    },
  },
  {
    number: 7,
    title: 'raw bytes and spaces in the target are answered in bencode',
    transports: overHttp,
    run: (context) => {
      const start = escapeAll(context.infoHash.subarray(0, 19));
      const raw = (byte: string): Promise<Verdict> =>
        answered(context, { info_hash: start + byte }, JSON.stringify(byte));
      return Promise.all([raw('\xe9'), raw(' ')]).then(worst);
    },
  },
  {
    number: 8,
    title: 'an info_hash of another length than 20 is refused, one of 32 bytes (v2) is truncated',
    transports: overHttp,
    run: async (context) => {
      const hash = escapeAll(context.infoHash);
      const hex = Buffer.from(context.infoHash).toString('hex');
      const refused = await refusedAll(context, [
        ['no bytes', { info_hash: '' }],
        ['19 bytes', { info_hash: hash.slice(0, -3) }],
        ['21 bytes', { info_hash: `${hash}%00` }],
        ['40 hex digits', { info_hash: hex }],
      ]);
      if (refused.outcome !== 'pass') return refused;
      const long = await context.http.announce(
        parameters(context, 0, hash + escapeAll(context.strangeHash(0).subarray(0, 12))),
      );
      if (long.failure !== undefined) return differs(`32 bytes are refused: ${long.failure}`);
      return pass(`${refused.seen}; 32 bytes are taken`);
    },
  },
  {
    number: 9,
    title: 'info_hash twice in an announce is refused',
    transports: overHttp,
    run: (context) => {
      const { info_hash, ...rest } = parameters(context, 0);
      return refusedAll(context, [
        ['twice', { ...rest, info_hash: `${info_hash}&info_hash=${escapeAll(context.infoHashes[1]!)}` }],
      ]);
    },
  },
  {
    number: 10,
    title: 'parameters without =, empty values, a second ?, && and &amp; are skipped',
    transports: overHttp,
    run: async (context) => {
      const { http } = context;
      const clean = http.announceTarget(parameters(context, 0));
      const odd: readonly [string, string][] = [
        ['name without =', `${clean}&nothing`],
        ['empty value', `${clean}&key=&event=`],
        ['&&', `${clean}&&numwant=5&&`],
        ['&amp;', `${clean}&amp;numwant=5`],
        ['??', clean.replace('?', '??')],
      ];
      const failures = await Promise.all(
        odd.map(async ([what, target]) => ({ what, failure: (await http.ask(target)).failure })),
      );
      const bad = failures.filter(({ failure }) => failure !== undefined);
      if (bad.length === 0) return pass('all five taken');
      const seen = bad.map(({ what, failure }) => `${what}: ${failure}`).join('; ');
      // A doubled question mark makes a parameter of another name by the letter of RFC 3986.
      return bad.some(({ what }) => what !== '??') ? fail(seen) : differs(seen);
    },
  },
];

/** Every byte as %XX in upper case. */
export function escapeAll(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

/** The parameters of peer `index`; `infoHash` is encoded already. */
export function parameters(context: CaseContext, index: number, infoHash?: string): Parameters {
  const { peerId, port } = context.peer(index);
  const all = parametersFor(context.infoHash, peerId, port);
  return infoHash === undefined ? all : { ...all, info_hash: infoHash };
}

/** Whether each of several changed announces is refused with a reason that is bencoded. */
export async function refusedAll(
  context: CaseContext,
  changes: readonly (readonly [string, Parameters])[],
): Promise<Verdict> {
  const verdicts = await Promise.all(changes.map(([what, changed]) => refused(context, what, changed)));
  const found = worst(verdicts);
  return found.outcome === 'pass' ? pass(verdicts.map(({ seen }) => seen).join('; ')) : found;
}

async function refused(context: CaseContext, what: string, changed: Parameters): Promise<Verdict> {
  const answer = await answerTo(context, changed);
  if (typeof answer === 'string') return differs(`${what}: ${answer}`);
  return answer.failure === undefined ? fail(`${what}: taken`) : pass(`${what}: ${answer.failure}`);
}

async function answered(context: CaseContext, changed: Parameters, what: string): Promise<Verdict> {
  const answer = await answerTo(context, changed);
  return typeof answer === 'string' ? differs(`${what}: ${answer}`) : pass(`${what}: ${answer.failure ?? 'taken'}`);
}

async function answerTo(context: CaseContext, changed: Parameters): Promise<HttpAnswer | string> {
  const { http } = context;
  return refusalIn(await http.get(http.announceTarget({ ...parameters(context, 0), ...changed })));
}

/** Whether two ways of writing an info-hash lead to one swarm. */
async function sameSwarm(context: CaseContext, one: string, other: string): Promise<Verdict> {
  await announced(context, 0, one);
  const ports = await announced(context, 1, other);
  const { port } = context.peer(0);
  return passIf(ports.includes(port), ports.includes(port) ? 'one swarm' : 'two swarms');
}

async function announced(context: CaseContext, peer: number, infoHash: string): Promise<readonly number[]> {
  const { failure, ports } = readHttpAnswer(await context.http.announce(parameters(context, peer, infoHash)));
  if (failure !== undefined) throw new ConformanceError('refused', `refused: ${failure}`);
  return ports;
}

function escapeExcept(bytes: Uint8Array, literal: string): string {
  return Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    return literal.includes(character) ? character : escapeAll(Uint8Array.of(byte));
  }).join('');
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
