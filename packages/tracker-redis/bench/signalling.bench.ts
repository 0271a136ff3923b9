// What a WebTorrent peer costs over a shared store: its announce, and an offer's way to another node. Of the store's
// processor, of ours, and per member in memory. Run: node bench/signalling.bench.ts [members] [seconds]. Starts a server of
// its own; prints figures, asserts nothing.
import { argv, cpuUsage } from 'node:process';
import { encodeMemberName } from '@shoal/tracker';
import { seededRandom } from '@shoal/tracker/testing';
import { idText } from '@shoal/tracker-protocol';
import { RedisStore } from '../src/index.ts';
import { commandOf, startRedis } from '../src/testing/redis-servers.ts';
import { memoryOf, processorOf } from './servers.ts';

const members = Number(argv[2] ?? 50_000);
const milliseconds = Number(argv[3] ?? 3) * 1000;

/** Under way at once, as a busy node has them. */
const depth = 256;

const random = seededRandom(7);
await using server = await startRedis();
await using store = new RedisStore(server.url, { random });
await store.ready();

for (const [name, torrentOf] of [
  ['swarms of five', (member: number) => Math.floor(member / 5)],
  ['one swarm', () => 0],
] as const) {
  await commandOf(server, 'FLUSHALL');
  const empty = await memoryOf([server]);
  for (let member = 0; member < members; member += 500) {
    await Promise.all(Array.from({ length: 500 }, (_, at) => announce(torrentOf, member + at, 0)));
  }
  const bytes = ((await memoryOf([server])) - empty) / members;
  console.log(`${name}: ${bytes.toFixed(0)} bytes a member`);
  await measure(`announce, 5 wanted, ${name}`, async () => announce(torrentOf, Math.floor(random() * members), 5));
}

/** Five offers of 2 KB. */
const batch = new Uint8Array(10_000);
const nodes = ['node one', 'node two'];
let arrived = 0;
const listening = nodes.map((node) => store.signalling.listen(node, () => void arrived++));
await measure('batch of 10 KB to another node', async () => {
  await store.signalling.hand(nodes[Math.floor(random() * 2)]!, batch);
});
console.log(`${arrived} batches arrived`);
for (const one of listening) one[Symbol.dispose]();

async function announce(torrentOf: (member: number) => number, member: number, want: number): Promise<void> {
  const [infoHash, peerId] = [new Uint8Array(20), new Uint8Array(20)];
  new DataView(infoHash.buffer).setUint32(0, Math.imul(torrentOf(member), 2_654_435_761));
  new DataView(peerId.buffer).setUint32(8, member);
  const name = encodeMemberName({ node: 'node one', connection: member, peerId: idText(peerId) });
  const seeding = member % 4 === 0;
  await store.signalling.announce({ infoHash, name, seeding, leaving: false, want, lifetimeMs: 270_000 });
}

async function measure(name: string, ask: () => Promise<void>): Promise<void> {
  let asked = 0;
  const [storeBefore, ownBefore, began] = [await processorOf([server]), cpuUsage(), performance.now()];
  const worker = async (): Promise<void> => {
    for (; performance.now() - began < milliseconds; asked++) await ask();
  };
  await Promise.all(Array.from({ length: depth }, worker));
  const own = cpuUsage(ownBefore);
  const storeMicros = ((await processorOf([server])) - storeBefore) * 1e6;
  const columns = {
    'a second': Math.round((asked * 1000) / (performance.now() - began)),
    'µs of the store': (storeMicros / asked).toFixed(1),
    'µs of the tracker': ((own.user + own.system) / asked).toFixed(1),
  };
  const text = Object.entries(columns).map(([title, value]) => `${title} ${value}`);
  console.log(`${name}: ${text.join('   ')}`);
}
