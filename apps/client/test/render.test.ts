import { Bitfield } from '@shoal/pieces';
import type { PeerSnapshot, TorrentSnapshot } from '@shoal/torrent';
import { describe, expect, test } from 'vitest';
import { checkPicture } from '../src/render/picture.ts';
import { table } from '../src/render/table.ts';
import {
  bar,
  counted,
  formatBytes,
  formatDuration,
  formatPercent,
  formatRate,
  shortened,
  visible,
  widthOf,
} from '../src/render/text.ts';
import { liveLines, plainLine, statusOf, transferLines } from '../src/render/transfer-lines.ts';
import { badRanges, rangesText } from '../src/verdicts.ts';

describe('numbers', () => {
  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.00 KiB'],
    [16_384, '16.0 KiB'],
    [1_610_612_736, '1.50 GiB'],
    [2 ** 60, '1024.0 PiB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test('rates are bytes per second', () => {
    expect(formatRate(1_048_576)).toBe('1.00 MiB/s');
  });

  test.each([
    [0.4, '0 s'],
    [59.4, '59 s'],
    [60, '1 min 0 s'],
    [3599, '59 min 59 s'],
    [7800, '2 h 10 min'],
    [356_400, '4 d 3 h'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });

  test.each([
    [0, 10, '0.0 %'],
    [9999, 10_000, '99.9 %'],
    [99_999, 100_000, '99.9 %'],
    [10, 10, '100.0 %'],
    [0, 0, '100.0 %'],
  ])('%d of %d is %s, and 100 only when all is there', (part, whole, text) => {
    expect(formatPercent(part, whole)).toBe(text);
  });

  test.each([
    [0, 4, '░░░░'],
    [1, 4, '█░░░'],
    [999, 1000, '███░'],
    [1000, 1000, '████'],
    [0, 0, '████'],
  ])('the bar of %d of %d is %s', (part, whole, text) => {
    expect(bar(part, whole, 4)).toBe(text);
  });

  test('one is singular', () => {
    expect([counted(0, 'peer'), counted(1, 'peer'), counted(2, 'peer')]).toEqual(['0 peers', '1 peer', '2 peers']);
  });
});

describe("strangers' words", () => {
  test.each([
    ['plain', 'plain'],
    ['\u001b[2Jgone', '?[2Jgone'],
    ['two\nlines\tand a tab\r', 'two?lines?and a tab?'],
    ['abc\u202egnp.exe', 'abc?gnp.exe'],
    ['日本 👩‍🚀', '日本 👩‍🚀'],
  ])('%j does nothing to a terminal', (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  test.each([
    ['short', 10, 'short'],
    ['exactly 10', 10, 'exactly 10'],
    ['eleven char', 10, 'eleven ch…'],
    ['日本語テキスト', 7, '日本語…'],
    ['👩‍🚀👩‍🚀👩‍🚀', 4, '👩‍🚀…'],
  ])('%s in %d columns is %s', (text, columns, shown) => {
    expect(shortened(text, columns)).toBe(shown);
    expect(widthOf(shown)).toBeLessThanOrEqual(columns);
  });
});

describe('a table', () => {
  const rows = [
    ['name', 'a\tb'],
    ['file', '日本', '5 B'],
    ['file', 'longer', '10 B'],
  ] as const;

  test('is aligned for people; what stands alone at the end of a row widens no column', () => {
    expect(table([...rows, ['magnet', 'x'.repeat(99)]], true)).toEqual([
      'name    a?b',
      'file    日本    5 B',
      'file    longer  10 B',
      `magnet  ${'x'.repeat(99)}`,
    ]);
  });

  test('is separated by tabs for pipes, of which no name has any', () => {
    expect(table(rows, false)).toEqual(['name\ta?b', 'file\t日本\t5 B', 'file\tlonger\t10 B']);
  });

  test('may be empty', () => {
    expect(table([], true)).toEqual([]);
  });
});

describe('ranges of bad pieces', () => {
  test('are inclusive and joined', () => {
    const good = new Bitfield(10);
    for (const piece of [0, 4, 5, 9]) good.add(piece);
    expect(badRanges(good, 0, 9)).toEqual([
      [1, 3],
      [6, 8],
    ]);
    expect(badRanges(good, 4, 5)).toEqual([]);
    expect(badRanges(good, 3, 6)).toEqual([
      [3, 3],
      [6, 6],
    ]);
  });

  test('are spelled out up to twenty', () => {
    expect(
      rangesText([
        [1, 3],
        [6, 6],
      ]),
    ).toBe('1-3, 6');
    const many = Array.from({ length: 23 }, (_, i) => [2 * i, 2 * i] as const);
    expect(rangesText(many)).toMatch(/36, 38, and 3 ranges more$/);
  });
});

const snapshot: TorrentSnapshot = {
  state: 'downloading',
  pieceCount: 10,
  havePieces: 4,
  checkingPieces: 0,
  wantedBytes: 10 * 1024 * 1024,
  wantedLeftBytes: 6 * 1024 * 1024,
  totalBytes: 10 * 1024 * 1024,
  leftBytes: 6 * 1024 * 1024,
  downloadedBytes: 4 * 1024 * 1024,
  uploadedBytes: 1024 * 1024,
  wastedBytes: 0,
  corruptBytes: 0,
  downloadRate: 1024 * 1024,
  uploadRate: 0,
  inEndgame: false,
  knownPeers: 1,
  peers: [],
  contributions: [],
  tracker: {},
};

const peer = (facts: Partial<PeerSnapshot>): PeerSnapshot => ({
  peer: 1,
  endpoint: { ip: '192.0.2.1', port: 1 },
  incoming: false,
  peerId: '',
  havePieces: 0,
  isSeed: false,
  amChoking: true,
  amInterested: true,
  peerChoking: true,
  peerInterested: false,
  snubbed: false,
  downloadRate: 0,
  uploadRate: 0,
  downloadedBytes: 0,
  uploadedBytes: 0,
  outstandingRequests: 0,
  queuedRequests: 0,
  ...facts,
});

describe('the status of a torrent', () => {
  test.each<[string, Partial<TorrentSnapshot>, string]>([
    ['downloads', {}, 'down 1.00 MiB/s  up 0 B/s  0 peers  6 s left'],
    ['seeds', { state: 'seeding', leftBytes: 0 }, 'seeding  up 0 B/s  0 peers  ratio 0.10'],
    ['has found nobody', { downloadRate: 0 }, 'down 0 B/s  up 0 B/s  0 peers  waiting: no peers found yet'],
    [
      'is refused by its tracker',
      { downloadRate: 0, tracker: { lastFailure: 'tracker.example: the tracker refused: \u001b[31mno' } },
      'down 0 B/s  up 0 B/s  0 peers  waiting: no peers; tracker.example: the tracker refused: ?[31mno',
    ],
    [
      'is choked',
      { downloadRate: 0, peers: [peer({})] },
      'down 0 B/s  up 0 B/s  1 peer  waiting: every peer chokes us',
    ],
    [
      'wants nothing that there is',
      { downloadRate: 0, peers: [peer({ amInterested: false })] },
      'down 0 B/s  up 0 B/s  1 peer  waiting: no peer has what is missing',
    ],
    [
      'waits for the first block',
      { downloadRate: 0, peers: [peer({ peerChoking: false })] },
      'down 0 B/s  up 0 B/s  1 peer  waiting: data is on its way',
    ],
    ['is suspended', { state: 'suspended', failure: 'disk full' }, 'suspended: disk full'],
    ['is stopped', { state: 'stopped' }, 'stopped'],
  ])('that %s says so', (_name, facts, text) => {
    expect(statusOf({ ...snapshot, ...facts })).toBe(text);
  });
});

describe('pictures', () => {
  test('a torrent is its name, a bar and its status, none wider than the terminal', () => {
    const lines = transferLines('name', snapshot, 60);
    expect(lines).toEqual([
      'name',
      `  ${bar(4, 10, 27)}  40.0 %  4.00 MiB of 10.0 MiB`,
      '  down 1.00 MiB/s  up 0 B/s  0 peers  6 s left',
    ]);
    for (const columns of [20, 40, 60, 200])
      for (const line of transferLines('a name '.repeat(30), snapshot, columns))
        expect(widthOf(line)).toBeLessThan(columns);
  });

  test('more torrents than the terminal has lines take one line each, then as many as fit', () => {
    const shown = (count: number): { name: string; snapshot: TorrentSnapshot }[] =>
      Array.from({ length: count }, (_, i) => ({ name: `t${i}`, snapshot }));
    expect(liveLines(shown(3), 80, 10)).toHaveLength(9);
    expect(liveLines(shown(4), 80, 10)).toHaveLength(4);
    const lines = liveLines(shown(20), 80, 10);
    expect(lines).toHaveLength(9);
    expect(lines.at(-1)).toBe('… and 12 more');
    expect(liveLines(shown(2), 80, 1)).toHaveLength(1);
  });

  test('a log has one line a torrent', () => {
    expect(plainLine('na\nme', snapshot)).toBe(
      'na?me: 40.0 % of 10.0 MiB  down 1.00 MiB/s  up 0 B/s  0 peers  6 s left',
    );
  });

  test('a check is a bar or a line', () => {
    const picture = checkPicture({ verb: 'checking', what: 'x\u001b', done: 1, total: 4, amount: 'of 4 pieces' });
    expect(picture.live(40, 24)).toEqual(['checking x?', `  ${bar(1, 4, 17)}  25.0 % of 4 pieces`]);
    expect(picture.plain()).toEqual(['checking x\u001b: 25.0 % of 4 pieces']);
  });
});
