// How many peers to serve at once for a given upload limit: few enough that each gets a rate worth reciprocating.

/**
 * Slots for an upload limit in bytes per second, by the rule of mainline 4 and 5 (`max_uploads = auto`): 2 to 4 slots
 * below 42 KiB/s, above that the square root of 0.6 × KiB/s; 7 when there is no limit.
 */
export function slotsForUploadLimit(bytesPerSecond: number): number {
  const kibPerSecond = bytesPerSecond / 1024;
  if (kibPerSecond === Number.POSITIVE_INFINITY) return 7;
  if (kibPerSecond < 9) return 2;
  if (kibPerSecond < 15) return 3;
  if (kibPerSecond < 42) return 4;
  return Math.floor(Math.sqrt(0.6 * kibPerSecond));
}
