// What the list of a swarm holds of each member: all that an answer may need, side by side. The words of its address,
// then port, stamp and flags in one.

/** What is known of a member, in the same word as its port. */
export const peerFlag = {
  /** It has been counted as a completed download. */
  counted: 1,
  /** It is one of the two addresses of a participant. */
  paired: 2,
  /** It is a partial seed. */
  partial: 4,
} as const;
export type PeerFlag = (typeof peerFlag)[keyof typeof peerFlag];

/** Above the flags: when the member joined, as the low bits of its torrent's sequence. */
export const stampShift = 4;
/** Stamps come round after so many. */
export const stampRange = 4096;

/** The port, in the upper half. */
export const portShift = 16;

/** Whether a member with that last word joined less than `distance` places before `sequence`, as far as its stamp can tell. */
export function joinedWithin(lastWord: number, sequence: number, distance: number): boolean {
  const stamp = (lastWord >>> stampShift) % stampRange;
  // Sequences are larger than stamps.
  return (sequence - stamp) % stampRange < distance;
}
