// Whom a tracker believes about an announcer's address. The addresses claimed are of RFC 5737: nobody's.
import type { CaseContext } from '../case-context.ts';
import { type ConformanceCase, type Verdict, differs, fail, overHttp, pass, unjudged } from '../conformance-case.ts';
import type { Parameters } from '../http-probe.ts';
import { parameters } from './http-hashes.ts';

export const httpAddressCases: readonly ConformanceCase[] = [
  {
    number: 23,
    title: 'ip, ipv4 and ipv6 of an announce are not believed',
    transports: overHttp,
    run: (context) =>
      claimed(context, { ...parameters(context, 0), ip: '203.0.113.7', ipv4: '203.0.113.7', ipv6: '2001:db8::7' }, {}),
  },
  {
    number: 25,
    title: 'X-Forwarded-For of who is no proxy is not believed',
    transports: overHttp,
    run: (context) =>
      claimed(context, parameters(context, 0), {
        'X-Forwarded-For': '203.0.113.7, 203.0.113.8',
        'X-Real-IP': '203.0.113.7',
      }),
  },
  unjudged(
    32,
    'a passkey that is wrong is refused before anything is looked up',
    'what is looked up is not seen from outside',
  ),
];

async function claimed(context: CaseContext, announce: Parameters, headers: Parameters): Promise<Verdict> {
  const { failure } = await context.http.announce(announce, headers);
  if (failure !== undefined) return pass(`refused: ${failure}`);
  const { peers } = await context.announce(1);
  const forged = peers.find((peer) => /^(?:203\.0\.113\.|2001:db8:)/.test(peer));
  if (forged === undefined) return peers.length === 0 ? fail('not listed at all') : pass(`listed as ${peers[0]}`);
  // A tracker may believe its own network; that this is one is all that excuses it.
  return /^(?:127\.|10\.|192\.168\.|::1$|f[cd])/.test(context.target.ip)
    ? differs(`believed on a local network: ${forged}`)
    : fail(`believed: ${forged}`);
}
