// What a tracker takes and refuses of the parameters of an HTTP announce. BEP 3, 7, 21, 23.
import { type ConformanceCase, differs, fail, overHttp, pass, passIf } from '../conformance-case.ts';
import type { CaseContext } from '../case-context.ts';
import { type Parameters, refusalIn } from '../http-probe.ts';
import { readHttpAnswer, textOf } from '../swarm-reading.ts';
import { parameters, refusedAll } from './http-hashes.ts';

export const httpParameterCases: readonly ConformanceCase[] = [
  {
    number: 11,
    title: 'a peer_id that is missing or has not 20 bytes is refused',
    transports: overHttp,
    run: async (context) => {
      const changes: [string, Parameters][] = [
        ['missing', { peer_id: undefined }],
        ['5 bytes', { peer_id: 'short' }],
        ['21 bytes', { peer_id: 'a'.repeat(21) }],
      ];
      const verdict = await refusedAll(context, changes);
      // opentracker lives without: who is told apart by address and port needs no id.
      return verdict.outcome === 'fail' ? differs(verdict.seen) : verdict;
    },
  },
  {
    number: 12,
    title: 'a port that is missing, 0, above 65535 or no number is refused; 0 is fine for stopped',
    transports: overHttp,
    run: async (context) => {
      const refused = await refusedAll(context, [
        ['missing', { port: undefined }],
        ['0', { port: 0 }],
        ['65536', { port: 65_536 }],
        ['abc', { port: 'abc' }],
      ]);
      if (refused.outcome !== 'pass') return refused;
      const { failure } = await context.http.announce({ ...parameters(context, 0), port: 0, event: 'stopped' });
      return failure === undefined ? refused : differs(`stopped with port 0: ${failure}`);
    },
  },
  {
    number: 17,
    title: 'an unknown event counts as none; empty, paused and any case are taken',
    transports: overHttp,
    run: (context) =>
      takenAll(
        context,
        ['unheard-of', 'empty', 'paused', 'STARTED'].map((event) => [event, { event }]),
      ),
  },
  {
    number: 27,
    title: 'compact=0 gives dictionaries with ip, port and the peer id to the byte',
    transports: overHttp,
    run: async (context) => {
      await context.announce(0);
      const { http } = context;
      const answer = refusalIn(await http.get(http.announceTarget({ ...parameters(context, 1), compact: 0 })));
      if (typeof answer === 'string') return differs(answer);
      const { dictionary, failure } = answer;
      if (failure !== undefined) return differs(`refused: ${failure}`);
      const peers = dictionary.get('peers');
      // BEP 23 lets a tracker answer compactly all the same.
      if (peers instanceof Uint8Array) return differs('a compact list');
      const listed = Array.isArray(peers) ? peers.filter((entry) => entry instanceof Map) : [];
      const { peerId, port } = context.peer(0);
      const found = listed.find((entry) => entry.get('port') === port);
      if (found === undefined) return fail('the other peer is not listed');
      const id = found.get('peer id');
      const right = id instanceof Uint8Array && Buffer.compare(id, peerId) === 0;
      return passIf(
        right && textOf(found.get('ip')) !== undefined,
        right ? 'all three' : 'the peer id is not as announced',
      );
    },
  },
  {
    number: 29,
    title: 'key is optional and may be any string',
    transports: overHttp,
    run: (context) =>
      takenAll(context, [
        ['none', {}],
        ['8 hex digits', { key: 'DEADBEEF' }],
        ['300 characters', { key: 'k'.repeat(300) }],
        ['bytes', { key: '%ff%00%22' }],
      ]),
  },
  {
    number: 30,
    title: 'unknown parameters are ignored',
    transports: overHttp,
    run: (context) =>
      takenAll(context, [
        ['the usual ones', { supportcrypto: 1, redundant: 0, corrupt: 0, cryptoport: 0, azudp: 6881, trackerid: 'x' }],
        ['invented ones', { __proto__x: 1, constructor: 'a', 'a%00b': '%ff' }],
      ]),
  },
];

/** Whether each of several changed announces is taken. */
async function takenAll(
  context: CaseContext,
  changes: readonly (readonly [string, Parameters])[],
): ReturnType<ConformanceCase['run']> {
  const seen = await Promise.all(
    changes.map(async ([what, changed]) => {
      const { failure } = readHttpAnswer(await context.http.announce({ ...parameters(context, 0), ...changed }));
      return failure === undefined ? undefined : `${what}: ${failure}`;
    }),
  );
  const refused = seen.filter((line) => line !== undefined);
  return refused.length === 0 ? pass(changes.map(([what]) => what).join(', ')) : fail(refused.join('; '));
}
