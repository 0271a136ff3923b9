/** The BitTorrent peer wire protocol as a machine: bytes in, events out. @packageDocumentation */
export { PeerConnection } from './connection.ts';
export { decodeMessage } from './decode.ts';
export { encodeMessage, writePieceHeader } from './encode.ts';
export { WireError, type WireErrorCode } from './errors.ts';
export type { WireEvent } from './events.ts';
export { decodeExtendedHandshake, encodeExtendedHandshake, type ExtendedHandshake } from './extensions/negotiation.ts';
export { allowedFastSet, type AllowedFastInput } from './fast-extension.ts';
export {
  decodeHandshake,
  encodeHandshake,
  featuresOf,
  type Features,
  type Handshake,
  type HandshakeFields,
  handshakeLength,
  infoHashEnd,
  peekInfoHash,
} from './handshake.ts';
export {
  type BlockMessageType,
  type IndexMessageType,
  maxExtendedLength,
  messageId,
  type PeerMessage,
  pieceHeaderLength,
  type PlainMessageType,
} from './messages.ts';
export { defaults, type PeerConnectionOptions } from './options.ts';
export { type BlockOutcome, type PipelineOptions, type PendingBlock, RequestPipeline } from './pipeline.ts';
export { type Acceptance, UploadQueue, type UploadQueueOptions } from './upload-queue.ts';
