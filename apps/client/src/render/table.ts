// Rows as an aligned table for people, or tab-separated for pipes. Pure.

export type Row = readonly [label: string, ...cells: string[]];

// Names come from strangers: what would move the cursor or colour the terminal is shown as a question mark.
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const control = /[\u0000-\u001f\u007f-\u009f]/g;

export function table(rows: readonly Row[], aligned: boolean): string[] {
  const clean = rows.map((row) => row.map((cell) => cell.replace(control, '?')));
  if (!aligned) return clean.map((row) => row.join('\t'));
  const width = Math.max(0, ...clean.map(([label]) => label?.length ?? 0));
  return clean.map(([label = '', ...cells]) => `${label.padEnd(width)}  ${cells.join('  ')}`);
}
