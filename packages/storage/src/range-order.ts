// Which operations of one storage wait for which: those that touch a common byte, one of them a write, keep the order
// of the calls; all others run side by side. Must not know what an operation does. Failures do not hold others up.

/** Operations on ranges of bytes, in order where order can be seen. */
export class RangeOrder {
  readonly #reads: Set<Operation> = new Set();
  readonly #writes: Set<Operation> = new Set();

  /** Starts `perform` once every earlier operation has settled that it must not overtake. */
  run(kind: 'read' | 'write', offset: number, length: number, perform: () => Promise<void>): Promise<void> {
    const end = offset + length;
    const earlier = overlapping(this.#writes, offset, end);
    if (kind === 'write') earlier.push(...overlapping(this.#reads, offset, end));
    const done = earlier.length === 0 ? perform() : Promise.all(earlier).then(perform);
    const group = kind === 'read' ? this.#reads : this.#writes;
    const forget = (): void => void group.delete(operation);
    const operation: Operation = { offset, end, settled: done.then(forget, forget) };
    group.add(operation);
    return done;
  }

  /** Resolves when all writes called so far have settled. */
  async writesSettled(): Promise<void> {
    await Promise.all(Array.from(this.#writes, (write) => write.settled));
  }

  /** Resolves when all operations called so far have settled. */
  async allSettled(): Promise<void> {
    await Promise.all(Array.from([...this.#writes, ...this.#reads], (operation) => operation.settled));
  }
}

interface Operation {
  readonly offset: number;
  readonly end: number;
  /** Never rejects. */
  readonly settled: Promise<void>;
}

function overlapping(operations: Iterable<Operation>, offset: number, end: number): Promise<void>[] {
  const found: Promise<void>[] = [];
  for (const operation of operations) {
    if (operation.offset < end && offset < operation.end) found.push(operation.settled);
  }
  return found;
}
