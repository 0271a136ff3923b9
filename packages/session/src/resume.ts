// What of a torrent's content can be trusted when it is added, and what has to be hashed first: from its journal, or,
// without one, from what is there at all. Decides where journals lie.
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Metainfo } from '@shoal/metainfo';
import { Bitfield, pieceLengthAt } from '@shoal/pieces';
import { ResumeJournal, type Storage, type StorageError } from '@shoal/storage';

export interface Resumed {
  readonly journal: ResumeJournal | undefined;
  /** Trusted. */
  readonly have: Bitfield;
  /** May be there: counts once it is hashed. */
  readonly doubt: Bitfield;
}

/** Content in one folder has one journal, content of the same torrent in another folder has another. */
export function journalPath(resumeDirectory: string, infoHash: string, directory: string): string {
  const place = createHash('sha1').update(path.resolve(directory)).digest('hex').slice(0, 8);
  return path.join(resumeDirectory, `${infoHash}-${place}.journal`);
}

export async function resume(
  metainfo: Metainfo,
  storage: Storage,
  journalFile: string | undefined,
  onError: (error: StorageError) => void,
): Promise<Resumed> {
  const { geometry, infoHashBytes, files } = metainfo;
  if (journalFile !== undefined) {
    const fileLengths = files.map((file) => file.length);
    const journal = await ResumeJournal.open({
      path: journalFile,
      infoHash: infoHashBytes,
      geometry,
      fileLengths,
      storage,
      onError,
    });
    return { journal, have: journal.have.clone(), doubt: journal.doubt.clone() };
  }
  const presence = await storage.presence();
  const doubt = new Bitfield(geometry.pieceCount);
  for (let piece = 0; piece < geometry.pieceCount; piece++)
    if (presence.mayHold(piece * geometry.pieceLength, pieceLengthAt(geometry, piece))) doubt.add(piece);
  return { journal: undefined, have: new Bitfield(geometry.pieceCount), doubt };
}
