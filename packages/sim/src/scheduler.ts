// The virtual clock: whole microseconds and a queue of what happens next, ordered by (time, order of asking).
// Decides only order; must not know what its actions do. Binary heap over typed arrays with positions, so that the
// one thing every machine does after every turn, moving its alarm, is O(log n) and leaves nothing stale behind.

/** Runs when its time comes. */
export type Action = () => void;

/** A reusable alarm with one fixed action; armed again, it forgets the earlier time. */
export interface Alarm {
  /** @param timeUs Whole microseconds, not in the past; `Infinity` disarms. */
  arm(timeUs: number): void;
  disarm(): void;
}

export class Scheduler {
  #nowUs = 0;
  #sequence = 0;
  #size = 0;
  /** Heap of slots; the other arrays are by slot. */
  #heap = new Uint32Array(initialSlots);
  #times = new Float64Array(initialSlots);
  #sequences = new Float64Array(initialSlots);
  /** Place in the heap plus one; 0 = not armed. */
  #places = new Uint32Array(initialSlots);
  readonly #actions: (Action | undefined)[] = [];
  /** Slots that are freed once they ran. */
  readonly #once: boolean[] = [];
  readonly #freeSlots: number[] = [];

  /** Whole microseconds since the start. */
  get nowUs(): number {
    return this.#nowUs;
  }

  /** The same instant in milliseconds, as machines want it. */
  get nowMs(): number {
    return this.#nowUs / 1000;
  }

  /** Number of actions waiting. */
  get size(): number {
    return this.#size;
  }

  /** Time of the next action in microseconds; `Infinity` when nothing waits. */
  get nextUs(): number {
    return this.#size === 0 ? Infinity : this.#times[this.#heap[0]!]!;
  }

  /** Runs `action` once, `delayUs` from now. @throws RangeError when the delay is negative or no number. */
  after(delayUs: number, action: Action): void {
    this.at(this.#nowUs + Math.ceil(delayUs), action);
  }

  /** Runs `action` once at `timeUs`. @throws RangeError when that is in the past or no whole number. */
  at(timeUs: number, action: Action): void {
    this.#requireFuture(timeUs);
    this.#insert(this.#slot(action, true), timeUs);
  }

  alarm(action: Action): Alarm {
    const slot = this.#slot(action, false);
    return {
      arm: (timeUs) => {
        this.#remove(slot);
        if (timeUs === Infinity) return;
        this.#requireFuture(timeUs);
        this.#insert(slot, timeUs);
      },
      disarm: () => this.#remove(slot),
    };
  }

  /** Moves the clock to the next action and runs it; false when nothing waits. */
  step(): boolean {
    if (this.#size === 0) return false;
    const slot = this.#heap[0]!;
    this.#nowUs = this.#times[slot]!;
    this.#remove(slot);
    const action = this.#actions[slot]!;
    if (this.#once[slot] === true) {
      this.#actions[slot] = undefined;
      this.#freeSlots.push(slot);
    }
    action();
    return true;
  }

  /** Moves the clock on while nothing happens. @throws RangeError when an action comes before, or time would go back. */
  advanceTo(timeUs: number): void {
    this.#requireFuture(timeUs);
    if (this.nextUs < timeUs) throw new RangeError(`an action is due at ${this.nextUs} µs, before ${timeUs} µs`);
    this.#nowUs = timeUs;
  }

  #requireFuture(timeUs: number): void {
    if (Number.isSafeInteger(timeUs) && timeUs >= this.#nowUs) return;
    throw new RangeError(`${timeUs} µs is not a whole time from ${this.#nowUs} µs on`);
  }

  #slot(action: Action, once: boolean): number {
    const slot = this.#freeSlots.pop() ?? this.#actions.length;
    this.#actions[slot] = action;
    this.#once[slot] = once;
    if (slot >= this.#times.length) this.#grow();
    return slot;
  }

  #grow(): void {
    const slots = this.#times.length * 2;
    this.#heap = grown(this.#heap, new Uint32Array(slots));
    this.#times = grown(this.#times, new Float64Array(slots));
    this.#sequences = grown(this.#sequences, new Float64Array(slots));
    this.#places = grown(this.#places, new Uint32Array(slots));
  }

  #insert(slot: number, timeUs: number): void {
    this.#times[slot] = timeUs;
    this.#sequences[slot] = this.#sequence++;
    this.#put(slot, this.#size++);
    this.#rise(slot);
  }

  #remove(slot: number): void {
    const place = this.#places[slot]! - 1;
    if (place < 0) return;
    this.#places[slot] = 0;
    const last = this.#heap[--this.#size]!;
    if (last === slot) return;
    this.#put(last, place);
    this.#rise(last);
    this.#sink(last);
  }

  #rise(slot: number): void {
    let place = this.#places[slot]! - 1;
    while (place > 0) {
      const parent = this.#heap[(place - 1) >>> 1]!;
      if (!this.#before(slot, parent)) break;
      this.#put(parent, place);
      place = (place - 1) >>> 1;
    }
    this.#put(slot, place);
  }

  #sink(slot: number): void {
    let place = this.#places[slot]! - 1;
    for (;;) {
      let child = place * 2 + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#before(this.#heap[child + 1]!, this.#heap[child]!)) child++;
      if (!this.#before(this.#heap[child]!, slot)) break;
      this.#put(this.#heap[child]!, place);
      place = child;
    }
    this.#put(slot, place);
  }

  #before(one: number, other: number): boolean {
    const difference = this.#times[one]! - this.#times[other]!;
    return difference < 0 || (difference === 0 && this.#sequences[one]! < this.#sequences[other]!);
  }

  #put(slot: number, place: number): void {
    this.#heap[place] = slot;
    this.#places[slot] = place + 1;
  }
}

const initialSlots = 256;

function grown<A extends Uint32Array | Float64Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
