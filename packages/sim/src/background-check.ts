// Pieces in doubt, looked at one after the other in random order while the transfer goes on: the driver's side of a
// resume. Decides the order; what follows from a piece being there is the torrent's affair.
import type { Bitfield } from '@shoal/pieces';
import type { DiskTrouble } from './disk-trouble.ts';
import type { RandomStream } from './random.ts';
import type { SimulatedDisk } from './simulated-disk.ts';

export interface BackgroundCheckFacts {
  readonly disk: SimulatedDisk;
  readonly trouble: DiskTrouble;
  readonly random: RandomStream;
  readonly tell: (piece: number, isStored: boolean) => void;
}

export class BackgroundCheck {
  readonly #facts: BackgroundCheckFacts;
  /** The next one is the last. */
  #pieces: number[] = [];
  #busy = false;

  constructor(facts: BackgroundCheckFacts) {
    this.#facts = facts;
  }

  /** More pieces are in doubt. */
  add(pieces: Bitfield): void {
    const { random } = this.#facts;
    this.#pieces = [...new Set([...this.#pieces, ...pieces.indices()])];
    for (let last = this.#pieces.length - 1; last > 0; last--) {
      const other = random.below(last + 1);
      const piece = this.#pieces[last]!;
      this.#pieces[last] = this.#pieces[other]!;
      this.#pieces[other] = piece;
    }
    if (!this.#busy) this.#next();
  }

  end(): void {
    this.#pieces = [];
  }

  #next(): void {
    const { disk, trouble, tell } = this.#facts;
    const piece = this.#pieces.pop();
    this.#busy = piece !== undefined;
    if (piece === undefined) return;
    trouble.run((answer) =>
      disk.look(piece, (isStored, failure) => {
        if (failure === undefined) tell(piece, isStored);
        answer(failure);
        if (failure === undefined) this.#next();
      }),
    );
  }
}
