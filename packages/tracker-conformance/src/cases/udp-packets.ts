// UDP packets and connection ids: what is answered, what is dropped, and to whom. BEP 15.
import { randomBytes } from 'node:crypto';
import type { CaseContext } from '../case-context.ts';
import {
  type ConformanceCase,
  differs,
  fail,
  notApplicable,
  overUdp,
  pass,
  passIf,
  unjudged,
} from '../conformance-case.ts';
import {
  action,
  announcePacket,
  connectPacket,
  describe,
  requestPacket,
  scrapePacket,
  transactionOf,
} from '../udp-probe.ts';

export const udpPacketCases: readonly ConformanceCase[] = [
  {
    number: 48,
    title: 'datagrams under 16 bytes and announces under 98 are dropped',
    transports: overUdp,
    run: async (context) => {
      const probe = context.udp();
      const id = await context.connectionId();
      // Their answers would be to a transaction id that is cut off.
      for (const length of [0, 8, 15]) probe.send(connectPacket().subarray(0, length));
      const announce = announcePacket(id, { infoHash: context.infoHash, ...context.peer(0) }).subarray(0, 97);
      const reply = await probe.askOrSilence(announce);
      const listed = (await context.announce(1)).ports.includes(context.peer(0).port);
      if (listed) return fail('an announce of 97 bytes is taken');
      if (probe.unasked > 0) return fail('a datagram under 16 bytes is answered');
      if (reply === undefined) return pass('silence');
      return reply.readUInt32BE(0) === action.error && reply.length <= 97
        ? differs(describe(reply))
        : fail(describe(reply));
    },
  },
  {
    number: 49,
    title: 'a connect with a wrong constant is dropped',
    transports: overUdp,
    run: async (context) => {
      const packet = connectPacket();
      packet.writeUInt32BE(0xdead_beef, 0);
      const reply = await context.udp().askOrSilence(packet);
      if (reply === undefined) return pass('silence');
      return reply.readUInt32BE(0) === action.error && reply.length <= packet.length
        ? differs(describe(reply))
        : fail(describe(reply));
    },
  },
  {
    number: 50,
    title: 'a connection id belongs to an address, not to a port',
    transports: overUdp,
    run: async (context) => {
      const id = await context.connectionId();
      const packet = announcePacket(id, { infoHash: context.infoHash, ...context.peer(0) });
      const moved = await context.openUdp().ask(packet, 'an announce from another port');
      if (moved.readUInt32BE(0) !== action.announce) return differs(`from another port: ${describe(moved)}`);
      const { secondAddress } = context.target;
      if (secondAddress === undefined) return pass('taken from another port; no second address to ask from');
      const other = announcePacket(id, { infoHash: context.infoHash, ...context.peer(1) });
      const stolen = await context.openUdp(secondAddress).askOrSilence(other);
      const taken = stolen?.readUInt32BE(0) === action.announce;
      return passIf(!taken, `from another port: taken; from another address: ${describe(stolen)}`);
    },
  },
  {
    number: 51,
    title: 'connection ids cannot be guessed: made-up ones are not taken, and addresses get different ones',
    transports: overUdp,
    run: async (context) => {
      const id = await context.connectionId();
      for (const guess of [Buffer.alloc(8), randomBytes(8), neighbour(id)]) {
        const reply = await context
          .udp()
          .askOrSilence(announcePacket(guess, { infoHash: context.infoHash, ...context.peer(0) }));
        if (reply?.readUInt32BE(0) === action.announce) return fail(`${guess.toString('hex')} is taken`);
      }
      const { secondAddress } = context.target;
      if (secondAddress === undefined) return pass('three made-up ids are refused');
      const other = await context.openUdp(secondAddress).connect();
      const same = Buffer.compare(id, other) === 0;
      return passIf(
        !same,
        same ? 'two addresses get the same id' : 'three made-up ids are refused, two addresses get two ids',
      );
    },
  },
  {
    number: 52,
    title: 'a wrong connection id is answered with an error no larger than the request, or not at all',
    transports: overUdp,
    run: async (context) => {
      const probe = context.udp();
      const announce = announcePacket(randomBytes(8), { infoHash: context.infoHash, ...context.peer(0) });
      const scrape = scrapePacket(randomBytes(8), [context.infoHash]);
      for (const packet of [announce, scrape]) {
        const reply = await probe.askOrSilence(packet);
        if (reply === undefined) continue;
        if (reply.readUInt32BE(0) !== action.error || reply.length > packet.length) return fail(describe(reply));
      }
      return pass(describe(probe.replies(transactionOf(announce))[0]));
    },
  },
  {
    number: 53,
    title: 'the transaction id is echoed in every packet, errors too',
    transports: overUdp,
    run: async (context) => {
      const probe = context.udp();
      const id = await context.connectionId();
      await context.announce(0);
      await probe.ask(scrapePacket(id, [context.infoHash]), 'a scrape');
      const error = await probe.askOrSilence(
        announcePacket(randomBytes(8), { infoHash: context.infoHash, ...context.peer(0) }),
      );
      if (probe.unasked > 0) return fail('an answer has a transaction id that nobody asked with');
      return pass(
        error === undefined
          ? 'in connect, announce and scrape; no error seen'
          : 'in connect, announce, scrape and error',
      );
    },
  },
  {
    number: 58,
    title: 'a scrape takes 74 info-hashes, and of a broken length the whole ones',
    transports: overUdp,
    run: async (context) => {
      const probe = context.udp();
      const id = await context.connectionId();
      const strange = Array.from({ length: 75 }, (_, index) => context.strangeHash(index));
      const full = await probe.ask(scrapePacket(id, strange.slice(0, 74)), 'a scrape of 74');
      if (full.readUInt32BE(0) !== action.scrape) return fail(describe(full));
      if (full.length !== 8 + 74 * 12) return fail(`74 asked, ${(full.length - 8) / 12} answered`);
      const broken = await probe.askOrSilence(Buffer.concat([scrapePacket(id, strange.slice(0, 2)), randomBytes(7)]));
      const over = await probe.askOrSilence(scrapePacket(id, strange));
      const seen = `2 and 7 bytes: ${describe(broken)}; 75: ${describe(over)}`;
      if (broken === undefined || broken.readUInt32BE(0) !== action.scrape) return differs(seen);
      return over !== undefined && over.length > 8 + 74 * 12 ? differs(seen) : passIf(broken.length === 32, seen);
    },
  },
  {
    number: 62,
    title: 'answers come from the address that was asked',
    transports: overUdp,
    run: async (context) => {
      const probe = context.udp();
      const answered = await context.deadline.within(context.connectionId(), context.deadline.remainingMs * 0.9);
      if (probe.strangers > 0) return fail('answers come from another address or port');
      return passIf(answered !== undefined, answered === undefined ? 'no answer' : 'from the address asked');
    },
  },
  {
    number: 63,
    title: 'a duplicated datagram has the same effect and the same answer',
    transports: overUdp,
    run: async (context) => {
      const probe = context.udp();
      const packet = announcePacket(await context.connectionId(), {
        infoHash: context.infoHash,
        ...context.peer(0),
        event: 2,
      });
      const first = await probe.ask(packet, 'an announce');
      const again = await probe.askOrSilence(packet);
      const { incomplete } = await context.announce(1);
      if (incomplete !== 2) return fail(`${incomplete} leechers after a duplicate and one more`);
      return again?.readUInt32BE(0) === first.readUInt32BE(0)
        ? pass('one peer, two answers')
        : differs(`the duplicate: ${describe(again)}`);
    },
  },
  unjudged(
    64,
    'bursts are held by the kernel, never queued without bound',
    'memory and drops are not seen from outside, and a flood is none of this suite’s business',
  ),
  {
    number: 83,
    title: 'an unknown action is answered with an error',
    transports: overUdp,
    run: async (context) => {
      const id = await context.connectionId();
      const reply = await context.udp().askOrSilence(requestPacket(id, 9));
      if (reply === undefined) return differs('silence');
      if (reply.length > 16) return differs(`larger than the request: ${describe(reply)}`);
      return passIf(reply.readUInt32BE(0) === action.error, describe(reply));
    },
  },
  {
    number: 84,
    title: 'before an address is proven no answer is larger than its request',
    transports: overUdp,
    run: async (context: CaseContext) => {
      const packet = connectPacket();
      const reply = await context.udp().ask(packet, 'a connect');
      if (context.udp().replies(transactionOf(packet)).length > 1)
        return notApplicable('the network duplicates datagrams');
      return passIf(reply.length <= packet.length, `${packet.length} bytes in, ${reply.length} out`);
    },
  },
];

/** An id that differs in its last bit: a counter would give it next. */
function neighbour(id: Uint8Array): Buffer {
  const next = Buffer.from(id);
  next[7] = next[7]! ^ 1;
  return next;
}
