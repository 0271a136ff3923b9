import { describe, expect, test } from 'vitest';
import { MemoryStore } from '@shoal/tracker';
import { peerStoreContract, runStoreCase, seededRandom } from '@shoal/tracker/testing';

const variants = [
  ['with peer ids', { keepPeerIds: true }],
  ['without peer ids', { keepPeerIds: false }],
] as const;

describe.each(variants)('the memory store %s', (_, options) => {
  test.each(peerStoreContract.map((entry, index) => [entry.name, entry, index] as const))(
    '%s',
    (_name, entry, index) => {
      const store = new MemoryStore({ random: seededRandom(index + 1), ...options });
      expect(() => runStoreCase(entry, store)).not.toThrow();
    },
  );
});
