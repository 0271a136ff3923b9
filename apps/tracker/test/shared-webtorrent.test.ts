// WebTorrent peers at two trackers that share a cluster of three masters: what they are told, and that they meet. Real
// clients do the same in the interoperation suite (apps/lab/interop).
import { once } from 'node:events';
import { decode } from '@shoal/bencode';
import {
  type SignalAnnounce,
  type SignalReply,
  type SignalRequest,
  decodeSignalReply,
  encodeSignalRequest,
  idText,
  percentEncode,
} from '@shoal/tracker-protocol';
import { serverProgram, startCluster, startRedis } from '@shoal/tracker-redis/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Run } from './running-command.ts';

interface Node {
  readonly run: Run;
  readonly http: string;
}

async function startNode({ url }: { readonly url: string }): Promise<Node> {
  const words = ['--http', '127.0.0.1:0', '--udp', 'off', '--store', url, '--log-level', 'error', '--json'];
  const run = new Run('serve', ...words);
  onTestFinished(() => run[Symbol.asyncDispose]());
  const { http } = await run.event();
  return { run, http: String(http) };
}

/** A WebTorrent peer as far as its tracker sees it. */
class Peer {
  readonly #socket: WebSocket;
  readonly #replies: SignalReply[] = [];
  #heard: PromiseWithResolvers<void> = Promise.withResolvers();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      this.#replies.push(decodeSignalReply(String(data)));
      this.#heard.resolve();
      this.#heard = Promise.withResolvers();
    });
  }

  static async at({ http }: Node): Promise<Peer> {
    const socket = new WebSocket(http.replace('http', 'ws'));
    onTestFinished(() => socket.close());
    await once(socket, 'open');
    return new Peer(socket);
  }

  send(request: SignalRequest): void {
    this.#socket.send(encodeSignalRequest(request));
  }

  /** The first message not taken yet that tells of `what`. */
  async next(what: 'counts' | 'offer' | 'answer'): Promise<SignalReply> {
    const action = what === 'counts' ? 'announce' : what;
    for (;;) {
      const at = this.#replies.findIndex((reply) => reply.action === action);
      if (at >= 0) return this.#replies.splice(at, 1)[0]!;
      await this.#heard.promise;
    }
  }

  /** Seeders and leechers that it is told. */
  async announce(peer: number, more: Partial<SignalAnnounce> = {}): Promise<readonly [number, number]> {
    this.send({
      action: 'announce',
      infoHash,
      peerId: idOf(peer),
      uploaded: 0,
      downloaded: 0,
      left: 1,
      event: 'none',
      offers: [],
      ...more,
    });
    const reply = await this.next('counts');
    return reply.action === 'announce' ? [reply.complete, reply.incomplete] : [-1, -1];
  }
}

/** Seeders and leechers by a scrape over HTTP. */
async function scraped({ http }: Node): Promise<unknown[]> {
  const response = await fetch(`${http}/scrape?info_hash=${percentEncode(Buffer.from(infoHash, 'latin1'))}`);
  const { files } = Object.fromEntries(decode(new Uint8Array(await response.arrayBuffer())) as Map<string, unknown>);
  const [counts] = (files as Map<string, Map<string, unknown>>).values();
  return [counts?.get('complete'), counts?.get('incomplete')];
}

const idOf = (byte: number): string => idText(new Uint8Array(20).fill(byte));
const infoHash = idOf(200);
const offersOf = (...bytes: number[]): SignalAnnounce['offers'] =>
  bytes.map((byte) => ({ offerId: idOf(byte), sdp: `offer ${byte}` }));

describe.skipIf(serverProgram() === undefined)(
  'needs redis-server or valkey-server: WebTorrent peers at two nodes',
  () => {
    test('are one swarm; one node is killed, its peers vanish, and those at the other go on', async () => {
      await using cluster = await startCluster();
      const [a, b] = [await startNode(cluster), await startNode(cluster)];
      const [one, other, third] = [await Peer.at(a), await Peer.at(b), await Peer.at(b)];
      expect(await one.announce(1, { left: 0 })).toEqual([1, 0]);
      expect(await other.announce(2, { offers: offersOf(5) })).toEqual([1, 1]);
      expect(await one.next('offer')).toMatchObject({ peerId: idOf(2), offerId: idOf(5), sdp: 'offer 5' });
      one.send({ action: 'answer', infoHash, peerId: idOf(1), toPeerId: idOf(2), offerId: idOf(5), sdp: 'answer 5' });
      expect(await other.next('answer')).toMatchObject({ peerId: idOf(1), offerId: idOf(5), sdp: 'answer 5' });
      expect(await one.announce(1, { left: 0 })).toEqual([1, 1]);
      for (const node of [a, b]) expect(await scraped(node)).toEqual([1, 1]);

      await a.run.end('SIGKILL');
      let offer = 10;
      const told = async (): Promise<readonly number[]> => other.announce(2, { offers: offersOf(++offer) });
      await expect.poll(told, { timeout: 15_000, interval: 100 }).toEqual([0, 1]);
      expect(await third.announce(3, { offers: offersOf(9) })).toEqual([0, 2]);
      expect(await other.next('offer')).toMatchObject({ peerId: idOf(3), offerId: idOf(9) });
    });

    test('meet those of their own node while the store is away, and all when it is back', async () => {
      await using store = await startRedis();
      const [a, b] = [await startNode(store), await startNode(store)];
      const [one, near, far] = [await Peer.at(a), await Peer.at(a), await Peer.at(b)];
      await far.announce(3);
      expect(await one.announce(1)).toEqual([0, 2]);
      await store.stop();
      expect(await near.announce(2, { offers: offersOf(5) })).toEqual([0, 2]);
      expect(await one.next('offer')).toMatchObject({ peerId: idOf(2), offerId: idOf(5) });
      one.send({ action: 'answer', infoHash, peerId: idOf(1), toPeerId: idOf(2), offerId: idOf(5), sdp: 'answer 5' });
      expect(await near.next('answer')).toMatchObject({ peerId: idOf(1), sdp: 'answer 5' });

      // It comes back empty, and has everybody after an interval.
      await store.start();
      const counted = async (): Promise<readonly (readonly number[])[]> => [
        await one.announce(1),
        await near.announce(2),
        await far.announce(3),
      ];
      await expect.poll(counted, { timeout: 10_000, interval: 100 }).toEqual([0, 1, 2].map(() => [0, 3]));
      await far.announce(3, { offers: offersOf(7, 8) });
      for (const peer of [one, near]) expect(await peer.next('offer')).toMatchObject({ peerId: idOf(3) });
    });
  },
);
