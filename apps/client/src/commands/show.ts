// `shoal show`: what is in a torrent or magnet link.
import { formatMagnet, type Magnet, type Metainfo } from '@shoal/metainfo';
import type { ExitName } from '../exit-codes.ts';
import { listedFiles } from '../file-choice.ts';
import type { Output } from '../output.ts';
import { formatBytes } from '../render/text.ts';
import { table, type Row } from '../render/table.ts';
import { readSource } from '../source.ts';

export async function show(source: string, output: Output): Promise<ExitName> {
  const read = await readSource(source);
  const { warnings } = 'metainfo' in read ? read.metainfo : read.magnet;
  for (const warning of warnings) output.warn(warning);
  const rows = 'metainfo' in read ? rowsOf(read.metainfo, output.isForPeople) : magnetRows(read.magnet);
  output.data(table(rows, output.isForPeople).join('\n'));
  output.result({ ok: true, ...('metainfo' in read ? factsOf(read.metainfo) : read.magnet) });
  return 'ok';
}

/** The link for a torrent, with the trackers given or its own. */
export const magnetOf = (
  { infoHash, name, announceTiers, webSeeds }: Metainfo,
  trackers: readonly string[] = announceTiers.flat(),
): string => formatMagnet({ infoHash, name, trackers, webSeeds });

function factsOf(metainfo: Metainfo): object {
  const { infoHash, name, isMultiFile, geometry, isPrivate, source, announceTiers, webSeeds } = metainfo;
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
    files: listedFiles(metainfo).map(({ number, index, path, length }) => ({
      number,
      path,
      length,
      attributes: metainfo.files[index]?.attributes,
    })),
    warnings,
  };
}

/** For people sizes have units; a pipe gets bytes. */
function rowsOf(metainfo: Metainfo, forPeople: boolean): Row[] {
  const size = (bytes: number): string => (forPeople ? formatBytes(bytes) : String(bytes));
  const { geometry } = metainfo;
  const files = listedFiles(metainfo);
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
    metainfo.creationDate === undefined ? undefined : ['created', dateText(metainfo.creationDate)],
    ['magnet', magnetOf(metainfo)],
    ...files.map(({ number, path, length }): Row => [`file ${number}`, path, size(length)]),
  ];
  return rows.filter((row) => row !== undefined);
}

function magnetRows({ infoHash, name, length, trackers, webSeeds, peers }: Magnet): Row[] {
  const rows: Row[] = [['info-hash', infoHash]];
  if (name !== undefined) rows.push(['name', name]);
  if (length !== undefined) rows.push(['size', String(length)]);
  for (const tracker of trackers) rows.push(['tracker', tracker]);
  for (const url of webSeeds) rows.push(['web seed', url]);
  for (const peer of peers) rows.push(['peer', peer]);
  return rows;
}

/** A torrent may say any number; not every one is a date. */
function dateText(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? `${seconds} s since 1970` : date.toISOString();
}
