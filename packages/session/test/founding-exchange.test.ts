// The exchange captured in 2003 (BitTorrent 3.3, "crop.05:00.jpg", 22169 bytes in 87 pieces of 256): the downloader's side, byte for byte as
// printed, against our seeder. The content itself was not in the capture: any 22169 bytes under the captured info-hash serve.
import net from 'node:net';
import { hash } from 'node:crypto';
import { parseMetainfo, type Metainfo } from '@shoal/metainfo';
import { encode } from '@shoal/bencode';
import { MemoryStorage } from '@shoal/storage';
import { decodeHandshake, decodeMessage, type PeerMessage } from '@shoal/wire';
import { expect, onTestFinished, test } from 'vitest';
import { openSession } from './swarm.ts';

const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
const capturedInfoHash = bytesOf('2d044fc0db1a617539be4d72c2a545a0fd4803e2');
const handshake = bytesOf(`13426974546f7272656e742070726f746f636f6c0000000000000000
  2d044fc0db1a617539be4d72c2a545a0fd4803e2 000000000000000000000000f51ae4e85a875808`);
const afterHandshake = bytesOf('00000001 01');
const firstRequests = bytesOf(`0000000102
  0000000d06000000270000000000000100 0000000d060000003b0000000000000100 0000000d06000000460000000000000100
  0000000d06000000490000000000000100 0000000d06000000380000000000000100`);
const capturedBitfield = bytesOf('0000000c05fffffffffffffffffffffe');

const length = 22_169;
const pieceLength = 256;
const content = Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff);

/** The content under the captured info-hash, which the metainfo's own bytes cannot have. */
function capturedTorrent(): Metainfo {
  const hashes: Buffer[] = [];
  for (let from = 0; from < length; from += pieceLength)
    hashes.push(hash('sha1', content.subarray(from, from + pieceLength), 'buffer'));
  const info = { length, name: 'crop.05:00.jpg', 'piece length': pieceLength, pieces: Buffer.concat(hashes) };
  const metainfo = parseMetainfo(encode({ announce: 'http://127.0.0.1:6969/announce', info }));
  return {
    ...metainfo,
    infoHash: capturedInfoHash.toString('hex'),
    infoHashBytes: capturedInfoHash,
    announceTiers: [],
  };
}

/** What the seeder sends, as messages; `next` waits for one. */
class Conversation {
  readonly socket: net.Socket;
  #bytes = Buffer.alloc(0);
  #wake: () => void = () => {};
  #ended = false;

  constructor(port: number) {
    this.socket = net.connect(port, '127.0.0.1');
    this.socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake();
    });
    this.socket.on('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  async take(count: number): Promise<Buffer> {
    while (this.#bytes.length < count) {
      if (this.#ended) throw new Error(`the seeder closed after ${this.#bytes.length} of ${count} bytes`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }

  async message(): Promise<PeerMessage> {
    const prefix = await this.take(4);
    return decodeMessage(Buffer.concat([prefix, await this.take(prefix.readUInt32BE(0))]));
  }
}

test('the downloader of 2003 gets from our seeder what it got from its own', async () => {
  const session = await openSession();
  const handle = await session.add(capturedTorrent(), { storage: MemoryStorage.holding(content) });
  const peer = new Conversation(session.port);
  onTestFinished(() => void peer.socket.destroy());

  peer.socket.write(handshake);
  const answer = decodeHandshake(await peer.take(68));
  expect(Buffer.from(answer.infoHash)).toEqual(capturedInfoHash);
  expect(Buffer.from(answer.peerId ?? []).toString('hex')).toBe(handle.peerId);

  // "bitfield (telling what he has) for 87 pieces (extra bit set to 0)": the very same bytes.
  expect(await peer.take(capturedBitfield.length)).toEqual(capturedBitfield);

  peer.socket.write(afterHandshake);
  // The seeder of 2003 unchoked before it was asked; ours does as soon as somebody is interested, and asking waits for that.
  peer.socket.write(firstRequests.subarray(0, 5));
  expect(await peer.message()).toEqual({ type: 'unchoke' });
  peer.socket.write(firstRequests.subarray(5));
  for (const piece of [0x27, 0x3b, 0x46, 0x49, 0x38]) {
    const from = piece * pieceLength;
    expect(await peer.message()).toMatchObject({
      type: 'piece',
      piece,
      begin: 0,
      data: Buffer.from(content.subarray(from, from + pieceLength)),
    });
  }
  // "length 13 request: index 0x40" beside "have 0x27": requests and haves mixed, as in frames 55 to 63.
  peer.socket.write(bytesOf('0000000504 00000027 0000000d06000000400000000000000100'));
  expect(await peer.message()).toMatchObject({ type: 'piece', piece: 0x40, begin: 0 });
});

test("the tracker's probe of 2003 gets a handshake after its 48 bytes, and nothing is wrong when it leaves", async () => {
  const session = await openSession();
  await session.add(capturedTorrent(), { storage: MemoryStorage.holding(content) });
  const probe = new Conversation(session.port);
  probe.socket.write(handshake.subarray(0, 48));
  const answer = decodeHandshake(await probe.take(68));
  expect(Buffer.from(answer.infoHash)).toEqual(capturedInfoHash);
  probe.socket.end();
  await new Promise((resolve) => probe.socket.once('close', resolve));
});

test('a seed that meets the downloader when it is complete hangs up, as in phase 5', async () => {
  const session = await openSession();
  await session.add(capturedTorrent(), { storage: MemoryStorage.holding(content) });
  const peer = new Conversation(session.port);
  peer.socket.write(handshake);
  await peer.take(68 + capturedBitfield.length);
  peer.socket.write(capturedBitfield);
  await new Promise((resolve) => peer.socket.once('close', resolve));
});
