// Datagrams: the grammar of BEP 15 and 41 spoken by somebody who knows it, and then got wrong in the ways that
// clients, middle boxes and attackers get it wrong.
import type { Dice } from '../random.ts';
import { type WorldSettings, infoHashes, peerIds, ports, sources } from '../world.ts';

/** Which connection id stands in a datagram: that of its bytes, the sender's last or first one, or somebody else's. */
export type IdChoice = 'as-is' | 'last' | 'first' | 'stolen';

export type UdpInput =
  | {
      readonly type: 'datagram';
      readonly at: number;
      /** Index in `sources`. */
      readonly from: number;
      readonly port: number;
      readonly id: IdChoice;
      readonly bytes: Uint8Array;
    }
  | { readonly type: 'expire'; readonly at: number };

/** Milliseconds between two inputs, most of them in one burst. */
const steps: readonly number[] = [0, 0, 0, 0, 0, 1, 7, 400, 1000];
const leaps: readonly number[] = [30_000, 119_999, 120_000, 121_000, 240_000];

/** Numbers that leave signed 32 bits after a fortnight: a clock that has run for long. */
const longUptimeMs = 2 ** 31 - 100_000;

export function udpInputs(settings: WorldSettings, dice: Dice): () => UdpInput {
  let now = dice.chance(0.2) ? longUptimeMs : dice.below(10_000);
  return () => {
    now += dice.chance(0.003) ? dice.pick([...leaps, settings.lifetimeMs]) : dice.pick(steps);
    if (dice.chance(0.003)) {
      now = Math.ceil(now / 1000) * 1000;
      return { type: 'expire', at: now };
    }
    const bytes = withoutKey(dice.chance(0.25) ? spoiled(dice, datagram(dice)) : datagram(dice));
    return {
      type: 'datagram',
      at: now,
      from: dice.below(sources.length),
      port: dice.chance(0.01) ? 0 : 1 + dice.below(65_535),
      id: idChoice(dice),
      bytes,
    };
  };
}

function idChoice(dice: Dice): IdChoice {
  if (dice.chance(0.85)) return 'last';
  return dice.pick(['as-is', 'first', 'stolen']);
}

function datagram(dice: Dice): Uint8Array {
  const kind = dice.uniform();
  if (kind < 0.08) return connect(dice);
  if (kind < 0.8) return announce(dice);
  if (kind < 0.95) return scrape(dice);
  if (kind < 0.98) return head(dice, dice.word(), 16 + dice.below(100));
  return dice.bytes(dice.below(200));
}

function connect(dice: Dice): Uint8Array {
  const bytes = head(dice, 0, dice.chance(0.9) ? 16 : 16 + dice.below(1500));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x417);
  view.setUint32(4, 0x2710_1980);
  return bytes;
}

function announce(dice: Dice): Uint8Array {
  const options = dice.chance(0.2) ? urlOptions(dice) : new Uint8Array();
  const bytes = head(dice, 1, 98 + options.length);
  const view = new DataView(bytes.buffer);
  bytes.set(dice.pick(infoHashes), 16);
  bytes.set(dice.pick(peerIds), 36);
  for (const at of [56, 72]) setCounter(dice, view, at);
  if (dice.chance(0.6)) setCounter(dice, view, 64);
  view.setUint32(80, dice.chance(0.95) ? dice.below(5) : dice.word());
  if (dice.chance(0.2)) view.setUint32(84, dice.word());
  view.setUint32(92, dice.chance(0.5) ? 0xffff_ffff : dice.word());
  view.setUint16(96, dice.chance(0.97) ? dice.pick(ports) : dice.pick([0, dice.below(65_536)]));
  bytes.set(options, 98);
  return bytes;
}

/** Bytes left and the like: mostly small, sometimes with the sign bit or beyond what a double holds. */
function setCounter(dice: Dice, view: DataView, at: number): void {
  view.setUint32(at, dice.chance(0.8) ? 0 : dice.word());
  view.setUint32(at + 4, dice.chance(0.3) ? 0 : dice.word());
}

function scrape(dice: Dice): Uint8Array {
  const hashes = dice.chance(0.9) ? dice.below(8) : dice.pick([0, 73, 74, 75, 100]);
  const bytes = head(dice, 2, 16 + 20 * hashes + (dice.chance(0.2) ? dice.below(20) : 0));
  for (let index = 0; index < hashes; index++) {
    bytes.set(dice.chance(0.9) ? dice.pick(infoHashes) : dice.bytes(20), 16 + 20 * index);
  }
  return bytes;
}

/** BEP 41: the options as they should be, and as they should not. */
function urlOptions(dice: Dice): Uint8Array {
  const parts: number[] = [];
  for (let count = dice.below(6); count > 0; count--) {
    const length = dice.pick([0, 1, 20, 255]);
    const text = Array.from(dice.bytes(dice.chance(0.8) ? length : dice.below(256)));
    const type = dice.chance(0.7) ? 2 : dice.below(256);
    parts.push(...dice.pick([[0], [1], [1, 1, 1], [type, length, ...text], [type, length, ...text], [type]]));
  }
  return Uint8Array.from(parts);
}

function head(dice: Dice, action: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, action);
  view.setUint32(12, dice.word());
  return bytes;
}

/** Which two addresses are one participant a tracker may forget (BEP 7): its counts could be told by no model. */
function withoutKey(bytes: Uint8Array): Uint8Array {
  bytes.fill(0, 88, 92);
  return bytes;
}

/** A datagram after an accident. */
export function spoiled(dice: Dice, bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const at = dice.below(copy.length + 1);
  switch (dice.below(7)) {
    case 0:
      return copy.slice(0, at);
    case 1:
      return joined(copy, dice.bytes(dice.pick([1, 2, 19, 20, 21, 300, 1200])));
    case 2:
      // A part that comes twice.
      return joined(copy.slice(0, at), copy.slice(dice.below(at + 1)));
    case 3:
      if (copy.length > 0) copy[dice.below(copy.length)]! ^= 1 << dice.below(8);
      return copy;
    case 4:
      return withWord(copy, dice.below(Math.max(1, copy.length >> 2)) * 4, dice.word());
    case 5:
      return exchanged(
        copy,
        dice.below(Math.max(1, copy.length >> 2)) * 4,
        dice.below(Math.max(1, copy.length >> 2)) * 4,
      );
    default:
      return withWord(copy, 8, dice.pick([0, 1, 2, 3, 4, 5, 0x100, 0x0100_0000, 0xffff_ffff]));
  }
}

function withWord(bytes: Uint8Array, at: number, word: number): Uint8Array {
  if (at + 4 <= bytes.length) new DataView(bytes.buffer).setUint32(at, word);
  return bytes;
}

/** Two fields of four bytes change places. */
function exchanged(bytes: Uint8Array, one: number, other: number): Uint8Array {
  if (Math.max(one, other) + 4 > bytes.length) return bytes;
  const first = bytes.slice(one, one + 4);
  bytes.copyWithin(one, other, other + 4);
  bytes.set(first, other);
  return bytes;
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(one.length + other.length);
  bytes.set(one);
  bytes.set(other, one.length);
  return bytes;
}
