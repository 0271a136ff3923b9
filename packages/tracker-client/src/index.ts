// Asks trackers over HTTP, HTTPS and UDP.
export { announce } from './announce.ts';
export type { Clock } from './clock.ts';
export * from './errors.ts';
export { bep15RetransmitMs, defaults } from './options.ts';
export type { TrackerRequestOptions } from './options.ts';
export type { Lookup, ResolvedAddress } from './resolve.ts';
export { scrape } from './scrape.ts';
export { scrapeUrlOf } from './scrape-url.ts';
export { TrackerTiers } from './tiers.ts';
export type { Binding, TierAnnounceOptions, TierReply, TrackerTiersOptions } from './tiers.ts';
export type { TrackerStatus } from './tracker-state.ts';
export { UdpClient } from './udp-client.ts';
export type { UdpClientOptions } from './udp-client.ts';
