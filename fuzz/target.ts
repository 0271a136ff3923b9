// What a target of the fuzzer is: something that invents inputs, and something that takes them and judges every answer.

import type { Dice } from './random.ts';

/** An answer, or a state, that is wrong. */
export class Mismatch extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Mismatch';
  }
}

/** Throws a `Mismatch` where `actual` is not what it must be. */
export function expectEqual(what: string, actual: unknown, expected: unknown): void {
  if (Object.is(actual, expected)) return;
  throw new Mismatch(`${what} is ${String(actual)}, must be ${String(expected)}`);
}

/** Throws a `Mismatch` where a condition does not hold. */
export function expectThat(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Mismatch(what);
}

/** The code under test with its model beside it. Inputs are plain data, so that they can be written down and fed again. */
export interface Scene<Input> {
  /** Feeds one input and judges what comes of it. @throws Mismatch */
  feed(input: Input): void | Promise<void>;
  /** Judges the state as a whole. @throws Mismatch */
  inspect(): void | Promise<void>;
  /** How often each kind of answer was seen, for a report: a fuzzer that only hears refusals tests nothing. */
  readonly seen: Readonly<Record<string, number>>;
  close(): void | Promise<void>;
}

/** One kind of input. `Settings` are plain data too. */
export interface Target<Settings, Input> {
  readonly name: string;
  /** Inputs of one episode, after which everything is begun anew. */
  readonly episode: number;
  /** What it needs and this machine has not; undefined where nothing is missing. */
  missing?(): string | undefined;
  settings(dice: Dice): Settings;
  /** A source of inputs. It may keep a memory of what it made, never of what was answered. */
  inputs(settings: Settings, dice: Dice): () => Input;
  open(settings: Settings): Scene<Input> | Promise<Scene<Input>>;
}
