// How a quantity is divided between those who want some: max-min fair. Pure.

/**
 * For each of `wanted` what it gets of `total`: nobody more than it wants, and nobody less than another unless it wants no
 * more. What the modest leave goes to the others in equal parts.
 */
export function fairShares(total: number, wanted: readonly number[]): number[] {
  const shares = Array.from(wanted, () => 0);
  const order = [...wanted.keys()].sort((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0));
  let left = total;
  for (const [served, index] of order.entries()) {
    const share = Math.min(wanted[index] ?? 0, left / (order.length - served));
    shares[index] = share;
    left -= share;
  }
  return shares;
}
