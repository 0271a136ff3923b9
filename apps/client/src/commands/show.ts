// `shoal show`: what is in a torrent or magnet link.
import { parseMagnet, MetainfoError, formatMagnet, type Metainfo } from '@shoal/metainfo';
import { CommandError, type ExitName } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { formatBytes } from '../render/text.ts';
import { table, type Row } from '../render/table.ts';
import { readTorrent } from '../source.ts';

export async function show(source: string, output: Output): Promise<ExitName> {
  if (/^magnet:/i.test(source)) return showMagnet(source, output);
  const metainfo = await readTorrent(source);
  for (const warning of metainfo.warnings) output.warn(warning);
  output.result(factsOf(metainfo));
  output.data(table(rowsOf(metainfo, process.stdout.isTTY), process.stdout.isTTY).join('\n'));
  return 'ok';
}

function factsOf(metainfo: Metainfo): object {
  const { infoHash, name, files, isMultiFile, geometry, isPrivate, source, announceTiers, webSeeds } = metainfo;
  const { comment, createdBy, creationDate, encoding, warnings } = metainfo;
  return {
    infoHash,
    name,
    totalBytes: geometry.totalLength,
    pieceLength: geometry.pieceLength,
    pieces: geometry.pieceCount,
    isPrivate,
    source,
    trackers: announceTiers,
    webSeeds,
    comment,
    createdBy,
    creationDate,
    encoding,
    isMultiFile,
    magnet: magnetOf(metainfo),
    files: files
      .filter((file) => !file.isPadding)
      .map(({ path, length, attributes }) => ({ path: path.join('/'), length, attributes })),
    warnings,
  };
}

/** For people sizes have units; a pipe gets bytes. */
function rowsOf(metainfo: Metainfo, forPeople: boolean): Row[] {
  const size = (bytes: number): string => (forPeople ? formatBytes(bytes) : String(bytes));
  const { geometry } = metainfo;
  const files = metainfo.files.filter((file) => !file.isPadding);
  const rows: (Row | undefined)[] = [
    ['name', metainfo.name],
    ['info-hash', metainfo.infoHash],
    ['size', size(geometry.totalLength)],
    ['files', String(files.length)],
    ['pieces', forPeople ? `${geometry.pieceCount} of ${size(geometry.pieceLength)}` : String(geometry.pieceCount)],
    forPeople ? undefined : ['piece length', String(geometry.pieceLength)],
    ['private', metainfo.isPrivate ? 'yes' : 'no'],
    metainfo.source === undefined ? undefined : ['source', metainfo.source],
    ...metainfo.announceTiers.map((tier, i): Row => [`tracker tier ${i + 1}`, tier.join(', ')]),
    ...metainfo.webSeeds.map((url): Row => ['web seed', url]),
    metainfo.comment === undefined ? undefined : ['comment', metainfo.comment],
    metainfo.createdBy === undefined ? undefined : ['created by', metainfo.createdBy],
    metainfo.creationDate === undefined ? undefined : ['created', new Date(metainfo.creationDate * 1000).toISOString()],
    ['magnet', magnetOf(metainfo)],
    ...files.map((file): Row => ['file', file.path.join('/'), size(file.length)]),
  ];
  return rows.filter((row) => row !== undefined);
}

const magnetOf = (metainfo: Metainfo): string =>
  formatMagnet({ infoHash: metainfo.infoHash, name: metainfo.name, trackers: metainfo.announceTiers.flat() });

function showMagnet(source: string, output: Output): ExitName {
  try {
    const magnet = parseMagnet(source);
    const { infoHash, name, trackers } = magnet;
    output.result({ infoHash, name, trackers, webSeeds: magnet.webSeeds, peers: magnet.peers });
    const rows: Row[] = [
      ['info-hash', infoHash ?? 'none of version 1'],
      ...(name === undefined ? [] : [['name', name] as Row]),
    ];
    for (const tracker of trackers) rows.push(['tracker', tracker]);
    output.data(table(rows, process.stdout.isTTY).join('\n'));
    return 'ok';
  } catch (error) {
    if (error instanceof MetainfoError) throw new CommandError('input', error.message, { cause: error });
    throw error;
  }
}
