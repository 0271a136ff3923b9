// Real sessions on loopback with content in temporary folders or memory, for the tests of this package.
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createMetainfo, type Metainfo } from '@shoal/metainfo';
import { onTestFinished } from 'vitest';
import { Session, type SessionOptions } from '../src/index.ts';

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'shoal-session-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface Content {
  /** Holds the torrent's name. */
  readonly folder: string;
  readonly metainfo: Metainfo;
  readonly bytes: Uint8Array;
}

/** A file of random bytes and its torrent. */
export async function randomFile(length: number, pieceLength = 65_536, trackers: string[][] = []): Promise<Content> {
  const folder = await temporaryFolder();
  const bytes = new Uint8Array(randomBytes(length));
  await writeFile(path.join(folder, 'content.bin'), bytes);
  const { metainfo } = await createMetainfo(path.join(folder, 'content.bin'), { pieceLength, announceTiers: trackers });
  return { folder, metainfo, bytes };
}

/** A session on a free port of 127.0.0.1 that ends with the test. */
export async function openSession(options: SessionOptions = {}): Promise<Session> {
  const session = await Session.open({ port: 0, bind: '127.0.0.1', retryMs: 50, ...options });
  onTestFinished(() => session.close());
  return session;
}

export const endpointOf = (session: Session): { ip: string; port: number } => ({ ip: '127.0.0.1', port: session.port });

export async function digestOf(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}

export async function emptyFolder(): Promise<string> {
  const folder = path.join(await temporaryFolder(), 'in');
  await mkdir(folder);
  return folder;
}

/** A raw server that treats every connection as `serve` does; it and its sockets end with the test. */
export async function rawPeer(serve: (socket: net.Socket) => void): Promise<{ ip: string; port: number }> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { ip: '127.0.0.1', port: address.port };
}
