// The secret that administrators send. Compared in constant time, so that answers do not tell how much of a guess is right.
import { createHash, timingSafeEqual } from 'node:crypto';
import { ConfigurationError } from '../errors.ts';

/** 16 characters of base64 or hex are out of reach of guessing over a network. */
const leastCharacters = 16;

/** Whoever knows the content of a file. */
export class AdminToken {
  readonly #digest: Buffer;

  /** `text`: the content of the token file. @throws ConfigurationError when it is too short to be a secret */
  constructor(text: string, file: string) {
    const token = text.trim();
    if (token.length < leastCharacters || /\s/.test(token)) {
      throw new ConfigurationError(
        `${file}: the token must be one word of at least ${leastCharacters} characters, such as from: openssl rand -hex 32`,
      );
    }
    this.#digest = digestOf(token);
  }

  /** Whether an `Authorization` header carries it. */
  admits(header: string | undefined): boolean {
    const given = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1] ?? '';
    // Digests have equal lengths, as the comparison demands, and the length of the secret stays one.
    return timingSafeEqual(digestOf(given), this.#digest);
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
