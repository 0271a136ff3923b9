// Which files of a torrent are wanted, and how much: turns the priorities of files into those of pieces. A piece that
// touches several files is as urgent as the most urgent of them. Pure; must not know peers, disks or who decided.
import { type FileMap, type Geometry, pieceLengthAt } from '@shoal/pieces';

export const filePriorityNames = ['skip', 'low', 'normal', 'high'] as const;
export type FilePriority = (typeof filePriorityNames)[number];

/** A file as the selection sees it. */
export interface SelectableFile {
  readonly length: number;
  readonly isPadding: boolean;
}

/** What the picker makes of them (0 to 7); the places in between are for files that are nearly done. */
const levels: Readonly<Record<FilePriority, number>> = { skip: 0, low: 1, normal: 4, high: 7 };

export interface FileSelectionOptions {
  readonly map: FileMap;
  readonly geometry: Geometry;
  readonly files: readonly SelectableFile[];
  /** One for each file. */
  readonly priorities: readonly FilePriority[];
  /** Prefer files that are near completion. */
  readonly finishFilesFirst: boolean;
}

export class FileSelection {
  readonly #options: FileSelectionOptions;
  #priorities: readonly FilePriority[];
  /** Bytes missing of each file. */
  readonly #left: number[];
  readonly #nearlyDone = new Set<number>();

  /** @throws RangeError when there is not one priority for each file. */
  constructor(options: FileSelectionOptions) {
    this.#options = options;
    this.#priorities = [...options.priorities];
    this.#left = options.files.map((file) => file.length);
    if (options.priorities.length !== options.files.length)
      throw new RangeError(`${options.priorities.length} priorities for ${options.files.length} files`);
  }

  get priorities(): readonly FilePriority[] {
    return this.#priorities;
  }

  /** One for each file. */
  set priorities(priorities: readonly FilePriority[]) {
    this.#priorities = priorities;
  }

  /** Nothing is skipped, preferred or put off. */
  get isPlain(): boolean {
    return this.#nearlyDone.size === 0 && this.#priorities.every((priority) => priority === 'normal');
  }

  /** Bytes missing of a file. @throws RangeError when there is no such file. */
  leftOf(file: number): number {
    this.#requireFile(file);
    return this.#left[file] ?? 0;
  }

  /** The priorities as they would be if these files had this one. @throws RangeError when there is no such file. */
  with(files: readonly number[], priority: FilePriority): readonly FilePriority[] {
    const priorities = [...this.#priorities];
    for (const file of files) {
      this.#requireFile(file);
      priorities[file] = priority;
    }
    return priorities;
  }

  isWanted(file: number): boolean {
    return this.#priorities[file] !== 'skip';
  }

  /** One flag a file. */
  wanted(): boolean[] {
    return this.#priorities.map((priority) => priority !== 'skip');
  }

  /** One level a piece, 0 to 7. */
  pieces(): Uint8Array {
    const { map, geometry, files } = this.#options;
    const pieces = new Uint8Array(geometry.pieceCount);
    const ofContent = new Uint8Array(geometry.pieceCount);
    for (const [file, { isPadding }] of files.entries()) {
      const range = map.piecesOf(file, geometry.pieceLength);
      if (isPadding || range === undefined) continue;
      const level = this.#levelOf(file);
      for (let piece = range.first; piece <= range.last; piece++) {
        ofContent[piece] = 1;
        if (level > (pieces[piece] ?? 0)) pieces[piece] = level;
      }
    }
    // Pieces of filler alone belong to no file that could be skipped.
    for (let piece = 0; piece < pieces.length; piece++) if (ofContent[piece] === 0) pieces[piece] = levels.normal;
    return pieces;
  }

  /** The piece is here. True when the levels of some pieces have changed by that. */
  verified(piece: number): boolean {
    return this.#count(piece, -1);
  }

  /** The piece is gone. */
  lost(piece: number): boolean {
    return this.#count(piece, 1);
  }

  #count(piece: number, sign: 1 | -1): boolean {
    const { map, geometry, finishFilesFirst } = this.#options;
    let changed = false;
    for (const span of map.spans(piece * geometry.pieceLength, pieceLengthAt(geometry, piece))) {
      const left = (this.#left[span.file] ?? 0) + sign * span.length;
      this.#left[span.file] = left;
      if (finishFilesFirst && this.#noteNearlyDone(span.file)) changed = true;
    }
    return changed;
  }

  /**
   * The founders' third proposal: a file is near completion with `length / ceil(log2(length))` bytes to go, 22 MB of 650.
   * A file of few pieces would hardly ever be; it is with the last piece to go.
   */
  #noteNearlyDone(file: number): boolean {
    const { files, geometry } = this.#options;
    const length = files[file]?.length ?? 0;
    const left = this.#left[file] ?? 0;
    const near = Math.max(length / Math.ceil(Math.log2(Math.max(2, length))), geometry.pieceLength);
    const isNear = left > 0 && left < length && left <= near;
    if (isNear === this.#nearlyDone.has(file)) return false;
    if (isNear) this.#nearlyDone.add(file);
    else this.#nearlyDone.delete(file);
    return this.#priorities[file] !== 'high' && this.isWanted(file);
  }

  #levelOf(file: number): number {
    const level = levels[this.#priorities[file] ?? 'normal'];
    return this.#nearlyDone.has(file) && level > 0 ? Math.min(level + 1, levels.high) : level;
  }

  #requireFile(file: number): void {
    if (this.#priorities[file] === undefined)
      throw new RangeError(`there is no file ${file}: the torrent has ${this.#priorities.length}`);
  }
}
