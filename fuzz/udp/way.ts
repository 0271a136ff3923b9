// The way of a datagram between a client and an answerer.
import type { RemoteInfo } from 'node:dgram';
import type { DatagramSender } from '../../packages/tracker-server/src/udp/answerer.ts';
import { expectEqual } from '../target.ts';

/** What was given to the kernel. */
export interface Sent {
  readonly bytes: Uint8Array;
  readonly port: number;
  readonly address: string;
}

export interface Way {
  /** What the answerer sends through. */
  readonly sender: DatagramSender;
  /** Carries a datagram from a client to where it is delivered. */
  receive(bytes: Uint8Array, from: RemoteInfo, deliver: (bytes: Uint8Array, from: RemoteInfo) => void): void;
  /** What the client has of an answer to its last datagram. */
  opened(sent: Sent, from: RemoteInfo): Uint8Array;
}

/** Without anybody between them. */
export class PlainWay implements Way {
  readonly sender: DatagramSender;

  constructor(kernel: DatagramSender) {
    this.sender = kernel;
  }

  receive(bytes: Uint8Array, from: RemoteInfo, deliver: (bytes: Uint8Array, from: RemoteInfo) => void): void {
    deliver(bytes, from);
  }

  opened({ bytes, port, address }: Sent, from: RemoteInfo): Uint8Array {
    expectEqual('where an answer goes', `${address} ${port}`, `${from.address} ${from.port}`);
    return bytes;
  }
}
