// The handshake of a NAT check: the first 48 bytes of BEP 3's, without a peer id, because a tracker is no peer. Whoever
// serves the torrent has to answer as soon as it knows the info-hash, and the first 48 bytes of that say enough: the
// peer id is not compared, as clients may use another one for each connection.

/** Length, name of the protocol, reserved bytes, info-hash. */
export const handshakeBytes = 48;

const name = Uint8Array.from('\u0013BitTorrent protocol', (character) => character.charCodeAt(0));
const infoHashAt = 28;

/** What is sent. `infoHash`: 20 bytes. */
export function checkHandshake(infoHash: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(handshakeBytes);
  bytes.set(name);
  bytes.set(infoHash, infoHashAt);
  return bytes;
}

/** Whether the first `length` bytes received are the answer: `incomplete` while they may become it. */
export function isHandshakeOf(infoHash: Uint8Array, bytes: Uint8Array, length: number): boolean | 'incomplete' {
  const seen = Math.min(length, handshakeBytes);
  for (let at = 0; at < seen; at++) {
    // The reserved bytes are whatever the client offers.
    if (at < name.length && bytes[at] !== name[at]) return false;
    if (at >= infoHashAt && bytes[at] !== infoHash[at - infoHashAt]) return false;
  }
  return seen === handshakeBytes || 'incomplete';
}
