// The fields of a UDP announce, its answer, and the options behind it. BEP 15, 41.
import type { CaseContext } from '../case-context.ts';
import { type ConformanceCase, differs, fail, notApplicable, overUdp, pass, passIf } from '../conformance-case.ts';
import { ConformanceError } from '../errors.ts';
import { type SwarmReading, readUdpReply } from '../swarm-reading.ts';
import { type UdpAnnounceFields, action, announcePacket, describe } from '../udp-probe.ts';

/** opentracker's bound for an answer that no network fragments. */
const replyLimit = 1200;

/** More than fit into an answer of 1,200 bytes over IPv4 (196), and fewer than trackers take from one address. */
const crowd = 205;

/** Announces on their way at once: fewer than any receive buffer holds. */
const window = 41;

export const udpAnnounceCases: readonly ConformanceCase[] = [
  {
    number: 54,
    title: 'an event above 3 is taken as none',
    transports: overUdp,
    run: async (context) => {
      for (const event of [4, 99, 0xffff_ffff]) await taken(context, 0, { event });
      const { incomplete } = await taken(context, 1);
      return passIf(incomplete === 2, `${incomplete} leechers`);
    },
  },
  {
    number: 55,
    title: 'the address field is not believed',
    transports: overUdp,
    run: async (context) => {
      const { failure } = await announced(context, 0, { ip: 0xcb00_7107 });
      if (failure !== undefined) return pass(`refused: ${failure}`);
      const { peers } = await taken(context, 1);
      const forged = peers.some((peer) => peer.startsWith('203.0.113.'));
      return passIf(!forged && peers.length > 0, peers.join(' '));
    },
  },
  {
    number: 56,
    title: 'a negative num_want is the default',
    transports: overUdp,
    run: async (context) => {
      await taken(context, 0);
      const counts: number[] = [];
      for (const numWant of [-1, -2, -0x8000_0000]) counts.push((await taken(context, 1, { numWant })).peers.length);
      return passIf(
        counts.every((count) => count > 0),
        `peers given: ${counts.join(', ')}`,
      );
    },
  },
  {
    number: 57,
    title: 'the peers of an answer are of the socket’s family',
    transports: overUdp,
    run: async (context) => {
      await taken(context, 0);
      const { family } = context.target;
      const reply = await asked(context, 1, {});
      const stride = family === 4 ? 6 : 18;
      if ((reply.length - 20) % stride !== 0) return fail(`${reply.length - 20} bytes of peers`);
      return passIf(readUdpReply(reply, family).ports.includes(context.peer(0).port), `records of ${stride} bytes`);
    },
  },
  {
    number: 59,
    title: 'an answer has at most 1,200 bytes, so no network fragments it',
    transports: overUdp,
    run: async (context) => {
      for (let from = 0; from < crowd; from += window) {
        await Promise.all(Array.from({ length: window }, (_, index) => taken(context, from + index, { numWant: 1 })));
      }
      const reply = await asked(context, 0, { numWant: 1000 });
      const { incomplete, peers } = readUdpReply(reply, context.target.family);
      if ((incomplete ?? 0) < crowd) return notApplicable(`the tracker lists ${incomplete} of ${crowd} peers`);
      const seen = `${peers.length} peers in ${reply.length} bytes`;
      return reply.length <= replyLimit ? pass(seen) : differs(seen);
    },
  },
  {
    number: 60,
    title: 'an announce of port 0 is dropped or refused, never listed',
    transports: overUdp,
    run: async (context) => {
      const packet = announcePacket(await context.connectionId(), fields(context, 0, { port: 0 }));
      const reply = await context.udp().askOrSilence(packet);
      const { incomplete } = await taken(context, 1);
      return passIf(incomplete === 1, `${describe(reply)}; ${incomplete === 1 ? 'not listed' : 'listed'}`);
    },
  },
  {
    number: 61,
    title: 'options behind an announce (BEP 41) are read or skipped, broken ones too',
    transports: overUdp,
    run: async (context) => {
      const data = (text: string): number[] => [2, text.length, ...Buffer.from(text)];
      const kinds: [string, number[]][] = [
        ['NOP and end', [1, 1, 0]],
        ['URL data', [...data('/announce?a=b'), 0]],
        ['URL data in two parts', [...data('/ann'.padEnd(255, 'x')), ...data('ounce'), 0]],
        ['an unknown type', [77, 3, 1, 2, 3, 0]],
        ['a truncated option', [2, 200, 1]],
        ['no end', [1]],
      ];
      const refused: string[] = [];
      for (const [what, options] of kinds) {
        const { failure } = await announced(context, 0, { options: Uint8Array.from(options) });
        if (failure !== undefined) refused.push(`${what}: ${failure}`);
      }
      return refused.length === 0 ? pass(`${kinds.length} kinds taken`) : fail(refused.join('; '));
    },
  },
];

function fields(context: CaseContext, peer: number, changed: Partial<UdpAnnounceFields>): UdpAnnounceFields {
  return { infoHash: context.infoHash, ...context.peer(peer), ...changed };
}

async function asked(context: CaseContext, peer: number, changed: Partial<UdpAnnounceFields>): Promise<Buffer> {
  const packet = announcePacket(await context.connectionId(), fields(context, peer, changed));
  const reply = await context.udp().ask(packet, 'an announce');
  if (reply.readUInt32BE(0) === action.announce || reply.readUInt32BE(0) === action.error) return reply;
  throw new ConformanceError('no-answer', `an announce was answered with ${describe(reply)}`);
}

async function announced(
  context: CaseContext,
  peer: number,
  changed: Partial<UdpAnnounceFields>,
): Promise<SwarmReading> {
  return readUdpReply(await asked(context, peer, changed), context.target.family);
}

async function taken(
  context: CaseContext,
  peer: number,
  changed: Partial<UdpAnnounceFields> = {},
): Promise<SwarmReading> {
  const found = await announced(context, peer, changed);
  if (found.failure === undefined) return found;
  throw new ConformanceError('refused', `refused: ${found.failure}`);
}
