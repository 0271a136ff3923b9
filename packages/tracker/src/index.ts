export { MemoryStore, type MemoryStoreOptions } from './memory-store.ts';
export type { RestoreReport } from './snapshot/restore-peer.ts';
export type { SwarmCursor } from './snapshot/swarm-cursor.ts';
export { peersIn } from './peer-list.ts';
export { PeerRecords, PeerSample, downloadersIn } from './peer-sample.ts';
export type { RemoteAnswer, RemoteMember, RemoteMemberAnswer, SignalHandover } from './remote-answer.ts';
export type { AnnounceOutcome, PeerStore, StoreAnnounce, StoreEndpoint, StoreTotals } from './peer-store.ts';
export {
  type Admitted,
  type AnnounceSource,
  type PackedReply,
  Tracker,
  type TrackerCounts,
  type TrackerOptions,
  detached,
} from './tracker.ts';
export { trackerIdKeyBytes } from './tracker-ids.ts';
export type { PrivateAddresses } from './policy/address-rules.ts';
export type { AnnouncePolicy, Refusal, RefusalCode } from './policy/announce-policy.ts';
export { PlainPolicy, type PlainPolicyOptions } from './policy/plain-policy.ts';
export {
  type AdmittedMember,
  type Delivery,
  SignalledSwarms,
  type SignalledSwarmsOptions,
  type SignalledTotals,
} from './signalling/signalled-swarms.ts';
export {
  type MemberName,
  type NodeId,
  type RelayedSignal,
  decodeMemberNames,
  decodeSignalBatch,
  encodeMemberName,
  encodeRelayedSignal,
  encodeSignalBatch,
  memberNameBytes,
} from './signalling/relayed-signal.ts';
export type { Member as SignalledMember } from './signalling/swarm-members.ts';
export { PolicyListError, type PolicyListErrorCode } from './errors.ts';
export type { IntervalSettings } from './policy/announce-interval.ts';
export { type AnnounceRate, AnnounceRates } from './policy/announce-rates.ts';
export {
  type AddressRange,
  AddressRanges,
  parseAddressList,
  parseAddressRange,
} from './policy/lists/address-ranges.ts';
export { ClientPrefixes, parseClientList, parseClientPrefix } from './policy/lists/client-prefixes.ts';
export {
  InfoHashSet,
  type InfoHashes,
  amendedInfoHashes,
  parseInfoHash,
  parseInfoHashList,
  readInfoHashList,
} from './policy/lists/info-hash-set.ts';
export type { PrivateAddressWatch } from './policy/private-address-watch.ts';
export { type PolicySettings, StandingPolicy, type StandingPolicyOptions } from './policy/standing-policy.ts';
