// A service behind the rings that lie between threads, both ends in this one: whatever passes through them must come out
// as it went in. docs/decisions/0012.
import { ForwardingService } from '../../packages/tracker-server/src/workers/forwarding-service.ts';
import { RingReader, RingWriter, ringMemory } from '../../packages/tracker-server/src/workers/ring.ts';
import { SwarmOwner } from '../../packages/tracker-server/src/workers/swarm-owner.ts';
import type { SwarmService } from '@shoal/tracker-server';

/** How a scene reaches who answers. */
export interface Reach {
  readonly service: SwarmService;
  /** Carries everything that is under way. */
  readonly deliver: () => void;
}

/** Small, and no powers of two, so that records come to lie at the end. A question has 8 KB at most, an answer here 45. */
const [questionBytes, answerBytes] = [40_008, 200_008];

/** In this thread nothing is under way when a call returns. */
export function direct(service: SwarmService): Reach {
  return { service, deliver: () => {} };
}

/** `clock`: that of the side that answers. */
export function throughRings(service: SwarmService, clock: () => number): Reach {
  const [questions, answers] = [ringMemory(questionBytes), ringMemory(answerBytes)];
  const silent = (): void => {};
  const forwarding = new ForwardingService(new RingWriter(questions, silent), new RingReader(answers));
  const owner = new SwarmOwner(service, clock, new RingReader(questions), new RingWriter(answers, silent));
  return {
    service: forwarding,
    deliver: () => {
      owner.serve();
      forwarding.collect();
    },
  };
}
