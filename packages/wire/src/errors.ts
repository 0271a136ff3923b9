// Everything that can be wrong with what a peer sent, as codes that belong to the public interface.
// Codecs throw a WireError; the connection reports the same codes in its `end` event and throws nothing.

/** Why bytes from a peer cannot be used. The README says what to do about each. */
export type WireErrorCode =
  | 'not-bittorrent'
  | 'wrong-info-hash'
  | 'wrong-peer-id'
  | 'self-connection'
  | 'handshake-timeout'
  | 'timed-out'
  | 'message-too-long'
  | 'wrong-length'
  | 'piece-out-of-range'
  | 'block-out-of-range'
  | 'block-off-grid'
  | 'fast-not-negotiated'
  | 'too-many-bad-requests'
  | 'requests-while-choked'
  | 'allowed-fast-abuse'
  | 'unrequested-blocks'
  | 'truncated'
  | 'trailing-bytes'
  | 'unknown-message'
  | 'invalid-extended-handshake';

/** Thrown by the codecs of this package for bytes that break the protocol. */
export class WireError extends Error {
  override readonly name = 'WireError';
  /** Stable, part of semver. */
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What each code means, for people. */
export const faultText: Readonly<Record<WireErrorCode, string>> = {
  'not-bittorrent': 'it does not speak BitTorrent',
  'wrong-info-hash': 'it answered for another torrent',
  'wrong-peer-id': 'it is not the peer that was expected',
  'self-connection': 'it is this very client',
  'handshake-timeout': 'it did not finish its handshake in time',
  'timed-out': 'it was silent for too long',
  'message-too-long': 'it announced a message that is too long',
  'wrong-length': 'it sent a message of a length that its type cannot have',
  'piece-out-of-range': 'it has a piece that the torrent has not',
  'block-out-of-range': 'it sent data that lies in no piece',
  'block-off-grid': 'it sent data that is no block and that nobody asked for',
  'fast-not-negotiated': 'it used the fast extension without having offered it',
  'too-many-bad-requests': 'it keeps asking for what is not in the torrent',
  'requests-while-choked': 'it keeps asking although it is choked',
  'allowed-fast-abuse': 'it fetched a piece over and over while choked',
  'unrequested-blocks': 'it keeps sending blocks that nobody asked for',
  truncated: 'the bytes end too early',
  'trailing-bytes': 'there are bytes after the end',
  'unknown-message': 'the message has an unknown id',
  'invalid-extended-handshake': 'the extended handshake is not a bencoded dictionary',
};
