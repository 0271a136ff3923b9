// The pieces not yet started, rarest first and in random order among equals. One array grouped by count, the start of
// every group, and each piece's place in the array: a changed count moves a piece across one boundary with one swap,
// then to a random place of its new group. Many changes at once only mark the order stale; it is sorted when next read.
// The pieces fill the end of the array, so that taking one of the rarest moves few others. Invariant while not stale:
// starts[c] is the first place whose piece has a count of c or more; the last entry is the length of the array.

const absent = 0xffffffff;

export class RarityOrder {
  readonly #counts: Uint16Array;
  readonly #random: () => number;
  readonly #order: Uint32Array;
  readonly #place: Uint32Array;
  /** Group c lies in [starts[c], starts[c + 1]). */
  #starts: number[];
  /** The place of the rarest piece. */
  #first: number;
  #stale = false;

  /** `counts` is read whenever a piece moves: change it first, then say so here. */
  constructor(counts: Uint16Array, random: () => number) {
    this.#counts = counts;
    this.#random = random;
    this.#order = new Uint32Array(counts.length);
    this.#place = new Uint32Array(counts.length).fill(absent);
    this.#first = counts.length;
    this.#starts = [counts.length, counts.length];
  }

  get length(): number {
    return this.end - this.#first;
  }

  /** The place of the rarest piece, `end` when there is none. Places go up to `end`, exclusive. */
  get first(): number {
    return this.#first;
  }

  get end(): number {
    return this.#order.length;
  }

  has(piece: number): boolean {
    return this.#place[piece] !== absent;
  }

  /** The piece at a place. Meaningful after `settle`. */
  at(place: number): number {
    return this.#order[place] as number;
  }

  placeOf(piece: number): number {
    return this.#place[piece] as number;
  }

  /** The first place whose piece has a count of at least `count`; `end` when there is none. */
  startOf(count: number): number {
    return this.#starts[count] ?? this.end;
  }

  /** The last of every lower group moves to the front of it, which frees a place in front of the piece's own group. */
  insert(piece: number): void {
    let hole = --this.#first;
    if (this.#stale) return this.#put(piece, hole);
    const count = this.#counts[piece] as number;
    this.#reach(count);
    const starts = this.#starts;
    for (let group = 0; group < count; group++) {
      (starts[group] as number)--;
      const last = (starts[group + 1] as number) - 1;
      if (last !== hole) this.#put(this.at(last), hole);
      hole = last;
    }
    starts[count] = hole;
    this.#put(piece, hole);
    this.#scatter(piece, count);
  }

  /** The first of its group and of every lower one moves up, which frees the first place of all. */
  remove(piece: number): void {
    let hole = this.placeOf(piece);
    if (this.#stale) {
      this.#put(this.at(this.#first), hole);
    } else {
      const starts = this.#starts;
      for (let group = this.#counts[piece] as number; group >= 0; group--) {
        const first = starts[group] as number;
        if (first !== hole) this.#put(this.at(first), hole);
        starts[group] = first + 1;
        hole = first;
      }
    }
    this.#first++;
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
    if (!this.#stale && this.#starts.length > 2) this.#starts.shift();
  }

  /** Any counts may have changed. */
  invalidate(): void {
    this.#stale = true;
  }

  /** Sorts by counting when stale: O(pieces), paid once however many bitfields arrived since the last pick. */
  settle(): void {
    if (!this.#stale) return;
    this.#stale = false;
    const [counts, order, places] = [this.#counts, this.#order, this.#place];
    const starts = this.#countGroups();
    const next = starts.slice();
    for (let piece = 0; piece < places.length; piece++) {
      if (places[piece] !== absent) order[(next[counts[piece] as number] as number)++] = piece;
    }
    for (let group = 1; group < starts.length; group++) {
      this.#shuffle(starts[group - 1] as number, starts[group] as number);
    }
    for (let place = this.#first; place < order.length; place++) places[order[place] as number] = place;
    this.#starts = starts;
  }

  #countGroups(): number[] {
    const [counts, order] = [this.#counts, this.#order];
    const sizes: number[] = [0];
    for (let place = this.#first; place < order.length; place++) {
      const count = counts[order[place] as number] as number;
      while (sizes.length <= count) sizes.push(0);
      (sizes[count] as number)++;
    }
    const starts = [this.#first];
    for (const size of sizes) starts.push((starts[starts.length - 1] as number) + size);
    return starts;
  }

  #shuffle(from: number, to: number): void {
    const order = this.#order;
    const random = this.#random;
    for (let last = to - 1; last > from; last--) {
      const chosen = from + Math.floor(random() * (last - from + 1));
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
