// The UDP answerer without its socket, and what BEP 15 says each datagram must get: read from the bytes by code of its
// own, held against the model of the swarm.
import type { RemoteInfo } from 'node:dgram';
import { type SwarmService, createTraffic } from '@shoal/tracker-server';
import { localService } from '../../packages/tracker-server/src/swarm-service.ts';
import { type DatagramSender, UdpAnswerer } from '../../packages/tracker-server/src/udp/answerer.ts';
import { type ModelAnnounce, hex } from '../model.ts';
import { type Scene, Mismatch, expectEqual, expectThat } from '../target.ts';
import { type Source, World, type WorldSettings, sources } from '../world.ts';
import { type Reach, direct } from '../workers/rings.ts';
import type { UdpInput } from './inputs.ts';
import { PlainWay, type Sent, type Way } from './way.ts';

/** Ids are good in the slot in which they were issued and in the next. Strict is BEP 15: two minutes. */
const slotMs = { strict: 120_000, lenient: 1_800_000, off: 120_000 } as const;

/** No answer is ever fragmented on its way. */
const mostBytes = 1200;

export interface UdpSettings extends WorldSettings {
  readonly errorsPerSecond: number;
  readonly connectionIds: 'strict' | 'lenient' | 'off';
  /** Whether the kernel takes its time over answers. */
  readonly busyKernel: boolean;
}

interface IssuedId {
  readonly bytes: Uint8Array;
  readonly slot: number;
}

type Datagram = Extract<UdpInput, { readonly type: 'datagram' }>;

export class UdpScene implements Scene<UdpInput> {
  readonly seen: Record<string, number> = {};
  readonly #world: World;
  readonly #settings: UdpSettings;
  readonly #kernel: Kernel;
  readonly #answerer: UdpAnswerer;
  readonly #reach: Reach;
  readonly #way: Way;
  #now = 0;
  /** By canonical address, in the order issued. */
  readonly #ids = new Map<string, IssuedId[]>();
  #second = 0;
  #errorsDue = 0;

  /** `reach`: how the service is reached; `way`: how datagrams come and go. */
  constructor(
    settings: UdpSettings,
    reach: (service: SwarmService, clock: () => number) => Reach = direct,
    way: (kernel: DatagramSender, seed: number) => Way = (kernel) => new PlainWay(kernel),
  ) {
    this.#world = new World(settings);
    this.#settings = settings;
    this.#kernel = new Kernel(settings.busyKernel);
    const { errorsPerSecond, connectionIds } = settings;
    this.#reach = reach(localService(this.#world.tracker), () => this.#now);
    this.#way = way(this.#kernel, settings.seed);
    this.#answerer = new UdpAnswerer(this.#reach.service, this.#way.sender, createTraffic().udp, errorsPerSecond, {
      connectionIds,
    });
  }

  feed(input: UdpInput): void {
    if (input.type === 'expire') return this.#world.expire(input.at);
    const source = sources[input.from];
    if (source === undefined) throw new RangeError('no such source');
    const bytes = this.#withId(input, source);
    const answer = this.#exchange(bytes, source, input.port, input.at);
    const kind = this.#judge(bytes, source, input, answer);
    this.seen[kind] = (this.seen[kind] ?? 0) + 1;
  }

  inspect(): void {
    this.#kernel.drain();
    this.#world.inspect();
  }

  close(): void {}

  #exchange(bytes: Uint8Array, source: Source, port: number, now: number): Uint8Array | undefined {
    const from: RemoteInfo = { address: source.text, family: source.family, port, size: bytes.length };
    this.#now = now;
    this.#way.receive(bytes, from, (datagram, sender) => this.#answerer.receive(datagram, sender, now));
    this.#reach.deliver();
    const sent = this.#kernel.taken();
    return sent && this.#way.opened(sent, from);
  }

  /** The datagram with the connection id that it shall have. */
  #withId({ bytes, id, from, at }: Datagram, source: Source): Uint8Array {
    if (id === 'as-is' || bytes.length < 16 || bytes[11] === 0) return bytes;
    const owner = id === 'stolen' ? (sources[(from + 1) % sources.length] ?? source) : source;
    if (id === 'last' && !this.#isGood(this.#ids.get(source.canonical)?.at(-1), at)) this.#connect(source, at);
    const issued = this.#ids.get(owner.canonical);
    const chosen = id === 'first' ? issued?.[0] : issued?.at(-1);
    if (chosen === undefined) return bytes;
    const copy = bytes.slice();
    copy.set(chosen.bytes, 0);
    return copy;
  }

  #connect(source: Source, now: number): void {
    const bytes = Buffer.from('0000041727101980000000000000c0de', 'hex');
    const answer = this.#exchange(bytes, source, 1, now);
    expectEqual('a connect is answered', answer?.length, 16);
    if (answer !== undefined) this.#note(source, answer.subarray(8, 16), now);
  }

  #note(source: Source, bytes: Uint8Array, now: number): void {
    const ids = this.#ids.get(source.canonical) ?? [];
    ids.push({ bytes, slot: this.#slotAt(now) });
    // The first of all is kept, to be tried when it is old.
    if (ids.length > 4) ids.splice(1, 1);
    this.#ids.set(source.canonical, ids);
  }

  #isGood(id: IssuedId | undefined, now: number): boolean {
    return id !== undefined && this.#slotAt(now) - id.slot <= 1;
  }

  #slotAt(now: number): number {
    return Math.floor(now / slotMs[this.#settings.connectionIds]);
  }

  /** Whether the id in the datagram was issued to its sender not too long ago. */
  #proves(bytes: Uint8Array, source: Source, now: number): boolean {
    const id = hex(bytes.subarray(0, 8));
    const issued = this.#ids.get(source.canonical) ?? [];
    return issued.some((known) => this.#isGood(known, now) && hex(known.bytes) === id);
  }

  /** Judges the answer, and says what kind it is. */
  #judge(bytes: Uint8Array, source: Source, { port, at }: Datagram, answer: Uint8Array | undefined): string {
    if (bytes.length < 16 || port === 0) return silence(answer);
    const view = viewOf(bytes);
    const action = view.getUint32(8);
    if (action === 0) {
      if (hex(bytes.subarray(0, 8)) !== '0000041727101980') return silence(answer);
      const connected = answered(answer, bytes, 0);
      expectEqual('bytes of a connect reply', connected.length, 16);
      this.#note(source, connected.slice(8), at);
      return 'connect';
    }
    if (action === 1 && bytes.length < 98) return silence(answer);
    const proven = this.#proves(bytes, source, at);
    if (!proven) {
      expectThat((answer?.length ?? 0) <= bytes.length, 'an unproven address is sent more than it sent');
      if (this.#settings.connectionIds !== 'off') return this.#error(answer, bytes, at, 'error: connection id');
    }
    const most = proven ? mostBytes : Math.min(mostBytes, bytes.length);
    if (action === 1) return this.#judgeAnnounce(bytes, source, at, most, answer);
    if (action === 2) return this.#judgeScrape(bytes, at, answer);
    return this.#error(answer, bytes, at, 'error: unknown action');
  }

  #judgeAnnounce(bytes: Uint8Array, source: Source, now: number, most: number, answer: Uint8Array | undefined): string {
    const view = viewOf(bytes);
    const announce: ModelAnnounce = {
      infoHash: hex(bytes.subarray(16, 36)),
      peerId: hex(bytes.subarray(36, 56)),
      address: source.canonical,
      port: view.getUint16(96),
      seeding: view.getBigUint64(64) === 0n,
      partial: view.getUint32(80) === 4 && view.getBigUint64(64) !== 0n,
      leaving: view.getUint32(80) === 3,
    };
    if (announce.port === 0 && !announce.leaving) return silence(answer);
    if (this.#world.refuses(announce, source.reach)) return this.#error(answer, bytes, now, 'error: refused');
    this.#world.model.announce(announce, Math.ceil(now / 1000) * 1000);
    const reply = answered(answer, bytes, 1);
    const head = viewOf(reply);
    const { complete, incomplete } = this.#world.model.counts(announce.infoHash);
    expectEqual('interval', head.getUint32(8), this.#world.settings.interval);
    expectEqual('leechers', head.getUint32(12), incomplete);
    expectEqual('seeders', head.getUint32(16), complete);
    const stride = source.canonical.length === 8 ? 6 : 18;
    const peers = reply.subarray(20);
    this.#world.judgePeers(announce, peers, stride);
    const candidates = this.#world.model.candidates(announce)[stride === 6 ? 'v4' : 'v6'];
    const room = Math.floor((most - 20) / stride);
    const wanted = announce.leaving ? 0 : this.#world.wanted(view.getInt32(92));
    expectEqual('peers given', peers.length / stride, Math.min(wanted, candidates, room));
    return announce.leaving
      ? 'announce: goodbye'
      : peers.length > 0
        ? 'announce: with peers'
        : 'announce: without peers';
  }

  #judgeScrape(bytes: Uint8Array, now: number, answer: Uint8Array | undefined): string {
    const hashes = Math.min(Math.floor((bytes.length - 16) / 20), 74);
    if (hashes === 0) return this.#error(answer, bytes, now, 'error: empty scrape');
    const reply = answered(answer, bytes, 2);
    expectEqual('bytes of a scrape reply', reply.length, 8 + 12 * hashes);
    const view = viewOf(reply);
    for (let index = 0; index < hashes; index++) {
      const infoHash = hex(bytes.subarray(16 + 20 * index, 36 + 20 * index));
      const none = { complete: 0, downloaded: 0, incomplete: 0 };
      const counts = this.#world.serves(infoHash) ? this.#world.model.counts(infoHash) : none;
      expectEqual(`seeders of ${index}`, view.getUint32(8 + 12 * index), counts.complete);
      expectEqual(`downloads of ${index}`, view.getUint32(12 + 12 * index), counts.downloaded);
      expectEqual(`leechers of ${index}`, view.getUint32(16 + 12 * index), counts.incomplete);
    }
    return 'scrape';
  }

  /** An error must be no larger than the request; past the budget of its second it must not be there. */
  #error(answer: Uint8Array | undefined, bytes: Uint8Array, now: number, kind: string): string {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) this.#errorsDue = 0;
    this.#second = second;
    if (this.#errorsDue++ >= this.#settings.errorsPerSecond) return silence(answer);
    const error = answered(answer, bytes, 3);
    expectThat(error.length <= bytes.length, 'an error is larger than what it answers');
    const text = new TextDecoder('utf-8', { fatal: true }).decode(error.subarray(8));
    expectThat(/^[\x20-\x7e]*$/.test(text), 'an error is not plain text');
    return kind;
  }
}

/** Takes datagrams at once or, busy, in heaps; what waits in a heap must stay as it was handed over. */
class Kernel implements DatagramSender {
  readonly #busy: boolean;
  readonly #waiting: { readonly bytes: Uint8Array; readonly copy: Uint8Array }[] = [];
  #latest: Sent[] = [];

  constructor(busy: boolean) {
    this.#busy = busy;
  }

  send(bytes: Uint8Array, port: number, address: string): void {
    const copy = bytes.slice();
    this.#latest.push({ bytes: copy, port, address });
    if (!this.#busy) return;
    this.#waiting.push({ bytes, copy });
    if (this.#waiting.length >= heap) this.drain();
  }

  getSendQueueCount(): number {
    return this.#waiting.length;
  }

  /** What was sent since it was last asked. */
  taken(): Sent | undefined {
    const [first, ...more] = this.#latest;
    this.#latest = [];
    expectEqual('further answers to one datagram', more.length, 0);
    return first;
  }

  drain(): void {
    for (const { bytes, copy } of this.#waiting.splice(0))
      expectThat(hex(bytes) === hex(copy), 'an answer was overwritten while it waited for the kernel');
  }
}

/** Answers that a busy kernel lets wait; not a multiple of anything. */
const heap = 57;

/** The answer, which must be there, for this action and with the transaction id of the request. */
function answered(answer: Uint8Array | undefined, request: Uint8Array, action: number): Uint8Array {
  if (answer === undefined) throw new Mismatch(`no answer where one of action ${action} must be`);
  expectThat(answer.length >= 8 && answer.length <= mostBytes, `an answer of ${answer.length} bytes`);
  const view = viewOf(answer);
  expectEqual('action', view.getUint32(0), action);
  expectEqual('transaction id', view.getUint32(4), viewOf(request).getUint32(12));
  return answer;
}

function silence(answer: Uint8Array | undefined): string {
  if (answer !== undefined) throw new Mismatch(`an answer where none must be: ${hex(answer)}`);
  return 'silence';
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
