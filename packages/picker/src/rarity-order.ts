// The pieces not yet started, rarest first and in random order among equals. One array grouped by count, the start of
// every group, and each piece's place in the array: a changed count moves a piece across one boundary with one swap,
// then to a random place of its new group. Many changes at once only mark the order stale; it is sorted when next read.
// Invariant while not stale: starts[c] is the first place whose piece has a count of c or more.

const absent = 0xffffffff;

export class RarityOrder {
  readonly #counts: Uint16Array;
  readonly #random: () => number;
  readonly #order: Uint32Array;
  readonly #place: Uint32Array;
  /** One entry per count, and last the length: group c lies in [starts[c], starts[c + 1]). */
  #starts: number[] = [0, 0];
  #length = 0;
  #stale = false;

  /** `counts` is read whenever a piece moves: change it first, then say so here. */
  constructor(counts: Uint16Array, random: () => number) {
    this.#counts = counts;
    this.#random = random;
    this.#order = new Uint32Array(counts.length);
    this.#place = new Uint32Array(counts.length).fill(absent);
  }

  get length(): number {
    return this.#length;
  }

  has(piece: number): boolean {
    return this.#place[piece] !== absent;
  }

  /** The piece at a place; places run from 0, the rarest. Meaningful after `settle`. */
  at(place: number): number {
    return this.#order[place] as number;
  }

  placeOf(piece: number): number {
    return this.#place[piece] as number;
  }

  /** The first place whose piece has a count of at least `count`; the length when there is none. */
  startOf(count: number): number {
    return this.#starts[count] ?? this.#length;
  }

  insert(piece: number): void {
    const length = this.#length++;
    if (this.#stale) return this.#put(piece, length);
    const count = this.#counts[piece] as number;
    this.#reach(count);
    const starts = this.#starts;
    let hole = length;
    for (let group = starts.length - 1; group > count; group--) {
      const first = starts[group] as number;
      if (first !== hole) this.#put(this.at(first), hole);
      starts[group] = first + 1;
      hole = first;
    }
    this.#put(piece, hole);
    this.#scatter(piece, count);
  }

  remove(piece: number): void {
    let hole = this.placeOf(piece);
    this.#length--;
    if (this.#stale) {
      this.#put(this.at(this.#length), hole);
    } else {
      const starts = this.#starts;
      for (let group = (this.#counts[piece] as number) + 1; group < starts.length; group++) {
        const last = (starts[group] as number) - 1;
        if (last !== hole) this.#put(this.at(last), hole);
        starts[group] = last;
        hole = last;
      }
    }
    this.#place[piece] = absent;
  }

  /** The piece's count has risen by one. */
  raised(piece: number): void {
    if (this.#stale || !this.has(piece)) return;
    const count = this.#counts[piece] as number;
    this.#reach(count);
    const last = --(this.#starts[count] as number);
    this.#swap(this.placeOf(piece), last);
    this.#scatter(piece, count);
  }

  /** The piece's count has fallen by one. */
  lowered(piece: number): void {
    if (this.#stale || !this.has(piece)) return;
    const count = this.#counts[piece] as number;
    const first = (this.#starts[count + 1] as number)++;
    this.#swap(this.placeOf(piece), first);
    this.#scatter(piece, count);
  }

  /** Every count has fallen by one, none below zero: the groups keep their members and only change their number. */
  allLowered(): void {
    if (!this.#stale) this.#starts.shift();
    if (this.#starts.length < 2) this.#starts.push(this.#length);
  }

  /** Any counts may have changed. */
  invalidate(): void {
    this.#stale = true;
  }

  /** Sorts by counting when stale: O(pieces), paid once however many bitfields arrived since the last pick. */
  settle(): void {
    if (!this.#stale) return;
    this.#stale = false;
    this.#starts = this.#countGroups();
    const next = this.#starts.slice();
    for (let piece = 0; piece < this.#place.length; piece++) {
      if (this.#place[piece] !== absent) this.#order[(next[this.#counts[piece] as number] as number)++] = piece;
    }
    for (let group = 1; group < this.#starts.length; group++) {
      this.#shuffle(this.#starts[group - 1] as number, this.#starts[group] as number);
    }
    for (let place = 0; place < this.#length; place++) this.#place[this.at(place)] = place;
  }

  #countGroups(): number[] {
    const sizes: number[] = [0];
    for (let place = 0; place < this.#length; place++) {
      const count = this.#counts[this.at(place)] as number;
      while (sizes.length <= count) sizes.push(0);
      (sizes[count] as number)++;
    }
    const starts = [0];
    for (const size of sizes) starts.push((starts[starts.length - 1] as number) + size);
    return starts;
  }

  #shuffle(from: number, to: number): void {
    const order = this.#order;
    for (let last = to - 1; last > from; last--) {
      const chosen = from + Math.floor(this.#random() * (last - from + 1));
      const piece = order[last] as number;
      order[last] = order[chosen] as number;
      order[chosen] = piece;
    }
  }

  /** To a random place of its own group: this is where the random order among equals comes from. */
  #scatter(piece: number, count: number): void {
    const start = this.#starts[count] as number;
    const size = (this.#starts[count + 1] as number) - start;
    if (size > 1) this.#swap(this.placeOf(piece), start + Math.floor(this.#random() * size));
  }

  /** Makes the groups up to `count` exist. */
  #reach(count: number): void {
    const starts = this.#starts;
    while (starts.length < count + 2) starts.push(starts[starts.length - 1] as number);
  }

  #swap(a: number, b: number): void {
    const piece = this.at(a);
    this.#put(this.at(b), a);
    this.#put(piece, b);
  }

  #put(piece: number, place: number): void {
    this.#order[place] = piece;
    this.#place[piece] = place;
  }
}
