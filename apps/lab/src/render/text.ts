// Numbers and bars as people read them. Pure: text of a known width, nothing printed.

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `0 B`, `16.0 KiB`, `1.50 GiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${Math.round(value)} B` : `${value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** A rate below a byte a second is none. */
export const formatRate = (bytesPerSecond: number): string =>
  bytesPerSecond < 1 ? '-' : `${formatBytes(bytesPerSecond)}/s`;

/** A power of two without decimals: `256 KiB`. */
export const formatPieceLength = (bytes: number): string => formatBytes(bytes).replace('.0 ', ' ');

/** `7.4 s`, `3:05 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')} min`;
}

/** Whole percent; 100 only when it is all there. */
export function formatPercent(part: number, whole: number): string {
  if (part >= whole) return '100 %';
  return `${Math.min(99, Math.floor((part / whole) * 100))} %`;
}

/** How often `part` is the whole content: `1.04 copies`. */
export const formatCopies = (part: number, whole: number): string =>
  `${(whole === 0 ? 0 : part / whole).toFixed(2)} copies`;

export const formatCount = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** The filled and the empty part of a bar; the last cell is filled only when all is there. */
export function bar(part: number, whole: number, width: number): readonly [filled: string, empty: string] {
  const filled = part >= whole ? width : Math.max(0, Math.min(width - 1, Math.floor((part / whole) * width)));
  return ['█'.repeat(filled), '░'.repeat(width - filled)];
}

/**
 * `width` cells shared in proportion, by largest remainder: they add up to `width`, or to 0 when all shares are 0.
 * Whoever gave anything gets a cell while there are enough.
 */
export function cellsOf(shares: readonly number[], width: number): number[] {
  const total = shares.reduce((sum, share) => sum + share, 0);
  if (total === 0) return shares.map(() => 0);
  const exact = shares.map((share) => (share / total) * width);
  const cells = exact.map((share) => (share > 0 && share < 1 ? 1 : Math.floor(share)));
  const order = exact.map((share, i) => ({ i, rest: share - Math.floor(share) })).toSorted((a, b) => b.rest - a.rest);
  for (let k = 0, left = width - cells.reduce((sum, n) => sum + n, 0); left > 0; k = (k + 1) % order.length, left--)
    cells[order[k]!.i]! += 1;
  while (cells.reduce((sum, n) => sum + n, 0) > width) cells[cells.indexOf(Math.max(...cells))]! -= 1;
  return cells;
}

// Names come from strangers: what would move the cursor or colour the terminal is shown as a question mark.
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const control = /[\u0000-\u001f\u007f-\u009f]/g;

/** Without control characters, and no wider than `width`. */
export function clipped(text: string, width: number): string {
  const clean = text.replace(control, '?');
  return clean.length > width ? `${clean.slice(0, Math.max(0, width - 1))}…` : clean;
}
