// A connection of a host whose other end the test plays, by hand.
import type { Block } from '@shoal/pieces';
import { decodeMessage, encodeHandshake, encodeMessage, type PeerMessage } from '@shoal/wire';
import { contentAt, type Host, idOf, infoHash, type World } from './harness.ts';

export class Remote {
  readonly #world: World;
  readonly #host: Host;
  readonly #peer: number;
  readonly #received: Uint8Array[] = [];
  /** Requests heard and not answered. */
  readonly #asked: Block[] = [];
  /** Pieces of which anything was requested so far, of what was heard. */
  readonly askedPieces: Set<number> = new Set();

  constructor(
    world: World,
    host: Host,
    peer: number,
    options: { readonly fast?: boolean; readonly reqq?: number } = {},
  ) {
    this.#world = world;
    this.#host = host;
    this.#peer = peer;
    const endpoint = { ip: `10.9.9.${peer}`, port: 5000 };
    world.onSent(host, peer, (bytes) => this.#received.push(bytes));
    host.handle({ type: 'peer-connected', peer, endpoint, incoming: true }, world.now);
    this.#bytes(
      encodeHandshake({
        infoHash,
        peerId: idOf(peer),
        fast: options.fast ?? false,
        extended: options.reqq !== undefined,
      }),
    );
    if (options.reqq === undefined) return;
    const payload = new TextEncoder().encode(`d1:mde4:reqqi${options.reqq}ee`);
    this.say({ type: 'extended', id: 0, payload });
  }

  say(...messages: readonly PeerMessage[]): void {
    for (const message of messages) this.#bytes(encodeMessage(message));
  }

  /** A right block, whether asked for or not. */
  sendBlock(piece: number, begin: number, length: number = 16_384): void {
    const from = piece * this.#host.geometry.pieceLength + begin;
    this.say({ type: 'piece', piece, begin, data: Uint8Array.from({ length }, (_, at) => contentAt(from + at)) });
  }

  /** Answers the oldest request that was heard; false when there is none. */
  answerOldest(): boolean {
    this.heard();
    const request = this.#asked.shift();
    if (request === undefined) return false;
    this.sendBlock(request.piece, request.begin, request.length);
    return true;
  }

  /** What the host has sent to this end since last asked, without its handshake. */
  heard(): PeerMessage[] {
    const mine = this.#host.sent.filter(({ peer }) => peer === this.#peer);
    for (const sent of mine) this.#host.sent.splice(this.#host.sent.indexOf(sent), 1);
    const bytes = Buffer.concat([...this.#received.splice(0), ...mine.map((sent) => sent.bytes)]);
    const messages: PeerMessage[] = [];
    for (let at = bytes[0] === 19 ? 68 : 0; at < bytes.length;) {
      const end = at + 4 + bytes.readUInt32BE(at);
      const message = decodeMessage(new Uint8Array(bytes.subarray(at, end)));
      messages.push(message);
      at = end;
      if (message.type === 'cancel') this.#forget(message);
      if (message.type !== 'request') continue;
      this.#asked.push(message);
      this.askedPieces.add(message.piece);
    }
    return messages;
  }

  #forget({ piece, begin }: Block): void {
    const index = this.#asked.findIndex((asked) => asked.piece === piece && asked.begin === begin);
    if (index >= 0) this.#asked.splice(index, 1);
  }

  #bytes(bytes: Uint8Array): void {
    this.#host.handle(
      { type: 'bytes-received', peer: this.#peer, chunk: bytes, start: 0, end: bytes.length },
      this.#world.now,
    );
  }
}
