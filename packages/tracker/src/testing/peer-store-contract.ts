// What every peer store must do, as named cases that any test framework can run, over a store that answers at once or
// later. Knows no store: whoever runs a case hands over an empty one.
import type { PeerStore } from '../peer-store.ts';
import { answerCases } from './answer-cases.ts';
import type { PeerStoreCase, StoreAnswer, StoreQuestion } from './store-dialogue.ts';
import { participantCases } from './participant-cases.ts';
import { swarmCases } from './swarm-cases.ts';

export { type MemberDialogue, type MemberStoreCase, memberStoreContract } from './member-store-contract.ts';
export type { PeerStoreCase, StoreAbility, StoreAnswer, StoreDialogue, StoreQuestion } from './store-dialogue.ts';

/** The cases, for `test.each` or a loop. */
export const peerStoreContract: readonly PeerStoreCase[] = [...swarmCases, ...participantCases, ...answerCases];

/**
 * Runs a case on an empty store that answers at once. One that answers later is asked the same way:
 * `const questions = entry.dialogue(); for (let next = questions.next(); !next.done;) next = questions.next(await answer(next.value))`.
 * @throws Error that says what was expected
 */
export function runStoreCase(entry: PeerStoreCase, store: PeerStore): void {
  const questions = entry.dialogue();
  for (let next = questions.next(); next.done !== true;) next = questions.next(answerOf(store, next.value));
}

/** Deterministic numbers in [0, 1), for stores that draw: mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

function answerOf(store: PeerStore, question: StoreQuestion): StoreAnswer {
  switch (question.ask) {
    case 'announce':
      return store.announce(question.peer, question.sample, question.now);
    case 'counts':
      return store.counts(question.infoHash);
    case 'expire':
      return store.expire(question.before, question.limit);
    case 'oldest':
      return store.oldest;
    case 'totals':
      return store.totals;
  }
}
