// The rotation: every peer in a circle, whose front is the next to be given a chance. Decides where newcomers enter and
// how the circle turns; must not know rates.

export class Rotation {
  readonly #random: () => number;
  #peers: number[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  get size(): number {
    return this.#peers.length;
  }

  /** The peers from the front. */
  peers(): readonly number[] {
    return this.#peers;
  }

  /**
   * Enters at a uniform place, except that the front is three times as likely as any other: a newcomer has no piece to
   * give yet and gets one soonest this way (BEP 3, optimistic unchoking; mainline 2.x and 3.x: uniform from -2).
   */
  insert(peer: number): void {
    const place = Math.floor(this.#random() * (this.#peers.length + 3)) - 2;
    this.#peers.splice(Math.max(0, place), 0, peer);
  }

  remove(peer: number): void {
    const place = this.#peers.indexOf(peer);
    if (place >= 0) this.#peers.splice(place, 1);
  }

  /** Turns until a peer for which `chosen` holds is in front; stays when there is none. */
  turnTo(chosen: (peer: number) => boolean): void {
    this.#turn(this.#peers.findIndex(chosen));
  }

  /** Turns until the peer is last. */
  turnPast(peer: number): void {
    this.#turn(this.#peers.indexOf(peer) + 1);
  }

  #turn(places: number): void {
    if (places > 0) this.#peers.push(...this.#peers.splice(0, places));
  }
}
