export { TrackerServerError, type TrackerServerErrorCode } from './errors.ts';
export { type Certificate, type HttpChanges, type HttpOptions, type HttpServer, serveHttp } from './http.ts';
export type { Page } from './http/pages.ts';
export { SourceAddress, type SourceOptions } from './http/source-address.ts';
export { type Stats, TrackerStats } from './http/stats-page.ts';
export { type RemoteStore, SharedService, type SharedServiceOptions } from './shared-service.ts';
export type { RemoteSignalling, SharedSignalling } from './shared-service-signalling.ts';
export { type Handle, type SharedState, type SocketName, systemMs } from './restart/messages.ts';
export type { Descriptors, Inherit } from './restart/listening.ts';
export { type ParentChannel, Predecessor } from './restart/predecessor.ts';
export { type Legacy, Successor } from './restart/successor.ts';
export {
  type LoadedSnapshot,
  type SavedSnapshot,
  type SnapshotOptions,
  loadSnapshot,
  saveSnapshot,
} from './snapshot/snapshot-file.ts';
export { SharedTotals } from './shared-service-totals.ts';
export { type CheckedServiceOptions, checkedService } from './nat-check/checked-service.ts';
export { NatChecker, type NatCheckCounts, type NatCheckMode, type NatCheckOptions } from './nat-check/nat-checker.ts';
export {
  type AnnounceDone,
  type PeersWanted,
  type ScrapeDone,
  type SwarmService,
  localService,
} from './swarm-service.ts';
export { type HttpTraffic, type Traffic, type UdpTraffic, type WebSocketTraffic, createTraffic } from './traffic.ts';
export type { ConnectionIdMode, ConnectionIdOptions } from './udp/address-proof.ts';
export type { UdpChanges } from './udp/listener.ts';
export type { OutgoingDatagram, Relay } from './udp/outlet.ts';
export { type UdpOptions, type UdpServer, serveUdp } from './udp.ts';
export type { WebSocketOptions } from './websocket.ts';
export type { AnnounceHeard } from './websocket/answerer.ts';
