// WebTorrent's signalling over WebSockets: ids, offers, answers, who gets them and who does not.
// The protocol is written down in tracker-protocol's README; there is no BEP.
import {
  type AnnounceSignal,
  type FailureSignal,
  type PeerSignal,
  type ScrapeCounts,
  type ScrapeSignal,
  type SignalAnnounce,
  type SignalReply,
  idText,
} from '@shoal/tracker-protocol';
import type { CaseContext } from '../case-context.ts';
import { type ConformanceCase, differs, fail, overWebSocket, pass, passIf, worst } from '../conformance-case.ts';
import type { SignalProbe } from '../signal-probe.ts';

const isReply = (reply: SignalReply): reply is AnnounceSignal | FailureSignal =>
  reply.action === 'announce' || reply.action === 'failure';
const isScrape = (reply: SignalReply): reply is ScrapeSignal | FailureSignal =>
  reply.action === 'scrape' || reply.action === 'failure';
const isOffer = (reply: SignalReply): reply is PeerSignal => reply.action === 'offer';
const isAnswer = (reply: SignalReply): reply is PeerSignal => reply.action === 'answer';

export const webSocketCases: readonly ConformanceCase[] = [
  {
    number: 65,
    title: 'ids in JSON are 20 latin1 characters; anything else ends the connection',
    transports: overWebSocket,
    run: async (context) => worst(await Promise.all(wrongIds(context).map((text) => judgeWrong(context, text)))),
  },
  {
    number: 66,
    title: 'of many offers some are passed on, none twice, and no message may be of any size',
    transports: overWebSocket,
    run: async (context) => {
      const others = await Promise.all(Array.from({ length: 12 }, (_, index) => member(context, index + 1)));
      const offers = Array.from({ length: 100 }, (_, index) => offerOf(context, index));
      const maker = await member(context, 0, { offers });
      const passedOn = (await Promise.all(others.map((other) => other.rest()))).map(
        (replies) => replies.filter(isOffer).length,
      );
      const most = Math.max(...passedOn);
      if (most > 1) return fail(`a peer got ${most} offers of one announce`);
      const all = passedOn.filter((count) => count > 0).length;
      if (all === 0) return fail('none of 100 offers was passed to any of 12 peers');
      maker.send(JSON.stringify({ action: 'announce', padding: 'x'.repeat(2 * 1024 * 1024) }));
      const closed = await maker.closes(500);
      return closed ? pass(`${all} of 12 peers got one`) : differs('a message of 2 MiB is taken');
    },
  },
  {
    number: 67,
    title: 'nobody gets the answers of others by announcing their peer id',
    transports: overWebSocket,
    run: async (context) => {
      const answering = await member(context, 1);
      const maker = await member(context, 2, { offers: [offerOf(context, 0)] });
      const offer = await answering.next('an offer passed on', isOffer);
      const thief = await context.connectPeer();
      thief.send(announceOf(context, 2));
      answer(context, answering, 1, offer);
      const stolen = (await thief.rest()).some(isAnswer);
      const arrived = (await maker.rest()).some(isAnswer);
      return passIf(arrived && !stolen, stolen ? 'the answer went to another connection' : `arrived: ${arrived}`);
    },
  },
  {
    number: 68,
    title: 'an answer to an offer that was not passed to who answers is dropped',
    transports: overWebSocket,
    run: async (context) => {
      const answering = await member(context, 1);
      const maker = await member(context, 2, { offers: [offerOf(context, 0)] });
      const offer = await answering.next('an offer passed on', isOffer);
      const stranger = await member(context, 3);
      answer(context, stranger, 3, offer);
      answer(context, answering, 1, { ...offer, offerId: offerOf(context, 7).offerId });
      const relayed = (await maker.rest()).filter(isAnswer).length;
      return passIf(relayed === 0, `${relayed} of 2 such answers were passed on`);
    },
  },
  {
    number: 69,
    title: 'who disconnects leaves every swarm',
    transports: overWebSocket,
    run: async (context) => {
      const infoHashes = context.infoHashes.slice(0, 2);
      const leaving = await context.connectPeer();
      for (const infoHash of infoHashes) {
        leaving.send({ ...announceOf(context, 1), infoHash: idText(infoHash) });
        await leaving.next('an announce', isReply);
      }
      const staying = await context.connectPeer();
      const before = await countsOf(staying, infoHashes);
      if (typeof before === 'string') return fail(before);
      if (before.some((counts) => counts?.incomplete !== 1)) return fail('a connected peer is not counted');
      leaving.terminate();
      while (context.deadline.remainingMs > 100) {
        const now = await countsOf(staying, infoHashes);
        if (typeof now === 'string') return fail(now);
        if (now.every((counts) => (counts?.incomplete ?? 0) === 0)) return pass('it is gone');
        await staying.rest();
      }
      return fail('it is still counted');
    },
  },
  {
    number: 70,
    title: 'numwant without offers wants nobody, and an answer to nobody is ignored',
    transports: overWebSocket,
    run: async (context) => {
      const other = await member(context, 1);
      const asking = await context.connectPeer();
      asking.send(JSON.stringify({ ...rawAnnounce(context, 2), numwant: 50 }));
      const reply = await asking.next('an announce without offers', isReply);
      if (reply.action === 'failure') return fail(`refused: ${reply.failureReason}`);
      const nobody = { infoHash: reply.infoHash, peerId: idText(context.strangeHash(1)) };
      answer(context, asking, 2, { ...nobody, action: 'offer', offerId: offerOf(context, 0).offerId, sdp: '' });
      const heard = await other.rest();
      if (heard.length > 0) return fail(`another peer heard of it: ${heard[0]!.action}`);
      const counted = await countsOf(asking, [context.infoHash]);
      return typeof counted === 'string' ? fail(counted) : pass('nobody heard of it');
    },
  },
  {
    number: 85,
    title: 'an announce over a WebSocket is answered with interval and counts',
    transports: overWebSocket,
    run: async (context) => {
      await member(context, 1, { left: 0 });
      const peer = await context.connectPeer();
      peer.send(announceOf(context, 2));
      const reply = await peer.next('an announce', isReply);
      if (reply.action === 'failure') return fail(`refused: ${reply.failureReason}`);
      const { complete, incomplete, interval } = reply;
      const seen = `${complete} seeders, ${incomplete} leechers, interval ${interval}`;
      return passIf(complete === 1 && incomplete === 1 && interval > 0, seen);
    },
  },
  {
    number: 86,
    title: 'an offer reaches another peer as it was made, and its answer comes back',
    transports: overWebSocket,
    run: async (context) => {
      const answering = await member(context, 1);
      const made = { ...offerOf(context, 0), sdp: 'v=0\r\no=- "quoted" \u00e9\u4e00' };
      const maker = await member(context, 2, { offers: [made] });
      const offer = await answering.next('an offer passed on', isOffer);
      if (offer.offerId !== made.offerId || offer.sdp !== made.sdp) return fail('the offer was changed on its way');
      if (offer.peerId !== idText(context.peer(2).peerId)) return fail('the offer names another peer');
      answer(context, answering, 1, offer);
      const back = await maker.next('an answer passed back', isAnswer);
      const same = back.offerId === made.offerId && back.peerId === idText(context.peer(1).peerId);
      return passIf(same && back.sdp === answerText, 'an offer and an answer arrived');
    },
  },
  {
    number: 87,
    title: 'offers of seeds are not passed to seeds, nor anybody’s to himself',
    transports: overWebSocket,
    run: async (context) => {
      const other = await member(context, 1, { left: 0 });
      const maker = await member(context, 2, { left: 0, offers: [offerOf(context, 0), offerOf(context, 1)] });
      if ((await maker.rest()).some(isOffer)) return fail('a peer gets its own offer');
      return (await other.rest()).some(isOffer) ? differs('a seed gets the offer of a seed') : pass('nobody got one');
    },
  },
  {
    number: 88,
    title: 'a scrape over a WebSocket has counts for every torrent, zeros where nobody is',
    transports: overWebSocket,
    run: async (context) => {
      const peer = await member(context, 1);
      const counts = await countsOf(peer, [context.infoHash, context.strangeHash(0)]);
      if (typeof counts === 'string') return fail(counts);
      if (counts[0]?.incomplete !== 1) return fail('a connected peer is not counted');
      // Clients take an answer without any torrent for broken.
      return counts[1] === undefined ? differs('an unknown torrent is left out') : pass('both are there');
    },
  },
  {
    number: 89,
    title: 'a goodbye over a WebSocket leaves the torrent, and is answered',
    transports: overWebSocket,
    run: async (context) => {
      const peer = await member(context, 1);
      peer.send({ ...announceOf(context, 1), event: 'stopped' });
      const reply = await peer.next('a goodbye', isReply);
      if (reply.action === 'failure') return fail(`refused: ${reply.failureReason}`);
      const counts = await countsOf(peer, [context.infoHash]);
      if (typeof counts === 'string') return fail(counts);
      return passIf((counts[0]?.incomplete ?? 0) === 0, `${counts[0]?.incomplete ?? 0} peers are left`);
    },
  },
];

const answerText = 'v=0\r\no=- answer';

/** A peer of the case that is connected and has been answered. */
async function member(
  context: CaseContext,
  index: number,
  announce: Partial<SignalAnnounce> = {},
): Promise<SignalProbe> {
  const probe = await context.connectPeer();
  probe.send({ ...announceOf(context, index), ...announce });
  await probe.next('an announce', isReply);
  return probe;
}

function announceOf(context: CaseContext, index: number): SignalAnnounce {
  const ids = { infoHash: idText(context.infoHash), peerId: idText(context.peer(index).peerId) };
  return { action: 'announce', ...ids, uploaded: 0, downloaded: 0, left: 1000, event: 'started', offers: [] };
}

/** As it stands in JSON, to be made wrong. */
function rawAnnounce(context: CaseContext, index: number): Readonly<Record<string, unknown>> {
  const { infoHash, peerId } = announceOf(context, index);
  return { action: 'announce', info_hash: infoHash, peer_id: peerId, left: 1000 };
}

function offerOf(context: CaseContext, index: number): { readonly offerId: string; readonly sdp: string } {
  return { offerId: idText(context.strangeHash(100 + index)), sdp: `v=0\r\no=- ${index}` };
}

function answer(
  context: CaseContext,
  from: SignalProbe,
  index: number,
  { infoHash, peerId, offerId }: PeerSignal,
): void {
  const own = idText(context.peer(index).peerId);
  from.send({ action: 'answer', infoHash, peerId: own, toPeerId: peerId, offerId, sdp: answerText });
}

/** Counts in the order asked, undefined for what is left out; a text when refused. */
async function countsOf(
  probe: SignalProbe,
  infoHashes: readonly Uint8Array[],
): Promise<(ScrapeCounts | undefined)[] | string> {
  const ids = infoHashes.map(idText);
  probe.send({ action: 'scrape', infoHashes: ids });
  const reply = await probe.next('a scrape', isScrape);
  return reply.action === 'failure' ? `refused: ${reply.failureReason}` : ids.map((id) => reply.files.get(id));
}

/** Announces whose ids are none. */
function wrongIds(context: CaseContext): string[] {
  const right = rawAnnounce(context, 1);
  const { info_hash: infoHash } = right;
  const wrong: readonly Readonly<Record<string, unknown>>[] = [
    { info_hash: { length: 20 } },
    { info_hash: Array.from(String(infoHash)) },
    { info_hash: 'short' },
    { info_hash: '\u0100'.repeat(20) },
    { peer_id: 20 },
    { peer_id: '' },
    { offers: [{ offer: { type: 'offer', sdp: '' }, offer_id: { length: 20 } }] },
  ];
  const inherited = `{"action":"announce","__proto__":${JSON.stringify(right)}}`;
  return [...wrong.map((fields) => JSON.stringify({ ...right, ...fields })), inherited, '{'];
}

async function judgeWrong(context: CaseContext, text: string): ReturnType<ConformanceCase['run']> {
  const probe = await context.connectPeer();
  probe.send(text);
  const shown = text.slice(0, 120);
  if (await probe.closes(500)) return pass('closed');
  const [reply] = await probe.rest();
  if (reply === undefined) return differs(`ignored: ${shown}`);
  return reply.action === 'failure' ? differs('refused, but not closed') : fail(`taken: ${shown}`);
}
