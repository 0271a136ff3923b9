// Where the answers of a socket leave: through the socket, and once that was left to another process, by way of that one.
import type { Socket } from 'node:dgram';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DatagramSender } from './answerer.ts';

/** A datagram on its way out. */
export interface OutgoingDatagram {
  readonly bytes: Uint8Array;
  readonly port: number;
  readonly address: string;
}

/** Takes datagrams that another socket shall send. */
export type Relay = (datagram: OutgoingDatagram) => void;

export class Outlet implements DatagramSender {
  readonly #socket: Socket;
  /** Whether another process made the socket: then it looks addresses up, numeric or not, in a later turn. */
  readonly #isInherited: boolean;
  #relay: Relay | undefined;
  #isOpen = true;
  /** Datagrams whose addresses are looked up. */
  #lookedUp = 0;

  constructor(socket: Socket, isInherited: boolean) {
    this.#socket = socket;
    this.#isInherited = isInherited;
  }

  send(bytes: Uint8Array, port: number, address: string): void {
    if (this.#relay !== undefined) this.#relay({ bytes: bytes.slice(), port, address });
    else if (!this.#isOpen) return;
    else if (this.#isInherited) this.#sendCopy(bytes.slice(), port, address);
    else this.#socket.send(bytes, port, address);
  }

  getSendQueueCount(): number {
    // A closed socket cannot be asked, and an answer may come as late as it likes.
    return this.#isOpen ? this.#socket.getSendQueueCount() : 0;
  }

  /** From now on datagrams go another way. */
  divert(relay: Relay): void {
    this.#relay = relay;
  }

  /** Resolves when the kernel has all that was sent, or after `limitMs`. */
  async emptied(limitMs: number): Promise<void> {
    const endsAt = performance.now() + limitMs;
    while (this.#lookedUp + this.getSendQueueCount() > 0 && performance.now() < endsAt) await nextTurn();
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  /** Until the address is there the bytes stay as they are. */
  #sendCopy(copy: Uint8Array, port: number, address: string): void {
    this.#lookedUp++;
    this.#socket.send(copy, port, address, () => void this.#lookedUp--);
  }
}
