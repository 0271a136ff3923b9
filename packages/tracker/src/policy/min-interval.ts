// How soon an announce is too soon where the operator does not say.

/** libtorrent and Shoal's own client ask no sooner, whatever they are told; who has nobody to talk to may ask that often. */
const seconds = 60;

/** The `min interval` beside an interval, in seconds. */
export function minIntervalFor(interval: number): number {
  return Math.min(seconds, interval);
}
