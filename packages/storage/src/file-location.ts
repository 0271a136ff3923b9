// Where the files of one storage lie, and how they come to lie elsewhere. Decides what moves together and which folders
// go with it. Its caller sees to it that nothing else runs meanwhile. Must not know content or pieces.
import { StorageError, storageErrorFrom } from './errors.ts';
import { type FileLayout, type FilePlace, isSomewhere, layoutOf, withPath } from './file-layout.ts';
import type { FileSystem } from './file-system.ts';
import type { OpenFiles } from './open-files.ts';
import type { PartFile } from './part-file.ts';
import { RealDirectories } from './real-directories.ts';
import { type Relocated, Relocation, type RelocationOptions, requireFree } from './relocation.ts';
import type { MoveOptions } from './storage.ts';
import type { StoredFile } from './stored-file.ts';

export interface FileLocationParts {
  readonly files: readonly StoredFile[];
  readonly part: PartFile;
  readonly directories: RealDirectories;
  readonly fileSystem: FileSystem;
  readonly openFiles: OpenFiles;
  readonly run: RelocationOptions['run'];
  readonly keepsHoles: boolean;
}

export class FileLocation {
  readonly #parts: FileLocationParts;
  #layout: FileLayout;

  constructor(layout: FileLayout, parts: FileLocationParts) {
    this.#layout = layout;
    this.#parts = parts;
  }

  /** Absolute. */
  get directory(): string {
    return this.#layout.directory;
  }

  async move(directory: string, options: MoveOptions): Promise<void> {
    options.signal?.throwIfAborted();
    if (directory === this.directory) return;
    const { files, partName } = this.#layout;
    const layout = layoutOf(directory, files, partName);
    const directories = new RealDirectories(directory, this.#parts.fileSystem);
    const moves = this.#parts.files.map((file, index) => ({ file, to: layout.places[index]! }));
    moves.push({ file: this.#parts.part.file, to: layout.partPlace });
    await this.#relocate(layout, moves, directories, options);
  }

  async rename(index: number, elements: readonly string[]): Promise<void> {
    const layout = withPath(this.#layout, index, elements);
    const file = this.#parts.files[index]!;
    const to = layout.places[index]!;
    if (to.path === file.place.path) return;
    await this.#relocate(layout, [{ file, to }], this.#parts.directories, {});
  }

  /** Makes `layout` true by these moves. */
  async #relocate(
    layout: FileLayout,
    moves: readonly Move[],
    directories: RealDirectories,
    options: MoveOptions,
  ): Promise<void> {
    const { fileSystem, openFiles } = this.#parts;
    await openFiles.release(moves.map(({ file }) => file));
    const places = moves.map(({ to }) => to);
    await requireFree(places.filter(isSomewhere), fileSystem);
    const present = await this.#present(moves);
    const left = await this.#perform(present, directories, options);
    for (const { file, to } of moves) file.relocate(to);
    this.#layout = layout;
    for (const { from } of present) await this.#parts.directories.removeEmpty(from.parents);
    if (directories !== this.#parts.directories) this.#parts.directories.moveTo(layout.directory);
    if (left !== undefined) throw leftBehind(left, layout.directory);
  }

  async #present(moves: readonly Move[]): Promise<Relocated[]> {
    const present: Relocated[] = [];
    this.#parts.directories.forget();
    for (const { file, to } of moves) {
      const facts = isSomewhere(to) ? await file.facts() : undefined;
      if (facts !== undefined) present.push({ from: file.place, to, facts });
    }
    return present;
  }

  async #perform(
    present: readonly Relocated[],
    directories: RealDirectories,
    options: MoveOptions,
  ): Promise<StorageError | undefined> {
    const { fileSystem, run, keepsHoles } = this.#parts;
    const { onProgress, signal } = options;
    try {
      for (const { to } of present) await makeFolders(directories, to);
      return await new Relocation(present, { fileSystem, run, keepsHoles, onProgress, signal }).run();
    } catch (error) {
      await directories.removeMade();
      throw error;
    }
  }
}

/** A file and where it goes. */
interface Move {
  readonly file: StoredFile;
  readonly to: FilePlace;
}

async function makeFolders(directories: RealDirectories, { parents, path }: FilePlace): Promise<void> {
  try {
    await directories.create(parents);
  } catch (error) {
    throw storageErrorFrom(error, 'make the folder of', path);
  }
}

function leftBehind(cause: StorageError, directory: string): StorageError {
  const message = `everything is in ${directory} now, but an original stayed behind: ${cause.message}`;
  return new StorageError(cause.code, message, { ...(cause.path === undefined ? {} : { path: cause.path }), cause });
}
