/**
 * The shape of a torrent once it is read: what every other package gets to see. Holds no behaviour, and nothing of the encoding
 * but the exact bytes of the info dictionary. BEP 3, 12, 19, 27, 47.
 */
import type { BencodeDictionary } from '@shoal/bencode';
import type { Geometry } from '@shoal/pieces';

/** A checked v1 torrent. Byte arrays are views into the bytes it was parsed from: do not modify those. */
export interface Metainfo {
  /** SHA-1 of `infoBytes`: 40 lower-case hex digits. */
  readonly infoHash: string;
  /** The same, as 20 bytes. */
  readonly infoHashBytes: Uint8Array;
  /** The info dictionary exactly as it was received (BEP 3; never re-encoded). */
  readonly infoBytes: Uint8Array;
  /** Safe file or folder name; the info-hash when nothing of the given name could be kept. */
  readonly name: string;
  /** In the order of the pieces. */
  readonly files: readonly MetainfoFile[];
  /** True when the torrent is a folder, even of one file. */
  readonly isMultiFile: boolean;
  readonly geometry: Geometry;
  /** SHA-1 of each piece, 20 bytes after 20 bytes. */
  readonly pieceHashes: Uint8Array;
  /** True when peers may come from the trackers only (BEP 27). */
  readonly isPrivate: boolean;
  /** Free text inside the info dictionary that private trackers set to change the info-hash. */
  readonly source?: string;
  /** Tracker URLs, best tier first (BEP 12); not shuffled. */
  readonly announceTiers: readonly (readonly string[])[];
  /** HTTP and FTP addresses of the content (BEP 19). */
  readonly webSeeds: readonly string[];
  readonly comment?: string;
  readonly createdBy?: string;
  /** Seconds since 1970 (UTC). */
  readonly creationDate?: number;
  /** What the creator says its text is encoded in; names are read as UTF-8 whatever it says. */
  readonly encoding?: string;
  /** What was odd and how it was treated, in sentences; at most 51. */
  readonly warnings: readonly string[];
  /** Root keys that this package gives no meaning to (BEP 5 `nodes`, BEP 17 `httpseeds`, …), as they were. */
  readonly unknown: BencodeDictionary;
}

export interface MetainfoFile {
  /** Safe relative path: `[name]` of a single file, `[name, …]` in a folder. Unique in the torrent, even without regard to case; only padding may repeat. */
  readonly path: readonly string[];
  /** The path as the torrent has it, with the torrent's name first: to show, or to find existing data. Never join it to a folder. */
  readonly originalPath: readonly string[];
  /** Bytes; 0 for symbolic links. */
  readonly length: number;
  /** BEP 47 letters: `x` executable, `h` hidden, `p` padding, `l` symbolic link. */
  readonly attributes?: string;
  /** Zeros between files: part of the pieces, never written (BEP 47, and BitComet's name for the same). */
  readonly isPadding: boolean;
  /** True for padding, and for a symbolic link that is unsafe or leads nowhere: nothing is written for it. */
  readonly isSkipped: boolean;
  /** Where a usable symbolic link leads: `path` of a file of this torrent, or of a folder in it. Never another link. */
  readonly symlinkTarget?: readonly string[];
}
