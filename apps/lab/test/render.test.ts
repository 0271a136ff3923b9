// Renderings are functions of numbers: the same picture gives the same text.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resultOf, type SwarmPicture } from '../src/picture.ts';
import { progressLine } from '../src/render/lines.ts';
import { liveLines } from '../src/render/live.ts';
import { type Paint, plain } from '../src/render/paint.ts';
import { aligned, summaryLines } from '../src/render/summary.ts';
import {
  bar,
  cellsOf,
  clipped,
  formatBytes,
  formatPercent,
  formatPieceLength,
  formatRate,
  formatSeconds,
} from '../src/render/text.ts';

const MiB = 1024 * 1024;
const content = { name: 'node', infoHash: 'ab', totalBytes: 100 * MiB, files: 1, pieces: 400, pieceLength: 256 * 1024 };

/** A swarm of two in the middle of its work. */
const picture: SwarmPicture = {
  phase: 'downloading',
  seconds: 2.5,
  content,
  tracker: { url: 'http://127.0.0.1:6969', seeders: 1, leechers: 2, completed: 0, announces: 3 },
  origin: { state: 'seeding', uploadedBytes: 110 * MiB, uploadRate: 40 * MiB, peers: 2 },
  peers: [
    {
      name: 'peer-1',
      state: 'downloading',
      doneBytes: 50 * MiB,
      downloadedBytes: 52 * MiB,
      uploadedBytes: 60 * MiB,
      downloadRate: 20 * MiB,
      uploadRate: 30 * MiB,
      peers: 2,
      seconds: undefined,
      received: [39 * MiB, 0, 13 * MiB],
    },
    {
      name: 'peer-2',
      state: 'seeding',
      doneBytes: 100 * MiB,
      downloadedBytes: 100 * MiB,
      uploadedBytes: 13 * MiB,
      downloadRate: 10 * MiB,
      uploadRate: 0,
      peers: 1,
      seconds: 2.2,
      received: [40 * MiB, 60 * MiB, 0],
    },
  ],
};

describe('the live picture', () => {
  test('shows who has how much, how fast, from whom, and who gave whom', () => {
    expect(liveLines(picture, { columns: 91, rows: 40 }, plain).map((line) => line.trimEnd())).toEqual([
      '  node  100.0 MiB, 1 file, 400 pieces of 256 KiB                                     2.5 s',
      '',
      '  tracker  http://127.0.0.1:6969   1 seeder, 2 leechers, 0 completed, 3 announces',
      '  origin   sent 110.0 MiB = 1.10 copies   2 peers, up 40.0 MiB/s',
      '',
      '          has                                down           up   peers  from whom',
      '  peer-1  █████████░░░░░░░░░░   50 %   20.0 MiB/s   30.0 MiB/s       2  oooooooooooooo2222',
      '  peer-2  ███████████████████  100 %     in 2.2 s            -       1  ooooooo11111111111',
      '  all     ██████████████░░░░░   75 %   30.0 MiB/s   70.0 MiB/s     1/2  48 % from peers',
      '',
      '  MiB     to peer-1  to peer-2     to all',
      '  origin       39.0       40.0       79.0',
      '  peer-1          ·       60.0       60.0',
      '  peer-2       13.0          ·       13.0',
    ]);
  });

  test('has room for everything in no terminal, however small', () => {
    const size = fc.record({ columns: fc.integer({ min: 60, max: 300 }), rows: fc.integer({ min: 2, max: 60 }) });
    fc.assert(
      fc.property(size, (small) => {
        const lines = liveLines(picture, small, plain);
        expect(lines.length).toBeLessThan(small.rows);
        for (const line of lines) expect(line.length).toBeLessThan(small.columns);
      }),
    );
  });

  test('marks the tenth peer differently from the first', () => {
    const received = [0, 100, 0, 0, 0, 0, 0, 0, 0, 0, 200];
    const line = liveLines(
      { ...picture, peers: [{ ...picture.peers[0]!, received }] },
      { columns: 91, rows: 40 },
      plain,
    )[6];
    expect(line).toMatch(/ 1{6}a{12}$/);
  });

  test('colours text without changing it', () => {
    const painted: string[] = [];
    const noting: Paint = (_tone, text) => {
      painted.push(text);
      return text;
    };
    expect(liveLines(picture, { columns: 91, rows: 40 }, noting)).toEqual(
      liveLines(picture, { columns: 91, rows: 40 }, plain),
    );
    expect(painted).toContain('oooooooooooooo');
    expect(painted).toContain('2222');
  });

  test('says what a process does that does not download yet, and what is not known yet', () => {
    const [peer] = picture.peers;
    const early: SwarmPicture = {
      ...picture,
      phase: 'starting',
      content: undefined,
      tracker: undefined,
      peers: [{ ...peer!, state: 'checking', doneBytes: 0, received: [0, 0] }],
    };
    const text = liveLines(early, { columns: 91, rows: 40 }, plain).join('\n');
    expect(text).toMatch(/a swarm +starting/);
    expect(text).toMatch(/tracker +starting/);
    expect(text).toMatch(/peer-1 +░+ +- +checking/);
  });

  test('shows a name with control characters harmlessly', () => {
    const evil = { ...picture, content: { ...content, name: 'a\u001b[2Jb' } };
    expect(liveLines(evil, { columns: 91, rows: 40 }, plain)[0]).toContain('a?[2Jb');
  });
});

describe('a line of progress', () => {
  test('names each of a few peers', () => {
    expect(progressLine(picture)).toBe(
      '2.5 s: peer-1 50 %, peer-2 100 %; origin sent 1.10 copies, peers each other 0.73 copies',
    );
  });

  test('sums up many peers', () => {
    const peers = Array.from({ length: 9 }, (_, i) => picture.peers[i % 2]!);
    expect(progressLine({ ...picture, peers })).toContain('2.5 s: 4 of 9 complete, least 50 %; ');
  });

  test('is none before and after the downloads', () => {
    for (const phase of ['preparing', 'starting', 'stopping', 'comparing', 'done'] as const)
      expect(progressLine({ ...picture, phase })).toBeUndefined();
  });
});

describe('the summary', () => {
  test('tells the time, who gave how much, and that every copy is equal', () => {
    const done = picture.peers.map((peer) => ({ ...peer, seconds: peer.seconds ?? 2.5 }));
    const result = resultOf({ ...picture, peers: done }, content, [true, true]);
    expect(summaryLines(result)).toEqual([
      'node  100.0 MiB, 1 file, 400 pieces of 256 KiB',
      '',
      '        complete   received  from the origin       from peers      gave  SHA-256',
      'peer-1     2.5 s   52.0 MiB  39.0 MiB   75 %  13.0 MiB   25 %  60.0 MiB    equal',
      'peer-2     2.2 s  100.0 MiB  40.0 MiB   40 %  60.0 MiB   60 %  13.0 MiB    equal',
      '',
      'total time        2.5 s',
      'the origin sent   110.0 MiB = 1.10 copies',
      'peers exchanged   73.0 MiB = 0.73 copies',
      'ok                all 2 copies are equal to the original',
    ]);
  });

  test('says which copy differs and that the run is not ok', () => {
    const result = resultOf(picture, content, [true, false]);
    expect(result.ok).toBe(false);
    const lines = summaryLines(result);
    expect(lines.find((line) => line.startsWith('peer-2'))).toMatch(/DIFFERS$/);
    expect(lines.at(-1)).toBe('not ok            1 of 2 copies differ from the original');
  });
});

describe('numbers', () => {
  test.each([
    [formatBytes(0), '0 B'],
    [formatBytes(1023), '1023 B'],
    [formatBytes(16_384), '16.0 KiB'],
    [formatBytes(1.5 * 1024 ** 3), '1.5 GiB'],
    [formatPieceLength(262_144), '256 KiB'],
    [formatRate(0.4), '-'],
    [formatRate(2048), '2.0 KiB/s'],
    [formatSeconds(7.44), '7.4 s'],
    [formatSeconds(185), '3:05 min'],
    [formatPercent(0, 10), '0 %'],
    [formatPercent(9.999, 10), '99 %'],
    [formatPercent(10, 10), '100 %'],
    [formatPercent(0, 0), '100 %'],
    [clipped('swarm', 5), 'swarm'],
    [clipped('swarms', 5), 'swar…'],
  ])('are written like %s', (text, expected) => {
    expect(text).toBe(expected);
  });

  test('columns are aligned, the first to the left', () => {
    expect(aligned([['', 'b'], ['long', '10'], ['x', '5']])).toEqual(['       b', 'long  10', 'x      5']); // prettier-ignore
  });

  test('a bar is full only when all is there', () => {
    expect(bar(999, 1000, 4)).toEqual(['███', '░']);
    expect(bar(1000, 1000, 4)).toEqual(['████', '']);
    expect(bar(0, 1000, 4)).toEqual(['', '░░░░']);
  });

  test('shared cells add up, nobody gets more than due by a cell, and whoever gave anything is seen', () => {
    const shares = fc.array(fc.nat({ max: 1_000_000 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(shares, fc.integer({ min: 12, max: 60 }), (given, width) => {
        const cells = cellsOf(given, width);
        const total = given.reduce((sum, share) => sum + share, 0);
        expect(cells.reduce((sum, cell) => sum + cell, 0)).toBe(total === 0 ? 0 : width);
        for (const [i, share] of given.entries()) {
          expect(cells[i]! > 0).toBe(share > 0);
          if (total > 0) expect(cells[i]).toBeLessThan((share / total) * width + 2);
        }
      }),
    );
  });
});
