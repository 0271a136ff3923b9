import { describe, expect, test } from 'vitest';
import { MemoryStore } from '@shoal/tracker';
import { peerStoreContract, runStoreCase, seededRandom } from '@shoal/tracker/testing';

describe.each([
  ['with peer ids', true],
  ['without peer ids', false],
])('the memory store %s', (_, keepPeerIds) => {
  const cases = peerStoreContract.filter(({ needs }) => keepPeerIds || !needs.includes('ids'));
  test.each(cases.map((entry, index) => [entry.name, entry, index] as const))('%s', (_name, entry, index) => {
    const store = new MemoryStore({ random: seededRandom(index + 1), keepPeerIds });
    expect(() => runStoreCase(entry, store)).not.toThrow();
  });
});
