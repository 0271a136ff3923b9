// Which runs there are: who seeds to how many, what, and where. The sizes keep a full run below half an hour.
import {
  aria2,
  type Contestant,
  contestants,
  libtorrent,
  rtorrent,
  shoal,
  transmission,
  webtorrent,
} from './contestants.ts';

const MiB = 1024 * 1024;

export interface Row {
  /** As `--rows` names it. */
  readonly key: string;
  readonly title: string;
  readonly seeders: number;
  readonly leechers: number;
  readonly place: 'tmpfs' | 'disk';
  readonly bytes: number;
  readonly files: number;
  readonly pairs: readonly (readonly [seeder: Contestant, leecher: Contestant])[];
  /** Its runs are long: no more rounds than this. */
  readonly mostRounds?: number;
}

/** Who has a place in every row. */
const regulars = [shoal, libtorrent, webtorrent];
const toThemselves = regulars.map((contestant) => [contestant, contestant] as const);

/** Shoal on either side of everyone, and everyone with itself. */
const everyPair = contestants.flatMap((other) =>
  other === shoal
    ? [[shoal, shoal] as const]
    : [[shoal, other] as const, [other, shoal] as const, [other, other] as const],
);

/** Content for who is bound by timers: 64 MiB take Transmission 8 s and a start of 13. */
export const slowBytes: number = 64 * MiB;
export const slowRounds = 2;

export interface Sizes {
  readonly quick: boolean;
  /** MiB of the rows with one file and few peers, instead of their own. */
  readonly sizeMiB?: number | undefined;
}

export function rowsOf({ quick, sizeMiB }: Sizes): readonly Row[] {
  const one = (sizeMiB ?? (quick ? 64 : 1024)) * MiB;
  const few = (sizeMiB ?? (quick ? 64 : 512)) * MiB;
  const many = quick ? 8 : 32;
  const row = (key: string, parts: Omit<Row, 'key' | 'place' | 'files' | 'pairs'> & Partial<Row>): Row => ({
    key,
    place: 'tmpfs',
    files: 1,
    pairs: toThemselves,
    ...parts,
  });
  return [
    row('1-1', { title: '1 → 1', seeders: 1, leechers: 1, bytes: one, pairs: everyPair }),
    row('1-4', { title: '1 → 4 at once', seeders: 1, leechers: 4, bytes: few }),
    row('4-1', { title: '4 → 1', seeders: 4, leechers: 1, bytes: few }),
    row('32-1', { title: `${many} → 1`, seeders: many, leechers: 1, bytes: (quick ? 32 : 256) * MiB, mostRounds: 3 }),
    row('1-32', {
      title: `1 → ${many} at once`,
      seeders: 1,
      leechers: many,
      bytes: (quick ? 16 : 64) * MiB,
      mostRounds: 3,
    }),
    row('folder', { title: '1 → 1, 500 files', seeders: 1, leechers: 1, bytes: (quick ? 64 : 512) * MiB, files: 500 }),
    row('disk', { title: '1 → 1, on disk', seeders: 1, leechers: 1, bytes: one, place: 'disk' }),
  ];
}

/** As `--peers` names them. */
export function namesOf(): readonly string[] {
  return [shoal, libtorrent, aria2, rtorrent, webtorrent, transmission].map(({ name }) => name.toLowerCase());
}

/** What a run is expected to take on two cores, from its start to its copies compared. */
export function expectedSeconds({ seeders, leechers, bytes }: Row, seeder: Contestant, leecher: Contestant): number {
  const delivered = (bytes * leechers) / 1e6;
  const cores = 2;
  const start =
    Math.max(1, seeders / cores) * seeder.startSeconds + Math.max(1, leechers / cores) * leecher.startSeconds;
  const check = (seeders * bytes) / 1e9;
  // Comparing goes at a GB/s or more.
  return start + check + delivered / Math.min(seeder.expectedRate, leecher.expectedRate) + delivered / 1000;
}
