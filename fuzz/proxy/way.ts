// Datagrams that a proxy forwards, and the answers that must come back to it: behind a PROXY header as they are, behind a
// simple one with that header before them. proxy-protocol.txt of HAProxy; developers.cloudflare.com, "Simple Proxy Protocol Header".
import type { RemoteInfo } from 'node:dgram';
import type { DatagramSender } from '../../packages/tracker-server/src/udp/answerer.ts';
import { ProxiedDatagrams } from '../../packages/tracker-server/src/proxy-protocol/proxied-datagrams.ts';
import { Dice } from '../random.ts';
import { expectEqual, expectThat } from '../target.ts';
import { sources } from '../world.ts';
import { hex } from '../model.ts';
import type { Sent, Way } from '../udp/way.ts';
import { someHeader } from './headers.ts';

const proxy = { address: '192.0.2.99', family: 'IPv4', port: 4242 } as const;
const simpleMagic = [0x56, 0xec];

export class ProxyWay implements Way {
  readonly #proxied: ProxiedDatagrams;
  readonly #dice: Dice;
  readonly #kernel: DatagramSender;
  /** What must stand before the answer. */
  #head: Uint8Array = new Uint8Array();
  #isForwarded = false;

  constructor(kernel: DatagramSender, seed: number) {
    this.#kernel = kernel;
    this.#dice = new Dice(seed);
    this.#proxied = new ProxiedDatagrams(kernel, { sendsHeader: (address) => address === proxy.address });
  }

  get sender(): DatagramSender {
    return this.#proxied;
  }

  receive(bytes: Uint8Array, from: RemoteInfo, deliver: (bytes: Uint8Array, from: RemoteInfo) => void): void {
    this.#judgeWrong(bytes);
    this.#head = new Uint8Array();
    // Who has a zone has no address that could be forwarded.
    this.#isForwarded = this.#dice.chance(0.7) && !from.address.includes('%');
    if (!this.#isForwarded) {
      expectThat(this.#proxied.receive(bytes, from, deliver), 'a datagram without a header is taken for one with');
      return;
    }
    const header = this.#headerOf(from);
    const size = header.length + bytes.length;
    const isTaken = this.#proxied.receive(joined(header, bytes), { ...proxy, size }, (inner, client) => {
      expectEqual('what was forwarded', hex(inner), hex(bytes));
      expectEqual('port of whom it was forwarded for', client.port, from.port);
      deliver(inner, client);
    });
    expectThat(isTaken, 'a datagram with a header is not taken');
  }

  opened({ bytes, port, address }: Sent, from: RemoteInfo): Uint8Array {
    const to = this.#isForwarded ? proxy : from;
    expectEqual('where an answer goes', `${address} ${port}`, `${to.address} ${to.port}`);
    expectEqual('what stands before an answer', hex(bytes.subarray(0, this.#head.length)), hex(this.#head));
    return bytes.subarray(this.#head.length);
  }

  getSendQueueCount(): number {
    return this.#kernel.getSendQueueCount();
  }

  /** What a proxy says wrong, or for itself, is for nobody. */
  #judgeWrong(bytes: Uint8Array): void {
    if (this.#dice.chance(0.8)) return;
    const { bytes: header, source, kind } = someHeader(this.#dice, 2);
    if (typeof source === 'number') return;
    const all = joined(header, bytes);
    const isTaken = this.#proxied.receive(all, { ...proxy, size: all.length }, () => {
      expectThat(false, `what stands behind a header (${kind}) is delivered`);
    });
    expectThat(!isTaken, `a header (${kind}) names somebody`);
  }

  #headerOf({ address, port }: RemoteInfo): Uint8Array {
    const { canonical } = sources.find(({ text }) => text === address)!;
    if (this.#dice.chance(0.5)) {
      const mapped = canonical.length === 8 ? `${'0'.repeat(20)}ffff${canonical}` : canonical;
      const head = [...simpleMagic, ...Buffer.from(mapped, 'hex'), ...this.#dice.bytes(16), port >> 8, port & 255];
      this.#head = Uint8Array.from([...head, ...this.#dice.bytes(2)]);
      return this.#head;
    }
    for (;;) {
      const header = someHeader(this.#dice, 2);
      if (typeof header.source !== 'number') continue;
      const named = sources[header.source]!;
      if (named.canonical.length !== canonical.length) continue;
      // The same header for another client.
      const bytes = header.bytes.slice();
      const width = canonical.length / 2;
      bytes.set(Buffer.from(canonical, 'hex'), 16);
      bytes.set([port >> 8, port & 255], 16 + 2 * width);
      return bytes;
    }
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  return Uint8Array.from(Buffer.concat([one, other]));
}
