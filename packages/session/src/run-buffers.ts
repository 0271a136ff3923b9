// Buffers for runs of blocks on their way out: each block sits behind a gap for its `piece` header, so that one read
// fills all blocks and one write sends all messages. Reused, because a seeder fills thousands a second.
import { blockLength, type Block } from '@shoal/pieces';
import { pieceHeaderLength, writePieceHeader } from '@shoal/wire';

/** Idle buffers kept: enough for several peers at full speed, little enough to forget. */
const maxIdle = 8;

export class RunBuffers {
  readonly #capacity: number;
  #idle: Uint8Array[] = [];

  constructor(maxBlocks: number) {
    this.#capacity = maxBlocks * (blockLength + pieceHeaderLength);
  }

  /** `message`: all headers in place, to be sent when `targets`, one for each block, are filled. */
  frame(blocks: readonly Block[]): { message: Uint8Array; targets: Uint8Array[] } {
    const buffer = this.#idle.pop() ?? new Uint8Array(new ArrayBuffer(this.#capacity));
    const targets: Uint8Array[] = [];
    let at = 0;
    for (const block of blocks) {
      writePieceHeader(buffer, at, block);
      at += pieceHeaderLength;
      targets.push(buffer.subarray(at, at + block.length));
      at += block.length;
    }
    return { message: buffer.subarray(0, at), targets };
  }

  /** The message left or never will: its buffer may be used again. */
  give(message: Uint8Array): void {
    if (this.#idle.length < maxIdle) this.#idle.push(new Uint8Array(message.buffer));
  }
}
