// Reads a .torrent file: what it holds, and the info-hash of exactly the bytes received.
// usage: node examples/01-decode-a-torrent.ts FILE.torrent
import { readFile } from 'node:fs/promises';
import { BencodeError, rawValue } from '@shoal/bencode';
import { MetainfoError, parseMetainfo } from '@shoal/metainfo';

const bytes = await readFile(process.argv[2] ?? 'example.torrent');
try {
  const metainfo = parseMetainfo(bytes);
  console.log(`${metainfo.name}: ${metainfo.geometry.totalLength} bytes in ${metainfo.geometry.pieceCount} pieces`);
  console.log(
    `info-hash ${metainfo.infoHash}, of ${rawValue(bytes, 'info')?.length ?? 0} bytes as they stand in the file`,
  );
  for (const file of metainfo.files) console.log(`${String(file.length).padStart(12)}  ${file.path.join('/')}`);
} catch (error) {
  // Both have a code that is part of their package's interface.
  if (error instanceof MetainfoError || error instanceof BencodeError) console.error(`${error.code}: ${error.message}`);
  else throw error;
}
