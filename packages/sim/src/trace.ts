// The account of a run: every event a line of text, a 64-bit hash over all of them, and the last few lines for whoever
// has to explain a failure. Decides the form of the account; must not know what the events mean.

/** Lines kept for a report: enough to see the last second or two of a small swarm. */
export const keptLines = 50;

export class Trace {
  readonly #sink: ((line: string) => void) | undefined;
  readonly #kept: string[] = [];
  #lines = 0;
  // Two FNV-1a hashes with different starts: 64 bits without BigInt on a path that runs for every event.
  #first = 0x811c9dc5;
  #second = 0x01000193;

  /** @param sink Given every line, without line end, as it happens. */
  constructor(sink?: (line: string) => void) {
    this.#sink = sink;
  }

  /** One event: `<time in µs> <who> <what, with ids>`. */
  event(timeUs: number, who: string, what: string): void {
    const line = `${timeUs} ${who} ${what}`;
    this.#roll(line);
    this.#kept[this.#lines % keptLines] = line;
    this.#lines++;
    this.#sink?.(line);
  }

  get lines(): number {
    return this.#lines;
  }

  /** 16 hex digits over every line so far. */
  get hash(): string {
    return hex32(this.#first) + hex32(this.#second);
  }

  /** The last lines, oldest first. */
  get last(): string[] {
    const turn = this.#lines % keptLines;
    return this.#lines < keptLines ? [...this.#kept] : [...this.#kept.slice(turn), ...this.#kept.slice(0, turn)];
  }

  #roll(line: string): void {
    let first = this.#first;
    let second = this.#second;
    for (let at = 0; at < line.length; at++) {
      const unit = line.charCodeAt(at);
      first = Math.imul(first ^ unit, fnvPrime);
      second = Math.imul(second ^ (unit + at), fnvPrime);
    }
    // The line end, so that lines cannot run into each other.
    this.#first = Math.imul(first ^ 10, fnvPrime);
    this.#second = Math.imul(second ^ 10, fnvPrime);
  }
}

/** 8 hex digits over some bytes: FNV-1a, 32 bits. Tells messages apart in a trace. */
export function fingerprint(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, fnvPrime);
  return hex32(hash);
}

/** FNV's 32-bit prime (Fowler, Noll, Vo). */
const fnvPrime = 0x01000193;

function hex32(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
