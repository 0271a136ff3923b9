import { expect, test } from 'vitest';
import { PeerTable } from '../src/memory/peer-table.ts';

const peerId = new Uint8Array(20);

function tableOf(): PeerTable {
  return new PeerTable(false);
}

/** Adds peer number `host`; its record number says how many records were in use. */
function add(table: PeerTable, host: number, second: number): number {
  return table.add(1, host, 0, peerId, second);
}

test('seconds in which nobody is left leave no marker behind, however long peers stay', () => {
  const table = tableOf();
  const peers = [add(table, 0, 0), add(table, 1, 0), add(table, 2, 0)];
  for (let second = 1; second < 10_000; second++) {
    table.touch(peers[second % 3]!, peerId, second);
    // Whoever was touched two seconds ago, or has not been yet.
    expect(table.oldestSecond).toBe(Math.max(0, second - 2));
  }
  // Three peers, three markers, and one that was made before another went.
  expect(add(table, 3, 10_000)).toBeLessThan(7);
  for (const peer of peers) table.remove(peer);
  expect(table.oldestSecond).toBe(10_000);
});

test('a peer that is heard of again after the last second lost its only peer gets a second of its own', () => {
  const table = tableOf();
  const first = add(table, 0, 5);
  const second = add(table, 1, 9);
  table.remove(second);
  const third = add(table, 2, 9);
  expect([table.oldest, table.oldestSecond]).toEqual([first, 5]);
  table.remove(first);
  expect([table.oldest, table.oldestSecond]).toEqual([third, 9]);
  table.remove(third);
  expect(table.oldest).toBe(-1);
});

test('a peer that is heard of in the second of one that has just left is as young as that', () => {
  const table = tableOf();
  const first = add(table, 0, 5);
  table.remove(add(table, 1, 9));
  table.touch(first, peerId, 9);
  expect([table.oldest, table.oldestSecond]).toEqual([first, 9]);
});
