// The clock hand of a tracker: lets silent peers expire in slices, so that no turn of the event loop is long.
import type { Tracker } from '@shoal/tracker';

/** Between two rounds. A peer's lifetime is minutes, so a second more does not matter. */
const roundMs = 1000;

/** Between two slices of a round: requests are answered in between. */
const sliceMs = 2;

/** Calls `tracker.expire` until disposed. Two of these on one tracker do no harm. */
export function startExpiry(tracker: Tracker, clock: () => number): Disposable {
  const turn = (): void => {
    const now = clock();
    const due = (tracker.deadline ?? Infinity) <= now;
    timer = setTimeout(turn, due && tracker.expire(now) ? sliceMs : roundMs).unref();
  };
  let timer = setTimeout(turn, roundMs).unref();
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
