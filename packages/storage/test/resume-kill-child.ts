// A download that nobody serves: writes pieces in a scattered order and reports them, until it is killed.
import { geometryOf } from '@shoal/pieces';
import { FileStorage, ResumeJournal } from '../src/index.ts';
import { contentOf, killFiles, killPieceLength } from './resume-kill-content.ts';

const [directory = '', journalPath = ''] = process.argv.slice(2);
const fileLengths = killFiles.map((file) => file.length);
const totalLength = fileLengths.reduce((sum, length) => sum + length, 0);
const geometry = geometryOf(totalLength, killPieceLength);
const storage = await FileStorage.open({ directory, files: killFiles });
const infoHash = new Uint8Array(20);
const journal = await ResumeJournal.open({ path: journalPath, infoHash, geometry, fileLengths, storage });
await journal.writing();
await storage.prepare();
await journal.restamp();
process.stdout.write(`${JSON.stringify({ had: [...journal.have.indices()], doubt: journal.doubt.count })}\n`);
for (let index = 0; index < geometry.pieceCount; index += 1) {
  const piece = (index * 7) % geometry.pieceCount;
  if (journal.have.has(piece)) continue;
  await journal.writing();
  await storage.write(piece * killPieceLength, contentOf(piece, totalLength));
  journal.verified(piece);
  process.stdout.write(`${piece}\n`);
}
await journal.close();
await storage.close();
