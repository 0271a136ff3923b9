// The matrix: which client, which direction, which content, through which tracker.
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { contents, differences, originalOf, type Content } from './contents.ts';
import { aria2 } from './peers/aria2.ts';
import { chromium } from './peers/chromium.ts';
import { libtorrent } from './peers/libtorrent.ts';
import type { Client, Peer } from './peers/peer.ts';
import { createTorrent, shoal } from './peers/shoal.ts';
import { transmission } from './peers/transmission.ts';
import { trackerClients } from './peers/tracker-clients.ts';
import { webtorrent } from './peers/webtorrent.ts';
import { webRtcInNode, type Requirement } from './requirements.ts';
import type { Scene } from './scene.ts';
import {
  bittorrentTracker,
  opentracker,
  sharedStore,
  ShoalTracker,
  type Protocol,
  type TrackerProgram,
} from './trackers.ts';

export interface Cell {
  readonly name: string;
  readonly requirements: readonly Requirement[];
  readonly timeLimitMs: number;
  /** Settles when everything was as it must be; an error says what was not. */
  run(scene: Scene): Promise<void>;
}

const limitMs = 60_000;

/** Transmission alone waits 12 s and more before it dials or is dialled. */
const transmissionLimitMs = 90_000;

const protocols: readonly Protocol[] = ['HTTP', 'UDP'];

/** All cells; those that take longest first, so that several at a time end together. */
export function matrix(): Cell[] {
  const cells = contents.map(mixedSwarm);
  for (const client of [transmission, aria2, libtorrent])
    for (const content of contents)
      for (const protocol of protocols)
        cells.push(pair(client, shoal, content, protocol), pair(shoal, client, content, protocol));
  for (const tracker of [opentracker, bittorrentTracker])
    for (const content of contents)
      for (const protocol of protocols) cells.push(foreignTracker(tracker, content, protocol));
  const [file] = contents;
  for (const from of [chromium, webtorrent])
    for (const to of [chromium, webtorrent]) cells.push(pair(from, to, file!, 'WebSocket'));
  cells.push(connectedClients(), reachableSeeders(file!), twoNodes(file!));
  return cells;
}

/** One seeder, one downloader, our tracker. */
function pair(from: Client, to: Client, content: Content, protocol: Protocol): Cell {
  return {
    name: `${from.name} to ${to.name}, ${content.name}, ${protocol}`,
    requirements: requirementsOf(from, to),
    timeLimitMs: from === transmission || to === transmission ? transmissionLimitMs : limitMs,
    async run(scene) {
      const tracker = await ShoalTracker.start(scene);
      const torrent = await torrentOf(scene, content, [tracker.announceUrl(protocol)]);
      const seeder = await startSeeder(scene, from, content, torrent);
      await tracker.knowsSeeders(1);
      const downloader = await startDownloader(scene, to, torrent);
      await downloader.complete;
      await tracker.knowsSeeders(2);
      await compareAll(scene, content, [seeder, downloader]);
      await expectProtocol(tracker, protocol);
    },
  };
}

/** Every client lets itself be looked at by a tracker that lists nobody else. */
function reachableSeeders(content: Content): Cell {
  const clients = [shoal, transmission, aria2, libtorrent];
  return {
    name: `all clients seed ${content.name}, --nat-check require`,
    requirements: requirementsOf(...clients),
    timeLimitMs: limitMs,
    async run(scene) {
      const tracker = await ShoalTracker.start(scene, '--nat-check', 'require', '--metrics', 'public');
      const torrent = await torrentOf(scene, content, [tracker.announceUrl('HTTP')]);
      // A tracker looks at public addresses alone.
      const start = (client: Client): Promise<Peer> =>
        startSeeder(scene, client, content, torrent, scene.publicAddress());
      await Promise.all(clients.map(start));
      await tracker.knowsSeeders(clients.length);
      const reachable = await tracker.reachable();
      if (reachable < clients.length) throw new Error(`only ${reachable} of ${clients.length} were looked at`);
    },
  };
}

/** Two clients of npm bittorrent-tracker, which connect to each other. */
function connectedClients(): Cell {
  return {
    name: 'npm bittorrent-tracker clients, WebSocket',
    requirements: [webRtcInNode],
    timeLimitMs: limitMs,
    async run(scene) {
      const tracker = await ShoalTracker.start(scene);
      await trackerClients(scene, tracker.announceUrl('WebSocket'));
      await expectProtocol(tracker, 'WebSocket');
    },
  };
}

/** Peers at two nodes of ours that share a store; one node is killed. */
function twoNodes(content: Content): Cell {
  return {
    name: `webtorrent to webtorrent at two nodes over Redis, ${content.name}, WebSocket`,
    requirements: requirementsOf(webtorrent, sharedStore),
    timeLimitMs: limitMs,
    async run(scene) {
      const store = await sharedStore.start(scene);
      const [one, other] = [
        await ShoalTracker.start(scene, '--store', store),
        await ShoalTracker.start(scene, '--store', store),
      ];
      const [atOne, atOther] = [
        await torrentOf(scene, content, [one.announceUrl('WebSocket')], 'one'),
        await torrentOf(scene, content, [other.announceUrl('WebSocket')], 'other'),
      ];
      const seeder = await startSeeder(scene, webtorrent, content, atOne);
      await one.knowsAnnounces(1);
      const downloader = await startDownloader(scene, webtorrent, atOther);
      await downloader.complete;
      await Promise.all([one, other].map(async (tracker) => expectProtocol(tracker, 'WebSocket', 1)));
      await one.kill();
      const late = await startDownloader(scene, webtorrent, atOther, 'late');
      await late.complete;
      await compareAll(scene, content, [seeder, downloader, late]);
    },
  };
}

/** Our client on both sides of somebody else's tracker. */
function foreignTracker(program: TrackerProgram, content: Content, protocol: Protocol): Cell {
  return {
    name: `shoal to shoal through ${program.name}, ${content.name}, ${protocol}`,
    requirements: requirementsOf(program),
    timeLimitMs: limitMs,
    async run(scene) {
      const draft = join(scene.directory, 'draft.torrent');
      const path = join(originalOf(content, scene.originals), content.entry);
      const infoHash = await createTorrent(scene, path, draft, content.pieceLength, []);
      const tracker = await program.start(scene, infoHash);
      const torrent = await torrentOf(scene, content, [tracker.announceUrl(protocol)]);
      const seeder = await startSeeder(scene, shoal, content, torrent);
      const downloader = await startDownloader(scene, shoal, torrent);
      await downloader.complete;
      await compareAll(scene, content, [seeder, downloader]);
    },
  };
}

/** An origin of ours and one downloader of each kind at once, each free to use either protocol. */
function mixedSwarm(content: Content): Cell {
  const clients = [shoal, transmission, aria2, libtorrent];
  return {
    name: `mixed swarm, ${content.name}`,
    requirements: requirementsOf(...clients),
    timeLimitMs: transmissionLimitMs,
    async run(scene) {
      const tracker = await ShoalTracker.start(scene);
      const torrent = await torrentOf(
        scene,
        content,
        protocols.map((protocol) => tracker.announceUrl(protocol)),
      );
      const seeder = await startSeeder(scene, shoal, content, torrent);
      const downloaders = await Promise.all(clients.map((client) => startDownloader(scene, client, torrent)));
      await Promise.all(downloaders.map((downloader) => downloader.complete));
      await tracker.knowsSeeders(1 + clients.length);
      await compareAll(scene, content, [seeder, ...downloaders]);
    },
  };
}

function requirementsOf(...users: readonly { readonly requirement?: Requirement }[]): Requirement[] {
  return users.flatMap(({ requirement }) => requirement ?? []);
}

async function torrentOf(
  scene: Scene,
  content: Content,
  announceUrls: readonly string[],
  name = 'content',
): Promise<string> {
  const torrent = join(scene.directory, `${name}.torrent`);
  const path = join(originalOf(content, scene.originals), content.entry);
  await createTorrent(scene, path, torrent, content.pieceLength, announceUrls);
  return torrent;
}

async function startSeeder(
  scene: Scene,
  client: Client,
  content: Content,
  torrent: string,
  address: string = scene.address(),
): Promise<Peer> {
  const directory = await scene.folder(`${client.name} seeder`);
  await cp(originalOf(content, scene.originals), directory, { recursive: true });
  return watched(await client.seed(scene, { torrent, directory, address }));
}

async function startDownloader(scene: Scene, client: Client, torrent: string, name = 'downloader'): Promise<Peer> {
  const directory = await scene.folder(`${client.name} ${name}`);
  return watched(await client.download(scene, { torrent, directory, address: scene.address() }));
}

/** When a cell fails, nobody waits for its other clients any more: their failures are no news. */
function watched(peer: Peer): Peer {
  peer.complete.catch(() => {});
  return peer;
}

/** Ends the clients, so that nothing is left in their caches, and compares the seeders' copies too. */
async function compareAll(scene: Scene, content: Content, peers: readonly Peer[]): Promise<void> {
  await Promise.all(peers.map((peer) => peer.stop()));
  for (const { directory, omitsEmptyFiles } of peers) {
    const wrong = await differences(originalOf(content, scene.originals), directory, omitsEmptyFiles);
    if (wrong.length > 0)
      throw new Error(`${wrong.length} differences in ${directory}: ${wrong.slice(0, 5).join('; ')}`);
  }
}

/** Everybody announced, and only where they were told to. */
async function expectProtocol(tracker: ShoalTracker, protocol: Protocol, least = 2): Promise<void> {
  const { http, udp, websocket } = await tracker.stats();
  const announces = { HTTP: http.announces, UDP: udp.announces, WebSocket: websocket.announces };
  const others = Object.values(announces).reduce((sum, count) => sum + count, 0) - announces[protocol];
  if (announces[protocol] < least || others > 0)
    throw new Error(`announces: ${JSON.stringify(announces)}; wanted ${protocol} only`);
}
