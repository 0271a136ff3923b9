// The answerer of WebTorrent peers without its sockets: what each message must bring about, for its sender and for
// everybody else.
import { SignalledSwarms } from '@shoal/tracker';
import { parseIp } from '@shoal/tracker-protocol';
import { createTraffic } from '@shoal/tracker-server';
import { SignalAnswerer } from '../../packages/tracker-server/src/websocket/answerer.ts';
import { Dice } from '../random.ts';
import { type Scene, expectEqual, expectThat } from '../target.ts';
import { World, type WorldSettings, sources } from '../world.ts';
import { type WebSocketInput, latin1 } from './inputs.ts';
import { type ModelMember, SignalModel } from './model.ts';
import { type ReadAnnounce, type ReadAnswer, type ReadScrape, parsed, readMessage } from './reference.ts';

export interface WebSocketSettings extends WorldSettings {
  readonly maxTorrents: number;
  readonly maxMembers: number;
  readonly maxOffers: number;
  readonly maxPendingOffers: number;
  readonly announcesPerInterval: number;
}

/** A limit that no episode comes near. */
export const unreached = 1_000_000;

/** A budget of offers is kept for so long, in two halves of a window. */
const budgetMs = 120_000;

interface Sent {
  readonly to: number;
  readonly fields: Record<string, unknown>;
}

interface GivenOffer {
  readonly infoHash: string;
  readonly offerId: string;
  readonly from: string;
  readonly to: string;
}

export class WebSocketScene implements Scene<WebSocketInput> {
  readonly seen: Record<string, number> = {};
  readonly #settings: WebSocketSettings;
  readonly #world: World;
  readonly #swarms: SignalledSwarms;
  readonly #model: SignalModel;
  readonly #answerer: SignalAnswerer;
  /** The connection that each client has. */
  readonly #numbers = new Map<number, number>();
  /** The offers that each connection was given, and when each had its own passed on. */
  readonly #given = new Map<number, GivenOffer[]>();
  readonly #passed = new Map<number, number[]>();
  #sent: Sent[] = [];
  #ended: number[] = [];
  #nextNumber = 0;

  constructor(settings: WebSocketSettings) {
    this.#settings = settings;
    this.#swarms = new SignalledSwarms({ ...settings, random: new Dice(settings.seed).uniform });
    this.#world = new World(settings, this.#swarms);
    this.#model = new SignalModel(settings);
    this.#answerer = new SignalAnswerer({
      tracker: this.#world.tracker,
      swarms: this.#swarms,
      service: undefined,
      announcesPerInterval: settings.announcesPerInterval,
      traffic: createTraffic().websocket,
      sender: {
        send: (to, text) => void this.#sent.push({ to, fields: parsed(text) ?? {} }),
        end: (to) => void this.#ended.push(to),
      },
    });
  }

  feed(input: WebSocketInput): void {
    if (input.type === 'expire') {
      while (this.#world.tracker.expire(input.at));
      this.#model.expire(input.at);
      return;
    }
    const number = this.#numberOf(input.client);
    if (input.type === 'close') return this.#close(input.client, number);
    const text = input.type === 'message' ? input.text : this.#answerText(input, number);
    if (text === undefined) return;
    this.#sent = [];
    this.#ended = [];
    const source = sources[input.client];
    const address = source === undefined ? undefined : parseIp(source.text.replace(/%.*/, ''));
    if (source === undefined || address === undefined) throw new RangeError('no such client');
    this.#answerer.receive({ number, address, port: 5000 + input.client }, text, input.at);
    const kind = this.#judge(readMessage(text), number, input.client, input.at);
    this.seen[kind] = (this.seen[kind] ?? 0) + 1;
  }

  inspect(): void {
    const { totals } = this.#model;
    for (const [name, expected] of Object.entries(totals))
      expectEqual(`totals: ${name}`, this.#swarms.totals[name as keyof typeof totals], expected);
  }

  close(): void {}

  #numberOf(client: number): number {
    const known = this.#numbers.get(client);
    if (known !== undefined) return known;
    const number = this.#nextNumber++;
    this.#numbers.set(client, number);
    return number;
  }

  #close(client: number, number: number): void {
    this.#swarms.close(number);
    this.#model.close(number);
    this.#numbers.delete(client);
    this.#given.delete(number);
    this.#passed.delete(number);
  }

  #answerText({ back, wrong }: Extract<WebSocketInput, { type: 'answer' }>, number: number): string | undefined {
    const offer = this.#given.get(number)?.at(-1 - back);
    if (offer === undefined) return undefined;
    const fields: Record<string, unknown> = {
      action: 'announce',
      info_hash: offer.infoHash,
      peer_id: offer.to,
      to_peer_id: offer.from,
      offer_id: offer.offerId,
      answer: { type: 'answer', sdp: 'v=1' },
    };
    if (wrong !== 'nothing') fields[wrong] = 'somebody else entire'.slice(0, 20);
    return JSON.stringify(fields);
  }

  #judge(
    message: ReadAnnounce | ReadAnswer | ReadScrape | undefined,
    number: number,
    client: number,
    now: number,
  ): string {
    if (message === undefined) {
      this.#onlyFailure(number);
      expectThat(this.#ended.length === 1 && this.#ended[0] === number, 'who breaks the protocol is not ended');
      this.#close(client, number);
      return 'broken';
    }
    expectEqual('connections ended', this.#ended.length, 0);
    if (message.action === 'announce') return this.#judgeAnnounce(message, number, client, now);
    return message.action === 'answer' ? this.#judgeAnswer(message, number, now) : this.#judgeScrape(message, number);
  }

  #judgeAnnounce(announce: ReadAnnounce, number: number, client: number, now: number): string {
    const infoHash = Buffer.from(announce.infoHash, 'latin1').toString('hex');
    const asked = { infoHash, port: 5000 + client, leaving: announce.leaving };
    const member =
      sources[client] === undefined || this.#world.refuses(asked, sources[client].reach)
        ? 'refused'
        : this.#model.announce(number, announce, now);
    if (member === 'refused') {
      this.#onlyFailure(number);
      return 'announce: refused';
    }
    const [first, ...offers] = this.#sent;
    expectEqual('first to be told', first?.to, number);
    const { interval } = this.#world.settings;
    const shorter = Math.ceil(interval / this.#settings.announcesPerInterval);
    expectEqual('interval', first?.fields['interval'], Math.max(shorter, Math.min(interval, 30)));
    const counts = this.#model.counts(announce.infoHash);
    for (const name of ['complete', 'incomplete'] as const) expectEqual(name, first?.fields[name], counts[name]);
    expectEqual('info_hash', first?.fields['info_hash'], announce.infoHash);
    if (member === 'left') {
      expectEqual('offers passed on for a goodbye', offers.length, 0);
      return 'announce: goodbye';
    }
    this.#judgeOffers(member, announce, offers, now);
    return offers.length > 0 ? 'announce: with offers' : 'announce: without offers';
  }

  #judgeOffers(member: ModelMember, announce: ReadAnnounce, sent: readonly Sent[], now: number): void {
    const { maxOffers, numWantLimit, maxPendingOffers } = this.#settings;
    const candidates = this.#model.candidates(member);
    const room = Math.min(announce.offers.length, numWantLimit, 10, candidates.length);
    expectThat(sent.length <= room, `${sent.length} offers passed on, of ${room} at most`);
    // Left out are those to itself under another connection, and those whose id waits there already.
    const mayMiss = candidates.filter(
      (other) =>
        other.peerId === member.peerId || announce.offers.some((offer) => this.#model.waits(other, offer.offerId, now)),
    ).length;
    const isWorn = announce.offers.some(({ offerId }) => this.#model.isWorn(offerId, now));
    const hasRoom = maxOffers === unreached && maxPendingOffers === unreached;
    const exact = hasRoom && !isWorn && !hasTwice(announce.offers);
    if (exact) expectThat(sent.length >= room - mayMiss, `${sent.length} offers passed on, of ${room} less ${mayMiss}`);
    const left = [...announce.offers];
    const receivers = new Set<number>();
    for (const { to, fields } of sent) {
      const other = candidates.find(({ connection }) => connection === to);
      expectThat(other !== undefined && other.peerId !== member.peerId, 'an offer for who may not have it');
      expectThat(!receivers.has(to), 'two offers of one announce for one peer');
      receivers.add(to);
      const { offer } = fields;
      const at = left.findIndex(
        ({ offerId, sdp }) => fields['offer_id'] === offerId && isDescription(offer, 'offer', sdp),
      );
      expectThat(at >= 0, 'an offer that was not made');
      const [made] = left.splice(at, 1);
      expectEqual('peer_id', fields['peer_id'], member.peerId);
      expectEqual('info_hash', fields['info_hash'], member.infoHash);
      if (made === undefined) continue;
      this.#model.pass(member, other, made.offerId, now);
      this.#note(to, { infoHash: member.infoHash, offerId: made.offerId, from: member.peerId, to: other.peerId });
    }
    this.#judgeBudget(member.connection, sent.length, now);
  }

  /** Over any two minutes nobody has more offers passed on than twice what is allowed for two minutes. */
  #judgeBudget(connection: number, count: number, now: number): void {
    const { maxOffers, maxPendingOffers } = this.#settings;
    // Where offers are forgotten early budgets begin anew with them.
    if (maxPendingOffers < unreached) return;
    const times = (this.#passed.get(connection) ?? []).filter((at) => at > now - budgetMs);
    for (let offer = 0; offer < count; offer++) times.push(now);
    this.#passed.set(connection, times);
    expectThat(times.length <= 2 * maxOffers, `${times.length} offers of one connection in two minutes`);
  }

  #note(connection: number, offer: GivenOffer): void {
    const given = this.#given.get(connection) ?? [];
    given.push(offer);
    if (given.length > 30) given.shift();
    this.#given.set(connection, given);
  }

  #judgeAnswer(answer: ReadAnswer, number: number, now: number): string {
    const member = this.#model.member(number, answer.infoHash);
    const to =
      member?.peerId === answer.peerId ? this.#model.take(member, answer.offerId, answer.toPeerId, now) : undefined;
    // With little room offers are forgotten before their time.
    if (this.#sent.length === 0 && this.#settings.maxPendingOffers < unreached) return 'answer: dropped';
    expectEqual('answers passed on', this.#sent.length, to === undefined ? 0 : 1);
    const [sent] = this.#sent;
    if (to === undefined || sent === undefined) return 'answer: dropped';
    expectEqual('connection of the answer', sent.to, to.connection);
    expectEqual('peer_id', sent.fields['peer_id'], answer.peerId);
    expectEqual('offer_id', sent.fields['offer_id'], answer.offerId);
    expectThat(isDescription(sent.fields['answer'], 'answer', answer.sdp), 'another answer than was given');
    return 'answer: passed on';
  }

  #judgeScrape({ infoHashes }: ReadScrape, number: number): string {
    const [sent, ...more] = this.#sent;
    expectThat(sent?.to === number && more.length === 0, 'a scrape is answered to who asked, once');
    const files = new Map(Object.entries(sent.fields['files'] ?? {}));
    expectEqual('files', files.size, infoHashes.length);
    for (const infoHash of infoHashes) {
      const counts: unknown = files.get(infoHash);
      expectThat(typeof counts === 'object' && counts !== null, 'a torrent is missing in its scrape');
      const served = this.#world.serves(Buffer.from(infoHash, 'latin1').toString('hex'));
      const expected = this.#model.counts(served ? infoHash : latin1(new Uint8Array(21)));
      for (const [name, count] of Object.entries(expected)) expectEqual(name, Reflect.get(counts, name), count);
    }
    return 'scrape';
  }

  #onlyFailure(number: number): void {
    expectEqual('messages with a refusal', this.#sent.length, 1);
    expectEqual('refused', this.#sent[0]?.to, number);
    expectEqual('type of a reason', typeof this.#sent[0]?.fields['failure reason'], 'string');
  }
}

function isDescription(value: unknown, type: string, sdp: string): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    Reflect.get(value, 'type') === type &&
    Reflect.get(value, 'sdp') === sdp
  );
}

function hasTwice(offers: ReadAnnounce['offers']): boolean {
  return new Set(offers.map(({ offerId }) => offerId)).size < offers.length;
}
