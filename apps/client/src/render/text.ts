// Numbers, bars and strangers' words as people read them. Pure: text in the width given, nothing printed.

/** Colours a text, or leaves it as it is. */
export type Paint = (style: 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold', text: string) => string;

export const unpainted: Paint = (_style, text) => text;

// Control characters move cursors and colour terminals; bidirectional ones show a text in another order than it has.
const invisible = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** One line that does nothing to a terminal, whoever wrote it. */
export const visible = (text: string): string => text.replace(invisible, '?');

let segmenter: Intl.Segmenter | undefined;
/** Made when a name needs it: that takes 12 ms, and most names are plain. */
function graphemesOf(text: string): Iterable<{ readonly segment: string }> {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return segmenter.segment(text);
}

const isPlain = (text: string): boolean => /^[ -~]*$/.test(text);

/** What terminals show two columns wide: East Asian letters and emoji. */
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

const widthOfGrapheme = (grapheme: string): number => (wide.test(grapheme) ? 2 : 1);

/** Columns that a terminal needs for it, as good as can be told without asking the terminal. */
export function widthOf(text: string): number {
  if (isPlain(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemesOf(text)) width += widthOfGrapheme(segment);
  return width;
}

/** At most `columns` wide, ending in an ellipsis when something is left out. */
export function shortened(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  if (isPlain(text)) return `${text.slice(0, Math.max(0, columns - 1))}…`;
  let kept = '';
  let room = columns - 1;
  for (const { segment } of graphemesOf(text)) {
    room -= widthOfGrapheme(segment);
    if (room < 0) break;
    kept += segment;
  }
  return `${kept}…`;
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `0 B`, `16.0 KiB`, `1.50 GiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${Math.round(value)} B` : `${value.toFixed(value < 10 ? 2 : 1)} ${units[unit] ?? ''}`;
}

export const formatRate = (bytesPerSecond: number): string => `${formatBytes(bytesPerSecond)}/s`;

/** `42 s`, `3 min 5 s`, `2 h 10 min`, `4 d 3 h`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`;
}

/** Percent with one decimal; 100.0 only when it is all there. */
export function formatPercent(part: number, whole: number): string {
  if (whole === 0 || part >= whole) return '100.0 %';
  return `${Math.min(99.9, Math.floor((part / whole) * 1000) / 10).toFixed(1)} %`;
}

/** A bar of `width` characters; the last one is only filled when all is there. */
export function bar(part: number, whole: number, width: number): string {
  const filled = whole === 0 || part >= whole ? width : Math.min(width - 1, Math.floor((part / whole) * width));
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}

const narrowestBar = 10;
const widestBar = 40;

/** A bar with facts behind it, within `columns`; where there is no room for a bar, the facts alone. */
export function barLine(
  part: number,
  whole: number,
  facts: string,
  columns: number,
  paint: (bar: string) => string = (text) => text,
): string {
  // Two before the bar, one behind it, and the last column stays free.
  const width = Math.min(widestBar, columns - facts.length - 4);
  if (width < narrowestBar) return shortened(`  ${facts.trimStart()}`, columns - 1);
  return `  ${paint(bar(part, whole, width))} ${facts}`;
}

/** `3 pieces`, `1 piece`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
