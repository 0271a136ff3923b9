import { describe, expect, test } from 'vitest';
import { MemoryStore } from '@shoal/tracker';
import { peerStoreContract } from '@shoal/tracker/testing';

const variants = [
  ['with peer ids', (random: () => number) => new MemoryStore({ random })],
  ['without peer ids', (random: () => number) => new MemoryStore({ random, keepPeerIds: false })],
] as const;

describe.each(variants)('the memory store %s', (_, create) => {
  test.each(peerStoreContract.map((entry) => [entry.name, entry] as const))('%s', (_name, entry) => {
    expect(() => entry.run(create)).not.toThrow();
  });
});
