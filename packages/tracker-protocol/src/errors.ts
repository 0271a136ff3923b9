// The one error class of this package. Its texts are constants: never a byte of what the remote sent,
// so a tracker may send them back as they are.

export type TrackerProtocolErrorCode =
  | 'malformed-escape'
  | 'missing-info-hash'
  | 'repeated-info-hash'
  | 'invalid-info-hash'
  | 'too-many-info-hashes'
  | 'missing-peer-id'
  | 'invalid-peer-id'
  | 'missing-port'
  | 'invalid-port'
  | 'invalid-left'
  | 'malformed-json'
  | 'unknown-action'
  | 'invalid-offers'
  | 'invalid-offer-id'
  | 'invalid-sdp'
  | 'malformed-reply'
  | 'malformed-peers';

/** A request or an answer that breaks the tracker protocol. */
export class TrackerProtocolError extends Error {
  readonly code: TrackerProtocolErrorCode;
  /** Text fit to be sent to the remote as a failure reason: constant, in English, without secrets. */
  readonly sendable: string;

  constructor(code: TrackerProtocolErrorCode, sendable: string, options?: { cause?: unknown }) {
    super(sendable, options);
    this.name = 'TrackerProtocolError';
    this.code = code;
    this.sendable = sendable;
  }
}
