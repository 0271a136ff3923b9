// How a peer that is not honest differs from one that is. A behaviour with a script has no torrent at all: it says its
// script to whoever connects. Must not know clocks or networks: it is told a block, and says what becomes of it.
import { encodeHandshake } from '@shoal/wire';
import type { RandomStream } from './random.ts';

export interface Behaviour {
  readonly name: string;
  /**
   * What becomes of a block on its way out; `bytes` is its payload and may be changed in place, `before` counts the
   * blocks of this life so far. It must not keep state of its own. Default: sent.
   */
  readonly outgoingBlock?: (bytes: Uint8Array, random: RandomStream, before: number) => 'send' | 'swallow';
  /** What is said, in order, on every connection instead of speaking for a torrent. */
  readonly script?: (facts: ScriptFacts) => readonly Uint8Array[];
}

export interface ScriptFacts {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  readonly random: RandomStream;
}

/** Speaks for its torrent and changes nothing. */
export const honest: Behaviour = { name: 'honest' };

/** Flips one byte of each block it uploads, or of a `share` of them in (0, 1]. */
export function corrupting(share: number = 1): Behaviour {
  return {
    name: 'corrupting',
    outgoingBlock: (bytes, random) => {
      if (random.fraction() < share) bytes[random.below(bytes.length)]! ^= 1 + random.below(255);
      return 'send';
    },
  };
}

/** Accepts requests and sends no block, or none after the first `honestBlocks`. */
export function stalling(honestBlocks: number = 0): Behaviour {
  return {
    name: 'stalling',
    outgoingBlock: (_bytes, _random, before) => (before < honestBlocks ? 'send' : 'swallow'),
  };
}

/** Says random bytes, instead of a handshake or behind one. */
export function garbage(when: 'before-handshake' | 'after-handshake', lengthBytes: number = 4096): Behaviour {
  return {
    name: `garbage ${when}`,
    script: ({ infoHash, peerId, random }) => {
      const noise = random.bytes(lengthBytes);
      return when === 'before-handshake' ? [noise] : [handshakeOf(infoHash, peerId), noise];
    },
  };
}

/** After a right handshake announces a message of 4 GiB and sends the first of it. */
export function oversized(lengthBytes: number = 4096): Behaviour {
  return {
    name: 'oversized',
    script: ({ infoHash, peerId, random }) => {
      const message = random.bytes(lengthBytes);
      message.set([0xff, 0xff, 0xff, 0xff]);
      return [handshakeOf(infoHash, peerId), message];
    },
  };
}

/** Takes connections and says nothing, or nothing behind a right handshake. */
export function silent(when: 'before-handshake' | 'after-handshake' = 'before-handshake'): Behaviour {
  return {
    name: `silent ${when}`,
    script: ({ infoHash, peerId }) => (when === 'before-handshake' ? [] : [handshakeOf(infoHash, peerId)]),
  };
}

function handshakeOf(infoHash: Uint8Array, peerId: Uint8Array): Uint8Array {
  return encodeHandshake({ infoHash, peerId, fast: true, extended: true });
}
