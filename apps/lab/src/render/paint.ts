// Colours by meaning, so that renderings stay pure: a paint is given to them. Each giver has one colour everywhere.
import { styleText } from 'node:util';

/** `giver N`: the origin is 0, peer-1 is 1. */
export type Tone = 'heading' | 'faint' | 'good' | 'bad' | { readonly giver: number } | { readonly onGiver: number };

export type Paint = (tone: Tone, text: string) => string;

export const plain: Paint = (_tone, text) => text;

/** Told apart on dark and light grounds; neighbours differ in lightness too. The first is the origin's. */
const giverColours = ['yellow', 'cyan', 'magenta', 'green', 'blue', 'red'] as const;
const giverGrounds = ['bgYellow', 'bgCyan', 'bgMagenta', 'bgGreen', 'bgBlue', 'bgRed'] as const;

/** ANSI colours; `NO_COLOR` and a stream that is no terminal turn them off. */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  return (tone, text) => (text === '' ? '' : styleText(formatOf(tone), text, { stream }));
}

function formatOf(tone: Tone): Parameters<typeof styleText>[0] {
  if (tone === 'heading') return 'bold';
  if (tone === 'faint') return 'dim';
  if (tone === 'good') return 'green';
  if (tone === 'bad') return 'red';
  if ('giver' in tone) return cyclic(giverColours, tone.giver);
  return [cyclic(giverGrounds, tone.onGiver), 'black'];
}

/** With more peers than colours the peers' colours come again; the origin's never. */
function cyclic<T>([origin, ...peers]: readonly [T, ...T[]], giver: number): T {
  return giver === 0 ? origin : (peers[(giver - 1) % peers.length] ?? origin);
}
