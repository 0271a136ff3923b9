export { MemoryStore, type MemoryStoreOptions } from './memory-store.ts';
export { peersIn } from './peer-list.ts';
export { PeerRecords, PeerSample } from './peer-sample.ts';
export type { AnnounceOutcome, PeerStore, StoreAnnounce, StoreTotals } from './peer-store.ts';
export { type AnnounceSource, type PackedReply, Tracker, type TrackerCounts, type TrackerOptions } from './tracker.ts';
export type { AnnouncePolicy, Refusal, RefusalCode } from './policy/announce-policy.ts';
export { PlainPolicy, type PlainPolicyOptions } from './policy/plain-policy.ts';
export {
  type AdmittedMember,
  type Delivery,
  SignalledSwarms,
  type SignalledSwarmsOptions,
  type SignalledTotals,
} from './signalling/signalled-swarms.ts';
