// Checks of numbers that a caller gave.

/** `value`, if it lies between `least` and `most`. @throws RangeError naming the option */
export function within(name: string, value: number, least: number, most: number): number {
  if (!(value >= least && value <= most)) throw new RangeError(`${name} must be ${least} to ${most}`);
  return value;
}
