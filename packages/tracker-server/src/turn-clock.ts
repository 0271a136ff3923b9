// A clock that is read once in a turn of the event loop: under load a turn brings dozens of datagrams, and to ask for the
// time of each costs as much as to read it.

/** `clock`, read anew at the first question of each turn. Others in that turn get the same time, milliseconds old at most. */
export function turnClock(clock: () => number): () => number {
  let now = 0;
  let isFresh = false;
  const forget = (): void => {
    isFresh = false;
  };
  return () => {
    if (isFresh) return now;
    isFresh = true;
    // Called after the sockets of this turn had theirs.
    setImmediate(forget);
    now = clock();
    return now;
  };
}
