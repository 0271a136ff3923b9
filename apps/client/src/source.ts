// Reads what a person calls a torrent: a path, `-` for standard input, an http(s) URL of a .torrent file, or a magnet link.
// Every way in is bounded in bytes, and ends when the command is stopped.
import { createReadStream } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { MetainfoError, parseDefaults, parseMagnet, parseMetainfo, type Magnet, type Metainfo } from '@shoal/metainfo';
import { CommandError } from './exit-codes.ts';

export type Source = { readonly metainfo: Metainfo } | { readonly magnet: Magnet };

const { maxBytes } = parseDefaults;

/** @throws CommandError `input`, `network`. */
export async function readSource(source: string, signal?: AbortSignal): Promise<Source> {
  const name = source === '-' ? 'standard input' : source;
  try {
    if (isMagnet(source)) return { magnet: parseMagnet(source) };
    const bytes = await readBytes(source, signal);
    // Who pipes a link in means the same as who types it.
    const start = Buffer.from(bytes.subarray(0, 'magnet:'.length)).toString('latin1');
    if (isMagnet(start)) return { magnet: parseMagnet(Buffer.from(bytes).toString('utf8')) };
    return { metainfo: parseMetainfo(bytes) };
  } catch (error) {
    if (!(error instanceof MetainfoError)) throw error;
    const prefix = isMagnet(source) ? '' : `${name} is not a usable torrent: `;
    throw new CommandError('input', `${prefix}${error.message}`, { cause: error });
  }
}

/** @throws CommandError `input`, `network`; `input` for a magnet link, which does not hold what is needed. */
export async function readTorrent(source: string, signal?: AbortSignal): Promise<Metainfo> {
  const read = await readSource(source, signal);
  if ('metainfo' in read) return read.metainfo;
  const { name, infoHash } = read.magnet;
  throw new CommandError('input', refusal(`the magnet link of ${name === undefined ? infoHash : `"${name}"`}`));
}

/** Several, each once. @throws CommandError `usage` when two are the same torrent. */
export async function readTorrents(sources: readonly string[], signal: AbortSignal): Promise<Metainfo[]> {
  const byHash = new Map<string, string>();
  const torrents: Metainfo[] = [];
  if (sources.filter((source) => source === '-').length > 1)
    throw new CommandError('usage', 'standard input (-) can be read only once');
  for (const source of sources) {
    const metainfo = await readTorrent(source, signal);
    const twin = byHash.get(metainfo.infoHash);
    if (twin !== undefined)
      throw new CommandError('usage', `${twin} and ${source} are the same torrent: give one of them`);
    byHash.set(metainfo.infoHash, source);
    torrents.push(metainfo);
  }
  return torrents;
}

const isMagnet = (text: string): boolean => /^magnet:/i.test(text);

const refusal = (what: string): string =>
  `${what} names a torrent but does not hold it, and fetching it from peers (BEP 9) is not supported yet: give the .torrent file or its URL`;

async function readBytes(source: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  if (source === '-') return readAll(process.stdin, 'standard input', signal);
  if (/^https?:\/\//i.test(source)) {
    // `node:http` takes 20 MB: only who asks for it pays.
    const { fetchTorrent } = await import('./fetch-torrent.ts');
    return fetchTorrent(source, maxBytes, signal);
  }
  try {
    return await readAll(createReadStream(source), source, signal);
  } catch (error) {
    if (error instanceof CommandError || signal?.aborted === true) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && /^[0-9a-f]{40}$/i.test(source))
      throw new CommandError('input', refusal(`the info-hash ${source}`), { cause: error });
    const why = code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'a folder, not a .torrent file' : message;
    throw new CommandError('input', `cannot read ${source}: ${why}`, { cause: error });
  }
}

async function readAll(stream: Readable, name: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  if (signal !== undefined) addAbortSignal(signal, stream);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > maxBytes)
      throw new CommandError('input', `${name} is longer than ${maxBytes} bytes: that is not a .torrent file`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
