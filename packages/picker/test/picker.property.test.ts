import { deepEqual, equal, ok } from 'node:assert/strict';
import { Bitfield, blocksOf, geometryOf, type Block, type Geometry } from '@shoal/pieces';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Picker } from '../src/index.ts';
import { Model, pieceOf } from './model.ts';
import { seeded } from './random.ts';

const limits = { endgameCopies: 3, urgentAfterMs: 1500, deadlineReserve: 1 };
const geometries: readonly Geometry[] = [
  geometryOf(5 * 49_152 + 20_000, 49_152),
  geometryOf(9 * 16_384, 16_384),
  geometryOf(7 * 20_000 + 1, 20_000),
  geometryOf(2 * 100_000, 100_000),
];

const verbs = [
  ['join', 'bits', 'seed', 'has', 'has', 'has', 'leave', 'choke', 'release', 'lost', 'want', 'unwant', 'limit'],
  ['unrequested', 'pick', 'pick', 'pick', 'pick', 'receive', 'receive', 'receive', 'receive', 'check', 'check', 'fail'],
  ['priority', 'priority', 'priorities', 'deadline', 'deadline', 'no deadline', 'no deadlines', 'order', 'slow pick'],
  ['hold', 'found', 'found', 'missing', 'missing'],
].flat();
const command = fc.record({ verb: fc.constantFrom(...verbs), peer: fc.nat(5), number: fc.nat(1_000_000) });
const run = fc.record({
  commands: fc.array(command, { maxLength: 200, size: 'max' }),
  geometry: fc.constantFrom(...geometries),
  randomFirstPieces: fc.constantFrom(0, 1, 4),
  maxOpenPieces: fc.constantFrom(1, 2, Number.POSITIVE_INFINITY),
  held: fc.nat(7),
  seed: fc.nat(),
});

/** Numbers that are alike on every run, and every failure prints its own. */
const settings = { numRuns: 150, seed: 20_010_702 };

test('whatever peers do, each block is asked for once outside the end game and all counts equal a recount', () => {
  fc.assert(
    fc.property(run, (plan) => {
      const play = new Play(plan);
      for (const step of plan.commands) {
        play.step(step.verb, step.peer, step.number);
        play.model.compare(play.picker);
      }
    }),
    settings,
  );
});

test('whatever happened before, the download completes once somebody has each piece and answers', () => {
  fc.assert(
    fc.property(run, (plan) => {
      const play = new Play(plan);
      for (const step of plan.commands) play.step(step.verb, step.peer, step.number);
      play.finish();
      expect(play.picker.complete).toBe(true);
      expect(play.picker.openPieces).toBe(play.model.open.size);
    }),
    settings,
  );
});

test('the next piece is always one that the policies allow', () => {
  fc.assert(
    fc.property(run, (plan) => {
      const play = new Play(plan);
      for (const step of plan.commands) {
        if (step.verb === 'release' || step.verb === 'fail') continue;
        const isPick = step.verb === 'pick' || step.verb === 'slow pick';
        if (isPick && play.model.peers.has(step.peer)) play.pickByPolicy(step.peer, step.verb === 'slow pick');
        else play.step(step.verb, step.peer, step.number);
      }
    }),
    settings,
  );
});

test('the same random numbers and the same calls give the same picks', () => {
  fc.assert(
    fc.property(run, (plan) => {
      const [first, second] = [new Play(plan), new Play(plan)];
      for (const play of [first, second])
        for (const { verb, peer, number } of plan.commands) play.step(verb, peer, number);
      expect(second.history).toEqual(first.history);
    }),
    { ...settings, numRuns: 50 },
  );
});

type Plan = typeof run extends fc.Arbitrary<infer Value> ? Value : never;

/** A picker and a model that are told the same. */
class Play {
  readonly picker: Picker;
  readonly model: Model;
  readonly history: Block[][] = [];
  readonly #geometry: Geometry;
  readonly #randomFirstPieces: number;
  #now = 0;

  constructor({ geometry, randomFirstPieces, maxOpenPieces, held: doubt, seed }: Plan) {
    this.#geometry = geometry;
    this.#randomFirstPieces = randomFirstPieces;
    const have = new Bitfield(geometry.pieceCount);
    const held = new Bitfield(geometry.pieceCount);
    for (let piece = 0; piece < held.length; piece++) if ((doubt >> (piece % 3)) % 2 === 1) held.add(piece);
    const options = { ...limits, maxOpenPieces, randomFirstPieces, random: seeded(seed) };
    this.picker = new Picker({ geometry, have, held, ...options });
    this.model = new Model(geometry, { ...limits, maxOpenPieces });
    this.model.hold(held.indices());
  }

  step(verb: string, peer: number, number: number): void {
    const { picker, model } = this;
    const piece = number % this.#geometry.pieceCount;
    this.#now += number % 1000;
    if (verb === 'lost') this.#lose(piece);
    else if (verb === 'want' || verb === 'unwant') this.#want(piece, verb === 'want');
    else if (verb === 'check' || verb === 'fail') this.#check(verb === 'check');
    else if (verb === 'limit') picker.maxOpenPieces = model.limits.maxOpenPieces = 1 + (number % 4);
    else if (verb === 'order') picker.sequential = model.sequential = !model.sequential;
    else if (verb.startsWith('priorit')) this.#prefer(verb, piece, number);
    else if (verb.includes('deadline')) this.#setDeadline(verb, piece, number);
    else if (['hold', 'found', 'missing'].includes(verb)) this.#doubt(verb, number);
    else if (!model.peers.has(peer)) this.#join(peer);
    else this.#stepOf(verb, peer, piece, number);
    this.#settle();
  }

  /** Peers 0 to 5 answer all they are asked for, and a seed joins if some piece is missing among them. */
  finish(): void {
    for (const peer of this.model.peers.keys()) this.#leave(peer);
    while (this.model.held.size > 0) this.#doubt(this.model.held.size % 2 === 0 ? 'found' : 'missing', 0);
    for (const peer of [0, 1, 2, 3]) {
      this.#join(peer);
      this.#replace(peer, (piece) => piece % 3 === peer || peer === 3);
    }
    for (let round = 0; round < 400 && !this.picker.complete; round++) {
      for (const peer of [0, 1, 2, 3]) {
        this.#now += 1000;
        this.#pick(peer, 1 + (round % 3), (round + peer) % 4 < 2);
        for (const key of this.model.of(peer).reserved.keys()) this.#receive(peer, key);
        this.#check(true);
        this.#settle();
      }
    }
  }

  pickByPolicy(peer: number, slow: boolean): void {
    const { model, picker } = this;
    const allowed = model.allowed(peer, model.have.size < this.#randomFirstPieces, { now: this.#now, slow });
    const [block] = this.#pick(peer, 1, slow);
    if (block === undefined) equal(allowed.size, 0);
    else if (allowed.size > 0) ok(allowed.has(block.piece));
    model.compare(picker);
  }

  #stepOf(verb: string, peer: number, piece: number, number: number): void {
    const { picker, model } = this;
    const { pieces, reserved } = model.of(peer);
    const some = [...reserved.keys()][number % (reserved.size || 1)];
    switch (verb) {
      case 'leave':
        return this.#leave(peer);
      case 'bits':
        return this.#replace(peer, (index) => (number >> (index % 19)) % 2 === 1);
      case 'seed':
        return this.#replace(peer, () => true);
      case 'has':
        picker.peerHas(peer, piece);
        pieces.add(piece);
        return;
      case 'pick':
      case 'slow pick':
        this.#pick(peer, number % 6, verb === 'slow pick');
        return;
      case 'receive':
        if (some !== undefined) this.#receive(peer, some);
        return;
      case 'unrequested':
        return this.#push(peer, piece, number);
      case 'choke':
        picker.releaseAll(peer);
        return model.releaseAll(peer);
      case 'release':
        if (some === undefined) return;
        reserved.delete(some);
        picker.released(peer, pieceOf(some), Number(some.split('/')[1]));
    }
  }

  #join(peer: number): void {
    this.picker.peerJoined(peer);
    this.model.join(peer);
  }

  #leave(peer: number): void {
    this.picker.peerLeft(peer);
    this.model.leave(peer);
  }

  #replace(peer: number, has: (piece: number) => boolean): void {
    const bits = new Bitfield(this.#geometry.pieceCount);
    for (let piece = 0; piece < bits.length; piece++) if (has(piece)) bits.add(piece);
    this.picker.peerPieces(peer, bits);
    this.model.replace(peer, bits);
  }

  #pick(peer: number, count: number, slow: boolean): Block[] {
    const blocks = this.picker.pick(peer, count, this.#now, { slow });
    this.#settle();
    this.history.push(blocks);
    ok(blocks.length <= count);
    this.model.picked(peer, blocks, { now: this.#now, slow });
    return blocks;
  }

  #receive(peer: number, key: string): void {
    const [piece, begin] = key.split('/').map(Number) as [number, number];
    if (!this.model.of(peer).reserved.has(key)) return;
    const receipt = this.picker.received(peer, piece, begin);
    this.model.receive(peer, piece, begin);
    equal(receipt, this.model.isWhole(piece) ? 'completed' : 'accepted');
    this.#settle();
  }

  /** A block that was perhaps not asked for: taken exactly if `accepts` said so. */
  #push(peer: number, piece: number, number: number): void {
    const { picker, model } = this;
    const blocks = blocksOf(this.#geometry, piece);
    const block = blocks[number % blocks.length] as Block;
    const accepted = picker.accepts(peer, piece, block.begin);
    const receipt = picker.received(peer, piece, block.begin, { acceptUnrequested: true });
    equal(accepted, receipt === 'accepted' || receipt === 'completed');
    if (accepted) equal(model.isMissing(block) && model.open.has(piece), true);
    if (receipt === 'duplicate') equal(model.isMissing(block), false);
    if (accepted) model.receive(peer, piece, block.begin);
  }

  #check(good: boolean): void {
    const piece = [...this.model.open.keys()].find((open) => this.model.isWhole(open));
    if (piece === undefined) return;
    const contributors = this.model.open.get(piece)?.contributors;
    if (good) this.picker.verified(piece);
    else deepEqual(new Set(this.picker.failed(piece)), contributors);
    if (good) this.model.verified(piece);
    else this.model.open.delete(piece);
  }

  #lose(piece: number): void {
    this.picker.lost(piece);
    this.model.have.delete(piece);
    this.model.held.delete(piece);
  }

  #want(piece: number, wanted: boolean): void {
    this.picker.setWanted(piece, wanted);
    this.model.setPriority(piece, wanted ? 4 : 0);
  }

  #prefer(verb: string, piece: number, number: number): void {
    const { picker, model } = this;
    const priority = (number >> 4) % 8;
    if (verb === 'priority') {
      picker.setPriority(piece, priority);
      model.setPriority(piece, priority);
      return;
    }
    const all = Uint8Array.from(model.priorities, (_, index) => (priority + (number >> (index % 19))) % 8);
    picker.setPriorities(all);
    for (const [index, value] of all.entries()) model.setPriority(index, value);
  }

  #setDeadline(verb: string, piece: number, number: number): void {
    const { picker, model } = this;
    if (verb === 'deadline') picker.setDeadline(piece, number % 9);
    else if (verb === 'no deadline') picker.clearDeadline(piece);
    else picker.clearDeadlines();
    if (verb === 'no deadlines') model.deadlines.clear();
    else if (verb === 'no deadline') model.deadlines.delete(piece);
    else if (!model.have.has(piece)) model.deadlines.set(piece, number % 9);
  }

  /** Pieces are doubted, or the check of one of them comes to its end. */
  #doubt(verb: string, number: number): void {
    const { picker, model } = this;
    const piece = [...model.held][number % (model.held.size || 1)];
    if (verb === 'hold') {
      const doubted = new Bitfield(this.#geometry.pieceCount);
      for (let index = 0; index < doubted.length; index++) if ((number >> (index % 19)) % 3 === 1) doubted.add(index);
      picker.hold(doubted);
      model.hold(doubted.indices());
    } else if (piece !== undefined && verb === 'found') {
      picker.verified(piece);
      model.verified(piece);
    } else if (piece !== undefined) {
      picker.unhold(piece);
      model.held.delete(piece);
    }
  }

  /** Takes what the picker gave up and cancelled. */
  #settle(): void {
    for (const piece of this.picker.takeAbandoned()) this.model.open.delete(piece);
    this.model.cancelled(this.picker.takeCancels());
  }
}
