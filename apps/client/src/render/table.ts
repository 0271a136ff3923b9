// Rows as an aligned table for people, or tab-separated for pipes. Pure.
import { visible, widthOf } from './text.ts';

export type Row = readonly [label: string, ...cells: string[]];

/** Names come from strangers: tabs and line ends in them would forge rows. The last cell of a row is never padded. */
export function table(rows: readonly Row[], aligned: boolean): string[] {
  const clean = rows.map((row) => row.map(visible));
  if (!aligned) return clean.map((row) => row.join('\t'));
  const widths: number[] = [];
  for (const row of clean)
    for (const [column, cell] of row.slice(0, -1).entries())
      widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
  return clean.map((row) =>
    row.map((cell, column) => (column === row.length - 1 ? cell : padded(cell, widths[column] ?? 0))).join('  '),
  );
}

const padded = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - widthOf(text)));
