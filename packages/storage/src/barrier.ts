// Who may work at the same time: shared operations side by side, exclusive ones alone. Decides the order between the
// two kinds: that of the calls. Must not know what an operation does.

export class Barrier {
  /** The last exclusive operation called; gone when it is over. Never rejects. */
  #last: Promise<void> | undefined;
  readonly #shared: Set<Promise<void>> = new Set();

  /** What a shared operation has to wait for before it starts, which is hardly ever anything. */
  get passed(): Promise<void> | undefined {
    return this.#last;
  }

  /** Runs `operation` beside other shared ones; an exclusive one that is called later waits for its end. */
  async share<Result>(operation: () => Promise<Result>): Promise<Result> {
    if (this.#last !== undefined) await this.#last;
    const result = operation();
    const settled = result.then(nothing, nothing);
    this.#shared.add(settled);
    try {
      return await result;
    } finally {
      this.#shared.delete(settled);
    }
  }

  /**
   * Runs `operation` alone: once every operation called before has settled, those behind `underWay` included, and
   * before all that are called after.
   */
  exclude<Result>(underWay: () => Promise<void>, operation: () => Promise<Result>): Promise<Result> {
    const result = this.#alone(this.#last, underWay, operation);
    const over = result.then(nothing, nothing).then(() => {
      if (this.#last === over) this.#last = undefined;
    });
    this.#last = over;
    return result;
  }

  async #alone<Result>(
    before: Promise<void> | undefined,
    underWay: () => Promise<void>,
    operation: () => Promise<Result>,
  ): Promise<Result> {
    // Those who wait for the same promise since earlier go on earlier: they are under way when this goes on.
    if (before !== undefined) await before;
    await Promise.all([underWay(), ...this.#shared]);
    return operation();
  }
}

function nothing(): void {
  // Only the end counts; the outcome goes to whoever called.
}
