// What a block costs inside `handle`, with remotes and a driver that cost next to nothing: only the calls of `handle`
// are timed, and the best of three runs counts. Asserts nothing. Run: node bench/hot-path.bench.ts [GiB]; profile it
// with node --cpu-prof.
import { Bitfield, geometryOf } from '@shoal/pieces';
import { encodeHandshake, encodeMessage } from '@shoal/wire';
import { Torrent, type TorrentInput, type TorrentOutput } from '../src/index.ts';

const infoHash = new Uint8Array(20).fill(7);
const blockLength = 16_384;
const headerLength = 13;
const chunkLength = 256 * 1024;
const gibibytes = Number(process.argv[2] ?? 1);
const geometry = geometryOf(gibibytes * 1024 ** 3, 1024 ** 2);
const blockCount = geometry.totalLength / blockLength;

/** One remote: the requests that it has to answer, and how far into the first answer it is. */
interface Giver {
  readonly peer: number;
  readonly requests: { piece: number; begin: number }[];
  next: number;
  sent: number;
}

/** Microseconds a block, by what was measured. */
const best = new Map<string, number>();

class Driver {
  readonly torrent: Torrent;
  readonly #perform: (output: TorrentOutput) => void;
  /** Milliseconds inside `handle`, and its calls. */
  spentMs = 0;
  turns = 0;

  constructor(have: Bitfield, perform: (output: TorrentOutput) => void) {
    const peerId = new Uint8Array(20).fill(1);
    this.torrent = new Torrent({ infoHash, geometry, isPrivate: false }, have, { random: Math.random, peerId });
    this.#perform = perform;
  }

  handle(input: TorrentInput): void {
    const from = performance.now();
    const outputs = this.torrent.handle(input, from);
    this.spentMs += performance.now() - from;
    this.turns++;
    for (const output of outputs) this.#perform(output);
  }

  join(peer: number, ...messages: readonly Uint8Array[]): void {
    const endpoint = { ip: `10.0.${peer >> 8}.${peer & 255}`, port: 6881 };
    this.handle({ type: 'peer-connected', peer, endpoint, incoming: true });
    const peerId = new Uint8Array(20).fill(2);
    new DataView(peerId.buffer).setUint32(4, peer);
    for (const chunk of [encodeHandshake({ infoHash, peerId, fast: true }), ...messages])
      this.handle({ type: 'bytes-received', peer, chunk, start: 0, end: chunk.length });
  }

  report(name: string): void {
    const perBlock = (this.spentMs * 1000) / blockCount;
    best.set(name, Math.min(best.get(name) ?? Infinity, perBlock));
  }
}

function download(peers: number, readLength: number): void {
  const givers = new Map<number, Giver>();
  const checks: number[] = [];
  let open = 0;
  let most = 0;
  const stored = new Set<number>();
  const driver = new Driver(new Bitfield(geometry.pieceCount), (output) => {
    if (output.type === 'send') readRequests(givers.get(output.peer), output.bytes);
    else if (output.type === 'store') {
      if (!stored.has(output.piece)) most = Math.max(most, stored.add(output.piece).size + open);
    } else if (output.type === 'check-piece') {
      stored.delete(output.piece);
      open++;
      checks.push(output.piece);
    } else if (output.type === 'discard') stored.delete(output.piece);
  });
  driver.handle({ type: 'started' });
  for (let peer = 1; peer <= peers; peer++) {
    givers.set(peer, { peer, requests: [], next: 0, sent: 0 });
    driver.join(peer, encodeMessage({ type: 'have-all' }), encodeMessage({ type: 'unchoke' }));
  }
  const chunk = new Uint8Array(readLength);
  while (!driver.torrent.complete) {
    for (const giver of givers.values()) {
      const end = fill(giver, chunk);
      if (end > 0) driver.handle({ type: 'bytes-received', peer: giver.peer, chunk, start: 0, end });
      for (const piece of checks.splice(0)) {
        open--;
        driver.handle({ type: 'piece-checked', piece, outcome: 'stored' });
      }
    }
    driver.handle({ type: 'time-passed' });
  }
  mostBuffers = Math.max(mostBuffers, peers === 1 ? most : 0);
  driver.report(`down, ${peers} seeds, reads of ${readLength / 1024} KiB`);
}

/** Requests are messages of 13 bytes with id 6 (BEP 3). */
function readRequests(giver: Giver | undefined, bytes: Uint8Array): void {
  if (giver === undefined || bytes[0] === 19) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 4 <= bytes.length; at += 4 + view.getUint32(at))
    if (view.getUint32(at) === 13 && bytes[at + 4] === 6)
      giver.requests.push({ piece: view.getUint32(at + 5), begin: view.getUint32(at + 9) });
}

const header = new Uint8Array(headerLength);
const headerView = new DataView(header.buffer);
headerView.setUint32(0, 9 + blockLength);
header[4] = 7;

/** The next bytes of its answers; payload is whatever the chunk held. */
function fill(giver: Giver, chunk: Uint8Array): number {
  let at = 0;
  while (at < chunk.length && giver.next < giver.requests.length) {
    const { piece, begin } = giver.requests[giver.next]!;
    headerView.setUint32(5, piece);
    headerView.setUint32(9, begin);
    while (giver.sent < headerLength && at < chunk.length) chunk[at++] = header[giver.sent++]!;
    const rest = Math.min(headerLength + blockLength - giver.sent, chunk.length - at);
    giver.sent += rest;
    at += rest;
    if (giver.sent < headerLength + blockLength) continue;
    giver.sent = 0;
    if (++giver.next < 1024) continue;
    giver.requests.splice(0, giver.next);
    giver.next = 0;
  }
  return at;
}

function upload(peers: number): void {
  const sent: { peer: number; bytes: number }[] = [];
  let unchoked = 0;
  const driver = new Driver(Bitfield.full(geometry.pieceCount), (output) => {
    if (output.type === 'upload') sent.push({ peer: output.peer, bytes: output.blocks.length * blockLength });
    else if (output.type === 'report' && output.report.type === 'unchoked') unchoked = output.report.peer;
  });
  driver.handle({ type: 'started' });
  for (let peer = 1; peer <= peers; peer++)
    driver.join(peer, encodeMessage({ type: 'have-none' }), encodeMessage({ type: 'interested' }));
  const taker = unchoked;
  const request = encodeMessage({ type: 'request', piece: 0, begin: 0, length: blockLength });
  const chunk = new Uint8Array(request.length * 32);
  for (let at = 0; at < chunk.length; at += request.length) chunk.set(request, at);
  const view = new DataView(chunk.buffer);
  let asked = 0;
  let done = 0;
  const ask = (): void => {
    if (asked >= blockCount) return;
    for (let at = 0; at < chunk.length; at += request.length, asked++) {
      view.setUint32(at + 5, Math.floor(asked / 64));
      view.setUint32(at + 9, (asked % 64) * blockLength);
    }
    driver.handle({ type: 'bytes-received', peer: taker, chunk, start: 0, end: chunk.length });
  };
  for (let runs = 0; runs < 8; runs++) ask();
  while (done < blockCount) {
    const [first] = sent.splice(0, 1);
    if (first === undefined) throw new Error('nothing is being uploaded');
    done += first.bytes / blockLength;
    driver.handle({ type: 'uploaded', peer: first.peer, bytes: first.bytes });
    if (asked - done <= 224) ask();
  }
  driver.report(`up, one of ${peers} leechers, runs of 512 KiB`);
}

let mostBuffers = 0;
for (let round = 0; round < 3; round++) {
  download(1, chunkLength);
  download(4, chunkLength);
  download(50, chunkLength);
  download(50, 16 * 1024);
  upload(1);
  upload(100);
}
for (const [name, us] of best) console.log(`${name.padEnd(44)} ${us.toFixed(2).padStart(7)} µs a block`);
console.log(`buffers of 1 MiB with one seed: ${mostBuffers}`);
