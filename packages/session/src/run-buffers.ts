// Buffers for runs of blocks on their way out: each block sits behind a gap for its `piece` header, so that one read
// fills all blocks and one write sends all messages. Reused, because a seeder fills thousands a second; of several sizes,
// because in a swarm of downloaders most runs are a block or two, and there are a hundred on their way.
import { blockLength, type Block } from '@shoal/pieces';
import { pieceHeaderLength, writePieceHeader } from '@shoal/wire';

/** Bytes of idle buffers kept: eight of the longest runs, enough for several peers at full speed, little enough to forget. */
const maxIdleBytes = 8 * 32 * (blockLength + pieceHeaderLength);

export class RunBuffers {
  /** By size: a place for 2^index framed blocks. */
  readonly #idle: Uint8Array<ArrayBuffer>[][] = [];
  #idleBytes = 0;

  /** Bytes of the buffers that wait to be used again. */
  get idleBytes(): number {
    return this.#idleBytes;
  }

  /** `message`: all headers in place, to be sent when `targets`, one for each block, are filled. */
  frame(blocks: readonly Block[]): { message: Uint8Array; targets: Uint8Array[] } {
    let length = 0;
    for (const block of blocks) length += pieceHeaderLength + block.length;
    const buffer = this.#take(sizeOf(length));
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
    const { buffer } = message;
    if (!(buffer instanceof ArrayBuffer) || this.#idleBytes + buffer.byteLength > maxIdleBytes) return;
    this.#idleBytes += buffer.byteLength;
    (this.#idle[sizeOf(buffer.byteLength)] ??= []).push(new Uint8Array(buffer));
  }

  #take(size: number): Uint8Array<ArrayBuffer> {
    const idle = this.#idle[size]?.pop();
    if (idle === undefined) return new Uint8Array((blockLength + pieceHeaderLength) * 2 ** size);
    this.#idleBytes -= idle.length;
    return idle;
  }
}

/** The least n for which 2^n framed blocks take so many bytes. */
function sizeOf(bytes: number): number {
  const blocks = Math.ceil(bytes / (blockLength + pieceHeaderLength));
  return blocks <= 1 ? 0 : 32 - Math.clz32(blocks - 1);
}
