// One codec for both ends of HTTP, UDP and WebSocket trackers.
export * from './addresses.ts';
export * from './compact-peers.ts';
export * from './errors.ts';
export {
  type CompactRecords,
  type CompactReply,
  compactReplyHeadLimit,
  writeCompactReply,
} from './http/compact-reply.ts';
export { parsePlainAnnounceQuery } from './http/plain-query.ts';
export * from './http/query.ts';
export * from './http/reply.ts';
export { decodeScrapeReply, encodeScrapeFiles, encodeScrapeReply, infoHashHex } from './http/scrape.ts';
export { keyNumber } from './participant-key.ts';
export * from './percent-encoding.ts';
export * from './types.ts';
export * from './udp/decode.ts';
export * from './udp/encode.ts';
export * from './udp/packets.ts';
export * from './websocket/messages.ts';
export { decodeRelayedRequest } from './websocket/relayed.ts';
export * from './websocket/replies.ts';
export { decodeSignalRequest, encodeSignalRequest } from './websocket/requests.ts';
