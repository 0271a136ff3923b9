// One UDP socket and the transactions that wait on it. Believes a datagram only when it comes from the tracker asked,
// with the transaction's id and an action that answers it; all else is dropped in silence. BEP 15.
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';
import { canonicalIp, decodeUdpReply, udpTransactionId } from '@shoal/tracker-protocol';
import type { IpFamily, UdpReply } from '@shoal/tracker-protocol';

export interface UdpPeer {
  /** Canonical text. */
  readonly address: string;
  readonly family: IpFamily;
  readonly port: number;
}

export interface Transaction {
  readonly id: number;
  readonly peer: UdpPeer;
  /** The action that answers it; an error always does. */
  readonly action: UdpReply['action'];
  readonly minimumInterval: number | undefined;
  readonly resolve: (reply: UdpReply) => void;
  readonly reject: (cause: unknown) => void;
}

export class UdpSocket {
  readonly #socket: Socket;
  readonly #family: IpFamily;
  readonly #waiting = new Map<number, Transaction>();

  private constructor(socket: Socket, family: IpFamily) {
    this.#socket = socket;
    this.#family = family;
    socket.on('message', (bytes, from) => this.#receive(bytes, from));
    // Without a listener an error would end the process; the transactions that wait learn of it.
    socket.on('error', (cause) => this.#rejectAll(cause));
    // Idle, it keeps no process alive.
    socket.unref();
  }

  static async open(family: IpFamily, localAddress: string | undefined): Promise<UdpSocket> {
    const socket = createSocket({ type: family === 6 ? 'udp6' : 'udp4', ipv6Only: family === 6 });
    const listening = once(socket, 'listening');
    socket.bind(localAddress === undefined ? {} : { address: localAddress });
    try {
      await listening;
    } catch (error) {
      socket.close();
      throw error;
    }
    return new UdpSocket(socket, family);
  }

  /** Begins a transaction under an id that nobody can guess and no other uses. */
  begin(transaction: Omit<Transaction, 'id'>): Transaction {
    let id = randomInt(idLimit);
    while (this.#waiting.has(id)) id = randomInt(idLimit);
    const begun = { ...transaction, id };
    this.#waiting.set(id, begun);
    this.#socket.ref();
    return begun;
  }

  /** Ends a transaction; a later answer to it is dropped. */
  end(transaction: Transaction): void {
    this.#waiting.delete(transaction.id);
    if (this.#waiting.size === 0) this.#socket.unref();
  }

  send(transaction: Transaction, bytes: Uint8Array): void {
    const { peer } = transaction;
    this.#socket.send(bytes, peer.port, peer.address, (error) => {
      if (error) transaction.reject(error);
    });
  }

  async close(): Promise<void> {
    this.#rejectAll(new Error('The UDP client was closed'));
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #receive(bytes: Uint8Array, from: RemoteInfo): void {
    const id = udpTransactionId(bytes);
    const transaction = id === undefined ? undefined : this.#waiting.get(id);
    if (transaction === undefined || !isFrom(transaction.peer, from)) return;
    const { minimumInterval } = transaction;
    const reply = decodeUdpReply(bytes, this.#family, minimumInterval === undefined ? {} : { minimumInterval });
    if (reply?.action === transaction.action || reply?.action === 'error') transaction.resolve(reply);
  }

  #rejectAll(cause: Error): void {
    for (const transaction of this.#waiting.values()) transaction.reject(cause);
  }
}

function isFrom(peer: UdpPeer, from: RemoteInfo): boolean {
  // Link-local addresses arrive with their interface: fe80::1%eth0.
  return from.port === peer.port && canonicalIp(from.address.split('%', 1)[0]!) === peer.address;
}

const idLimit = 2 ** 32;
