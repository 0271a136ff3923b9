// Reads what a person calls a torrent: a path, `-` for standard input, or an http(s) URL of a .torrent file.
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { buffer } from 'node:stream/consumers';
import { MetainfoError, parseMagnet, parseMetainfo, type Metainfo } from '@shoal/metainfo';
import { CommandError } from './exit-codes.ts';

/** More than any .torrent file that this client accepts. */
const maxBytes = 16 * 1024 * 1024;
const fetchTimeoutMs = 30_000;
const maxRedirects = 5;

/** @throws CommandError `input`, `network`. */
export async function readTorrent(source: string, stdin: AsyncIterable<Uint8Array> = process.stdin): Promise<Metainfo> {
  if (/^magnet:/i.test(source)) throw magnetRefusal(source);
  const bytes = await readBytes(source, stdin);
  try {
    return parseMetainfo(bytes);
  } catch (error) {
    if (error instanceof MetainfoError)
      throw new CommandError('input', `${nameOf(source)}: ${error.message}`, { cause: error });
    throw error;
  }
}

export const nameOf = (source: string): string => (source === '-' ? 'standard input' : source);

async function readBytes(source: string, stdin: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  if (source === '-') return readAll(stdin);
  if (/^https?:\/\//i.test(source)) return fetchBytes(new URL(source), maxRedirects);
  try {
    return await readFile(source);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'a folder, not a .torrent file' : message;
    throw new CommandError('input', `cannot read ${source}: ${why}`, { cause: error });
  }
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > maxBytes)
      throw new CommandError('input', `standard input is longer than ${maxBytes} bytes: not a .torrent file`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function fetchBytes(url: URL, redirects: number): Promise<Uint8Array> {
  const response = await get(url);
  const { statusCode = 0, headers } = response;
  if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
    response.resume();
    if (redirects === 0) throw new CommandError('network', `${url.href}: more than ${maxRedirects} redirects`);
    const next = new URL(headers.location, url);
    if (next.protocol !== 'http:' && next.protocol !== 'https:')
      throw new CommandError('network', `${url.href} redirects to ${next.protocol}, which is not followed`);
    return fetchBytes(next, redirects - 1);
  }
  if (statusCode !== 200) {
    response.resume();
    throw new CommandError(
      'network',
      `${url.href}: the server answered ${statusCode} ${response.statusMessage ?? ''}`.trimEnd(),
    );
  }
  let length = 0;
  response.on('data', (chunk: Uint8Array) => {
    length += chunk.length;
    if (length > maxBytes)
      response.destroy(new CommandError('input', `${url.href}: longer than ${maxBytes} bytes, not a .torrent file`));
  });
  return buffer(response);
}

function get(url: URL): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string, cause?: unknown): void =>
      reject(new CommandError('network', `cannot fetch ${url.href}: ${reason}`, { cause }));
    const request = (url.protocol === 'https:' ? https : http).get(url, { timeout: fetchTimeoutMs }, resolve);
    request.on('error', (error) => fail(error.message, error));
    request.on('timeout', () => request.destroy(new Error(`no answer within ${fetchTimeoutMs / 1000} s`)));
  });
}

function magnetRefusal(source: string): CommandError {
  let what = 'the magnet link';
  try {
    const magnet = parseMagnet(source);
    if (magnet.name !== undefined) what = `the magnet link of "${magnet.name}"`;
  } catch (error) {
    if (error instanceof MetainfoError) return new CommandError('input', error.message, { cause: error });
    throw error;
  }
  return new CommandError(
    'input',
    `${what} names a torrent but does not hold it, and fetching it from peers (BEP 9) is not supported yet: give the .torrent file or its URL`,
  );
}
