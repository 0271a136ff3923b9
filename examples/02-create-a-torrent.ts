// Makes a .torrent file of a file or folder and prints its magnet link.
// usage: node examples/02-create-a-torrent.ts PATH FILE.torrent [TRACKER]
import { writeFile } from 'node:fs/promises';
import { createMetainfo, formatMagnet } from '@shoal/metainfo';

const [source = '.', target = 'example.torrent', tracker] = process.argv.slice(2);
const { bytes, metainfo } = await createMetainfo(source, {
  announceTiers: tracker === undefined ? [] : [[tracker]],
  onProgress: ({ hashedBytes, totalBytes }) => console.error(`${hashedBytes} of ${totalBytes} bytes hashed`),
});
await writeFile(target, bytes);
console.log(
  formatMagnet({ infoHash: metainfo.infoHash, name: metainfo.name, trackers: metainfo.announceTiers.flat() }),
);
