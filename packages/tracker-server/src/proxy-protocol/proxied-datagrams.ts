// Datagrams of proxies that say whom they forward: taken out of their wrapping on the way in, and answers sent back the
// way they came. Datagrams of everybody else go by untouched. Answers find their way by the client's address and port, on
// the way that its last datagram took: who is a proxy may change.
import type { RemoteInfo } from 'node:dgram';
import { parseIp } from '@shoal/tracker-protocol';
import type { ProxyJudge } from './connections.ts';
import { readProxiedDatagram } from './datagrams.ts';

/** Ways back that are remembered, at about 300 bytes; answers mostly leave before the next datagram comes. */
const mostWays = 4096;

/** What is used of a socket. */
export interface DatagramSocket {
  send(bytes: Uint8Array, port: number, address: string): void;
  getSendQueueCount(): number;
}

interface Way {
  readonly port: number;
  readonly address: string;
  readonly head: Uint8Array;
}

/** A socket as though clients sent to it themselves. */
export class ProxiedDatagrams implements DatagramSocket {
  readonly #socket: DatagramSocket;
  readonly #judge: ProxyJudge;
  readonly #ways = new Map<string, Way>();

  constructor(socket: DatagramSocket, judge: ProxyJudge) {
    this.#socket = socket;
    this.#judge = judge;
  }

  /** Hands on what the client sent, and who that is; false when a proxy did not say: then there is nothing to answer. */
  receive(bytes: Uint8Array, from: RemoteInfo, deliver: (bytes: Uint8Array, from: RemoteInfo) => void): boolean {
    if (!this.#judge.sendsHeader(from.address)) {
      if (this.#ways.size > 0) this.#ways.delete(nameOf(from.address, from.port));
      deliver(bytes, from);
      return true;
    }
    const datagram = readProxiedDatagram(bytes);
    if (datagram === undefined) return false;
    const { source, start, answerHead } = datagram;
    this.#remember(nameOf(source.ip, source.port), { port: from.port, address: from.address, head: answerHead });
    const family = parseIp(source.ip)?.length === 4 ? 'IPv4' : 'IPv6';
    deliver(bytes.subarray(start), { address: source.ip, port: source.port, family, size: bytes.length - start });
    return true;
  }

  send(bytes: Uint8Array, port: number, address: string): void {
    const way = this.#ways.size === 0 ? undefined : this.#ways.get(nameOf(address, port));
    if (way === undefined) this.#socket.send(bytes, port, address);
    else this.#socket.send(way.head.length === 0 ? bytes : Buffer.concat([way.head, bytes]), way.port, way.address);
  }

  getSendQueueCount(): number {
    return this.#socket.getSendQueueCount();
  }

  #remember(client: string, way: Way): void {
    this.#ways.delete(client);
    this.#ways.set(client, way);
    if (this.#ways.size > mostWays) this.#ways.delete(this.#ways.keys().next().value!);
  }
}

function nameOf(address: string, port: number): string {
  return `${address} ${port}`;
}
