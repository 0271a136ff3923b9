// Whether a process stayed as it was: straight lines through the samples of the second half, and handles counted when
// nothing was going on.
import type { Sample } from './worker.ts';

const MiB = 1024 * 1024;

export interface TimedSample extends Sample {
  readonly seconds: number;
  /** Which process. */
  readonly who: string;
  /** True when all torrents had been removed. */
  readonly resting: boolean;
}

export interface Finding {
  readonly who: string;
  readonly what: string;
  readonly resting: boolean;
  /** By the line, over the second half. Bytes, or handles. */
  readonly growth: number;
  /** Three times the standard error of that: a growth below it may be chance. */
  readonly chance: number;
  readonly limit: number;
  /** Undefined with too few samples for a line. */
  readonly flat: boolean | undefined;
}

type Size = 'heapUsed' | 'external' | 'arrayBuffers' | 'rss';

/** What may be gained in the second half. At rest nothing but code and caches; at work what is under way differs. */
const limits: Readonly<Record<'resting' | 'working', Readonly<Record<Size, number>>>> = {
  resting: { heapUsed: 2 * MiB, external: 2 * MiB, arrayBuffers: 2 * MiB, rss: 16 * MiB },
  working: { heapUsed: 8 * MiB, external: 32 * MiB, arrayBuffers: 32 * MiB, rss: 32 * MiB },
};

/** Handles are counted at so many samples on either end of the second half; the fewest of each count. */
const handleSamples = 3;
/** A line through fewer says nothing. */
const fewestSamples = 8;

export function judge(samples: readonly TimedSample[]): Finding[] {
  const findings: Finding[] = [];
  for (const who of new Set(samples.map((sample) => sample.who))) {
    for (const resting of [true, false]) {
      const mine = samples.filter((sample) => sample.who === who && sample.resting === resting);
      if (mine.length === 0) continue;
      const half = mine.slice(Math.floor(mine.length / 2));
      for (const [what, limit] of Object.entries(limits[resting ? 'resting' : 'working'])) {
        const { growth, chance } = fit(half.map((sample) => [sample.seconds, sample[what as Size]]));
        findings.push({ who, what, resting, growth, chance, limit, flat: flatness(growth, limit, chance) });
      }
      if (resting) findings.push(...handles(who, half));
    }
  }
  return findings;
}

function handles(who: string, half: readonly TimedSample[]): Finding[] {
  const kinds = new Set(half.flatMap(({ resources }) => Object.keys(resources)));
  const fewest = (part: readonly TimedSample[], of: (sample: TimedSample) => number): number =>
    Math.min(...part.map(of));
  const finding = (what: string, of: (sample: TimedSample) => number): Finding => {
    const growth = fewest(half.slice(-handleSamples), of) - fewest(half.slice(0, handleSamples), of);
    return { who, what, resting: true, growth, chance: 0, limit: 0, flat: flatness(growth, 0, 0) };
  };
  return [
    finding('open files', ({ fds }) => fds),
    finding('torrents', ({ torrents }) => torrents),
    ...[...kinds].toSorted().map((kind) => finding(kind, ({ resources }) => resources[kind] ?? 0)),
  ];
}

function flatness(growth: number, limit: number, chance: number): boolean | undefined {
  return Number.isFinite(growth) ? growth <= Math.max(limit, chance) : undefined;
}

/** Least squares: what the line gains from the first point to the last, and three times its standard error. */
function fit(points: readonly (readonly [x: number, y: number])[]): { growth: number; chance: number } {
  const count = points.length;
  if (count < fewestSamples) return { growth: NaN, chance: NaN };
  const mean = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0) / count;
  const [meanX, meanY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  let [xx, xy] = [0, 0];
  for (const [x, y] of points) {
    xx += (x - meanX) ** 2;
    xy += (x - meanX) * (y - meanY);
  }
  const slope = xy / xx;
  const residual = points.reduce((total, [x, y]) => total + (y - meanY - slope * (x - meanX)) ** 2, 0);
  const span = (points.at(-1)?.[0] ?? 0) - (points[0]?.[0] ?? 0);
  return { growth: slope * span, chance: 3 * Math.sqrt(residual / (count - 2) / xx) * span };
}

export function verdictTable(findings: readonly Finding[]): string {
  const sizes = new Set<string>(Object.keys(limits.resting));
  const lines = findings.map(({ who, what, resting, growth, chance, limit, flat }) => {
    const shown = (value: number): string => {
      if (Number.isNaN(value)) return '–';
      return sizes.has(what) ? `${(value / MiB).toFixed(2)} MiB` : String(value);
    };
    const doubt = sizes.has(what) && !Number.isNaN(chance) ? ` ± ${shown(chance)}` : '';
    return `| ${who} | ${what} | ${resting ? 'at rest' : 'at work'} | ${shown(growth)}${doubt} | ${shown(limit)} | ${flat === undefined ? 'too few samples' : flat ? 'flat' : 'GROWS'} |`;
  });
  return [
    '| process | what | when | growth in the second half | allowed | |',
    '|---|---|---|---:|---:|---|',
    ...lines,
  ].join('\n');
}
