import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MemoryStore, PeerSample } from '@shoal/tracker';
import { loadSnapshot, saveSnapshot } from '@shoal/tracker-server';

const lifetime = 2_700_000;
const clock = (): number => 1e9 + performance.now();

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-snapshot-'));
  file = join(folder, 'swarms');
});
afterEach(() => rm(folder, { recursive: true }));

/** A store with so many peers, of which two share a torrent. */
function storeOf(peers: number): MemoryStore {
  const store = new MemoryStore({ random: Math.random });
  const sample = new PeerSample(1);
  for (let peer = 0; peer < peers; peer++) announce(store, sample, peer, clock());
  return store;
}

function announce(store: MemoryStore, sample: PeerSample, peer: number, now: number): void {
  const infoHash = new Uint8Array(20);
  new DataView(infoHash.buffer).setUint32(0, peer >>> 1);
  const address = Uint8Array.of(10, peer >>> 16, peer >>> 8, peer);
  const role = { seeding: peer % 3 === 0, partial: false, leaving: false } as const;
  const answer = { want: 1, families: 'both', withPeerIds: false, since: undefined } as const;
  const who = { infoHash, address, port: 6881, peerId: new Uint8Array(20).fill(peer), key: 0, formerly: undefined };
  store.announce({ ...who, ...role, ...answer, listing: 'public' }, sample, now);
}

describe('a snapshot in a file', () => {
  test('gives a new store the same swarms', async () => {
    const store = storeOf(3000);
    const saved = await saveSnapshot(store, file, { clock });
    expect(saved).toMatchObject({ entries: 3000, bytes: (await readFile(file)).length });
    const copy = new MemoryStore({ random: Math.random });
    expect(await loadSnapshot(copy, file, lifetime, clock)).toEqual({
      peers: 3000,
      expired: 0,
      unlisted: 0,
      problem: undefined,
    });
    expect(copy.totals).toEqual(store.totals);
    expect(await readdir(folder)).toEqual(['swarms']);
  });

  test('has who was heard of, and who came, while it was written', async () => {
    const store = storeOf(3000);
    const sample = new PeerSample(1);
    const saving = saveSnapshot(store, file, { clock });
    const later = Array.from({ length: 50 }, async (_, index) => {
      await new Promise((resolve) => setImmediate(resolve));
      announce(store, sample, 3000 + index, clock());
      announce(store, sample, index, clock());
    });
    await Promise.all([saving, ...later]);
    const copy = new MemoryStore({ random: Math.random });
    await loadSnapshot(copy, file, lifetime, clock);
    expect(copy.totals.ipv4Peers).toBeGreaterThanOrEqual(3000);
    expect(copy.totals.ipv4Peers).toBeLessThanOrEqual(store.totals.ipv4Peers);
  });

  test('that is damaged or cut off anywhere gives what stands before that, and says so', async () => {
    const store = storeOf(3000);
    await saveSnapshot(store, file, { clock });
    const whole = await readFile(file);
    for (const [at, blocks] of [
      [20, 0],
      [40_000, 0],
      [70_000, 1],
      [whole.length - 1, 3],
    ] as const) {
      const damaged = Uint8Array.from(whole);
      damaged[at]! ^= 1;
      await writeFile(file, damaged);
      const one = new MemoryStore({ random: Math.random });
      const found = await loadSnapshot(one, file, lifetime, clock);
      expect(found).toMatchObject({ problem: expect.stringMatching(/^is (damaged|cut off) at block \d$/) as string });
      await writeFile(file, whole.subarray(0, at));
      const other = new MemoryStore({ random: Math.random });
      expect(await loadSnapshot(other, file, lifetime, clock)).toMatchObject({
        problem: `is cut off at block ${blocks + 1}`,
      });
      // 65,536 / 55 peers a block.
      for (const { totals } of [one, other]) expect(totals.ipv4Peers).toBe(Math.min(3000, blocks * 1191));
    }
  });

  test('of another version is refused by its name, and so is what is no snapshot', async () => {
    const store = storeOf(1);
    await saveSnapshot(store, file, { clock });
    const bytes = await readFile(file);
    bytes[11] = 9;
    await writeFile(file, bytes);
    expect(await loadSnapshot(store, file, lifetime, clock)).toBe(
      'is a snapshot of version 9, and this program reads version 1',
    );
    await writeFile(file, 'something else altogether');
    expect(await loadSnapshot(store, file, lifetime, clock)).toBe('is no snapshot of swarms');
  });

  test('stays as it was when the next one is not finished', async () => {
    const store = storeOf(10);
    await saveSnapshot(store, file, { clock });
    const before = await readFile(file);
    await expect(saveSnapshot(storeOf(3000), file, { clock, signal: AbortSignal.abort() })).rejects.toThrow('abort');
    expect(await readFile(file)).toEqual(before);
    expect(await readdir(folder)).toEqual(['swarms']);
  });
});
