// Torrents of sizes that nobody wants to hash: the hashes are random, so the content can only be missing. And a thousand
// small ones whose content is there.
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type BencodeInput, encode } from '@shoal/bencode';
import { encodeMetainfo } from '@shoal/metainfo';

const hashLength = 20;

export interface Shape {
  readonly name: string;
  readonly length: number;
  readonly pieceLength: number;
  /** Equal files in folders of a hundred; one file when it is 1. */
  readonly files: number;
}

export const pieceCountOf = ({ length, pieceLength }: Shape): number => Math.ceil(length / pieceLength);

/** A .torrent file of content that nobody has. */
export function imaginaryTorrent(shape: Shape, announce: string): Uint8Array {
  const { name, length, pieceLength, files } = shape;
  const content: Record<string, BencodeInput> =
    files === 1
      ? { length }
      : {
          files: Array.from({ length: files }, (_, index) => ({
            length: length / files,
            path: [`folder-${Math.floor(index / 100)}`, `file-${index}.bin`],
          })),
        };
  const pieces = new Uint8Array(randomBytes(pieceCountOf(shape) * hashLength));
  return encodeMetainfo(encode({ name, 'piece length': pieceLength, pieces, ...content }), {
    announceTiers: [[announce]],
  });
}

/** Bytes of each of the small torrents: three pieces, the last one short. */
const smallLength = 40_000;
const smallPieceLength = 16_384;

/** Writes `count` distinct torrents to `folder/torrents` and their content to `folder/content`. */
export function writeSmallTorrents(folder: string, count: number, announce: string): void {
  for (const name of ['torrents', 'content']) mkdirSync(path.join(folder, name), { recursive: true });
  for (let index = 0; index < count; index++) {
    const name = `small-${index}.bin`;
    const content = randomBytes(smallLength);
    const hashes: Buffer[] = [];
    for (let at = 0; at < smallLength; at += smallPieceLength)
      hashes.push(
        createHash('sha1')
          .update(content.subarray(at, at + smallPieceLength))
          .digest(),
      );
    const info = encode({ name, length: smallLength, 'piece length': smallPieceLength, pieces: Buffer.concat(hashes) });
    writeFileSync(path.join(folder, 'content', name), content);
    writeFileSync(
      path.join(folder, 'torrents', `${name}.torrent`),
      encodeMetainfo(info, { announceTiers: [[announce]] }),
    );
  }
}
