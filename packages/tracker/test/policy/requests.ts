import type { AnnounceRequest } from '@shoal/tracker-protocol';
import { parseIp } from '@shoal/tracker-protocol';

export function requestOf(more: Partial<AnnounceRequest> = {}): AnnounceRequest {
  const [infoHash, peerId] = [new Uint8Array(20).fill(1), new Uint8Array(20).fill(2)];
  return { infoHash, peerId, port: 6881, uploaded: 0, downloaded: 0, left: 100, event: 'none', ...more };
}

export function ipOf(text: string): Uint8Array {
  const bytes = parseIp(text);
  if (bytes === undefined) throw new Error(`not an address: ${text}`);
  return bytes;
}

/** Latin-1 text as bytes. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** A peer id that begins with `start`. */
export function peerIdOf(start: string): Uint8Array {
  return bytesOf(start.padEnd(20, '0'));
}
