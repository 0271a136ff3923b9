import type { AnnounceRequest } from '@shoal/tracker-protocol';
import type { TrackerError } from '../src/index.ts';

export const request: AnnounceRequest = {
  infoHash: new Uint8Array(20).fill(0xaa),
  peerId: new Uint8Array(20).fill(0x62),
  port: 51_413,
  uploaded: 1,
  downloaded: 2,
  left: 3,
  event: 'none',
  key: 'cafe0123',
};

/** What a promise rejects with; undefined when it does not. */
export async function rejected(promise: Promise<unknown>): Promise<TrackerError | undefined> {
  return promise.then(
    () => undefined,
    (error: unknown) => error as TrackerError,
  );
}
