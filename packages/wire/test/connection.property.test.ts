import { Bitfield, blocksOf, geometryOf } from '@shoal/pieces';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  encodeHandshake,
  encodeMessage,
  decodeMessage,
  type PeerConnection,
  type PeerMessage,
  type WireEvent,
} from '../src/index.ts';
import { block, connect, geometry, infoHash, join, open, peerId, pieceMessage, raw, sent, shaken } from './peers.ts';

const uint32 = fc.oneof(fc.nat(7), fc.constantFrom(16_384, 32_768, 2 ** 31, 2 ** 32 - 1), fc.nat(2 ** 32 - 1));
const bytes = (most: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength: most });
const anyBlock = { piece: uint32, begin: uint32, length: uint32 };

const message: fc.Arbitrary<PeerMessage> = fc.oneof(
  fc.record({
    type: fc.constantFrom('keep-alive', 'choke', 'unchoke', 'interested', 'not-interested', 'have-all', 'have-none'),
  }),
  fc.record({ type: fc.constantFrom('have', 'suggest', 'allowed-fast'), piece: uint32 }),
  fc.record({ type: fc.constantFrom('request', 'cancel', 'reject'), ...anyBlock }),
  fc.record({ type: fc.constant('bitfield' as const), bits: bytes(4) }),
  fc.record({ type: fc.constant('piece' as const), piece: uint32, begin: uint32, data: bytes(100) }),
  fc.record({ type: fc.constant('port' as const), port: fc.nat(65_535) }),
  fc.record({ type: fc.constant('extended' as const), id: fc.nat(3), payload: bytes(60) }),
);

/** Mostly what a peer would say, with blocks that were asked for, and now and then anything. */
const part: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 4, arbitrary: message.map(encodeMessage) },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.nat(5), fc.nat(1)).map(([piece, index]) => encodeMessage(pieceMessage(block(piece, index)))),
  },
  { weight: 2, arbitrary: fc.nat(5).map((piece) => encodeMessage({ type: 'have', piece })) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.nat(5), fc.nat(1))
      .map(([piece, index]) => encodeMessage({ type: 'request', ...block(piece, index) })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('d1:md2:xxi3eee', 'de', 'd4:reqqi9ee', 'x')
      .map((text) => raw(20, [0, ...new TextEncoder().encode(text)])),
  },
  { weight: 1, arbitrary: fc.tuple(fc.nat(255), bytes(40)).map(([id, payload]) => raw(id, payload)) },
  { weight: 1, arbitrary: bytes(30) },
);

const stream: fc.Arbitrary<Uint8Array> = fc.array(part, { maxLength: 20 }).map(join);
const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 20_000 })), {
  minLength: 1,
  maxLength: 40,
});

/** Hands the stream over in pieces of the given lengths, round and round, in one reused buffer that is spoilt after each. */
function receiveCut(connection: PeerConnection, whole: Uint8Array, lengths: readonly number[]): WireEvent[] {
  const shared = new Uint8Array(20_010);
  const events: WireEvent[] = [];
  for (let at = 0, turn = 0; at < whole.length; turn += 1) {
    const chunk = whole.subarray(at, at + lengths[turn % lengths.length]!);
    const start = turn % 10;
    shared.set(chunk, start);
    for (const event of connection.receive(shared, start, start + chunk.length, 0)) {
      // Offsets as positions in the whole stream, so that runs with other cuts can be compared.
      const shift = at - start;
      events.push(
        event.type === 'block-data' ? { ...event, start: event.start + shift, end: event.end + shift } : event,
      );
    }
    shared.fill(0xee);
    at += chunk.length;
  }
  return merged(events);
}

function merged(events: readonly WireEvent[]): WireEvent[] {
  const whole: WireEvent[] = [];
  for (const event of events) {
    const last = whole.at(-1);
    if (event.type === 'block-data' && last?.type === 'block-data' && last.end === event.start) {
      whole[whole.length - 1] = { ...last, end: event.end };
    } else {
      whole.push(event);
    }
  }
  return whole;
}

/** A connection with half of all blocks asked for. */
function busy(fast: boolean): PeerConnection {
  const connection = open({ fast, extended: true }, { extensions: ['xx', 'yy'] });
  for (let piece = 0; piece < 6; piece += 2) for (const each of blocksOf(geometry, piece)) connection.request(each, 0);
  connection.takeBytes();
  return connection;
}

describe('any bytes', () => {
  test('mean the same however the stream is cut, and nothing throws', () => {
    fc.assert(
      fc.property(stream, cuts, fc.boolean(), (whole, lengths, fast) => {
        const atOnce = busy(fast);
        const cut = busy(fast);
        const expected = receiveCut(atOnce, whole, [20_000]);
        expect(receiveCut(cut, whole, lengths)).toEqual(expected);
        expect(cut.takeBytes()).toEqual(atOnce.takeBytes());
        expect([cut.ended, cut.pipeline.blocks()]).toEqual([atOnce.ended, atOnce.pipeline.blocks()]);
      }),
      { numRuns: 400 },
    );
  });

  test('of a handshake mean the same however they are cut', () => {
    const greeting = encodeHandshake({ infoHash, peerId, fast: true });
    const spoilt = fc.tuple(fc.option(fc.tuple(fc.nat(67), fc.nat(255))), stream).map(([spoil, rest]) => {
      const whole = join([greeting, rest]);
      if (spoil !== null) whole[spoil[0]] = spoil[1];
      return whole;
    });
    fc.assert(
      fc.property(spoilt, cuts, (whole, lengths) => {
        const atOnce = connect();
        const cut = connect();
        expect(receiveCut(cut, whole, lengths)).toEqual(receiveCut(atOnce, whole, [20_000]));
        expect(cut.takeBytes()).toEqual(atOnce.takeBytes());
      }),
      { numRuns: 300 },
    );
  });

  test('that are no protocol at all never throw', () => {
    fc.assert(
      fc.property(bytes(300), fc.boolean(), (whole, afterHandshake) => {
        const connection = afterHandshake ? shaken({ fast: true, extended: true }) : connect();
        const events = connection.receive(whole, 0, whole.length, 0);
        const ends = events.filter((event) => event.type === 'end');
        expect(ends.length).toBe(connection.ended ? 1 : 0);
        if (connection.ended) expect(events.at(-1)?.type).toBe('end');
      }),
      { numRuns: 1000 },
    );
  });
});

describe('messages', () => {
  test('come back as they were written', () => {
    fc.assert(
      fc.property(message, (each) => {
        expect(decodeMessage(encodeMessage(each))).toEqual(each);
      }),
      { numRuns: 500 },
    );
  });
});

describe('two connections', () => {
  test('move a whole torrent over a link that cuts and delays as it likes', () => {
    const scenario = fc.record({
      fast: fc.boolean(),
      extended: fc.boolean(),
      totalLength: fc.integer({ min: 1, max: 150_000 }),
      pieceLength: fc.constantFrom(1000, 16_384, 32_768, 50_000),
      cuts,
      chokes: fc.array(fc.nat(60), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(scenario, (given) => {
        const transfer = move(given);
        expect(transfer.ends).toEqual([]);
        expect(transfer.received).toEqual(transfer.content);
        expect(transfer.unrequested).toBe(0);
      }),
      { numRuns: 100 },
    );
  });
});

interface Scenario {
  readonly fast: boolean;
  readonly extended: boolean;
  readonly totalLength: number;
  readonly pieceLength: number;
  readonly cuts: readonly number[];
  /** Turns in which the seeder chokes; it unchokes in the next. */
  readonly chokes: readonly number[];
}

/** A seeder and a leecher, each driven as a torrent would, byte for byte. */
function move(scenario: Scenario): { content: Uint8Array; received: Uint8Array; ends: string[]; unrequested: number } {
  const torrent = geometryOf(scenario.totalLength, scenario.pieceLength);
  const content = Uint8Array.from({ length: torrent.totalLength }, (_, at) => (at * 7 + (at >> 8)) & 0xff);
  const received = new Uint8Array(torrent.totalLength);
  const options = { geometry: torrent, fast: scenario.fast, extensionProtocol: scenario.extended };
  const seeder = connect(options);
  const leecher = connect({ ...options, initiator: true, peerId });
  const missing = new Map(
    Array.from({ length: torrent.pieceCount }, (_, piece) => blocksOf(torrent, piece))
      .flat()
      .map((each) => [keyOf(each), each]),
  );
  const ends: string[] = [];
  let unrequested = 0;
  let turn = 0;
  const toSeeder = new Link();
  const toLeecher = new Link();
  const ask = (): void => {
    for (const each of missing.values()) {
      if (leecher.pipeline.outstanding >= leecher.pipeline.target(turn)) return;
      if (!leecher.pipeline.has(each.piece, each.begin)) leecher.request(each, turn);
    }
  };
  const seed = (events: readonly WireEvent[]): void => {
    for (const event of events) {
      if (event.type === 'handshake') seeder.sendPieces(Bitfield.full(torrent.pieceCount));
      else if (event.type === 'interested') seeder.unchoke();
      else if (event.type === 'request' && seeder.uploads.accept(event) === 'full') seeder.reject(event);
      else if (event.type === 'end') ends.push(event.code);
    }
  };
  const leech = (events: readonly WireEvent[], chunk: Uint8Array): void => {
    for (const event of events) {
      if (event.type === 'handshake') leecher.sendPieces(new Bitfield(torrent.pieceCount));
      else if (event.type === 'have-all' || event.type === 'bitfield') leecher.setInterested(true);
      else if (event.type === 'block-data') {
        received.set(chunk.subarray(event.start, event.end), event.piece * torrent.pieceLength + event.begin);
      } else if (event.type === 'block-end') {
        missing.delete(keyOf(event));
        if (event.outcome === 'unrequested') unrequested += 1;
      } else if (event.type === 'end') ends.push(event.code);
    }
    ask();
  };
  const limit = 50_000;
  while (missing.size > 0 && ends.length === 0 && turn < limit) {
    turn += 1;
    if (scenario.chokes.includes(turn)) seeder.choke();
    else if (seeder.peerInterested) seeder.unchoke();
    collect(leecher, toSeeder);
    collect(seeder, toLeecher);
    for (const each of seeder.uploads.takeRun(4)) {
      const at = each.piece * torrent.pieceLength + each.begin;
      toLeecher.push(
        encodeMessage({
          type: 'piece',
          piece: each.piece,
          begin: each.begin,
          data: content.subarray(at, at + each.length),
        }),
      );
    }
    // Cuts of a few bytes only where there are few bytes: the number of turns stays below some thousands.
    const length = scenario.cuts[turn % scenario.cuts.length]! + (torrent.totalLength >> 11);
    const up = toSeeder.take(length);
    seed(seeder.receive(up, 0, up.length, turn));
    const down = toLeecher.take(length);
    leech(leecher.receive(down, 0, down.length, turn), down);
    if (turn % 1000 === 0) leecher.pipeline.takeExpired(turn);
  }
  expect(turn).toBeLessThan(limit);
  return { content, received, ends, unrequested };
}

function collect(connection: PeerConnection, into: Link): void {
  const queued = connection.takeBytes();
  if (queued !== undefined) into.push(queued);
}

/** Bytes on their way in one direction. */
class Link {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;

  push(bytes: Uint8Array): void {
    this.#bytes = join([this.#bytes.subarray(this.#at), bytes]);
    this.#at = 0;
  }

  take(length: number): Uint8Array {
    const taken = this.#bytes.slice(this.#at, this.#at + length);
    this.#at += taken.length;
    return taken;
  }
}

function keyOf(of: { readonly piece: number; readonly begin: number }): string {
  return `${of.piece}:${of.begin}`;
}

test('what is sent can always be read', () => {
  const connection = busy(true);
  connection.choke();
  connection.unchoke();
  connection.suggest(1);
  connection.have(2);
  expect(sent(connection).map((each) => each.type)).toEqual(['choke', 'unchoke', 'suggest', 'have']);
});
