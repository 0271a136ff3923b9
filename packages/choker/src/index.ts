export { Choker, defaults, type ChokerOptions } from './choker.ts';
export type { ChokeCandidate, ChokeDecision } from './ranking.ts';
export { RateMeter } from './rate-meter.ts';
export { slotsForUploadLimit } from './slots.ts';
