// How long the wire takes for one block, in microseconds: `node packages/wire/bench/wire.bench.ts`. Asserts nothing.
// A block is asked for, encoded, answered and reported, in chunks of the sizes that sockets hand over.
import { Bitfield, type Block, blockAt, blockLength, geometryOf } from '@shoal/pieces';
import { bench, do_not_optimize, run, summary } from 'mitata';
import {
  encodeHandshake,
  PeerConnection,
  pieceHeaderLength,
  type UploadQueue,
  type WireEvent,
  writePieceHeader,
} from '../src/index.ts';

const geometry = geometryOf(2 ** 30, 2 ** 20);
const infoHash = new Uint8Array(20);
const blockCount = 256;
const blocks: Block[] = Array.from({ length: blockCount }, (_, index) => blockAt(geometry, index >> 6, index & 63));
const messageLength = pieceHeaderLength + blockLength;
const answers = new Uint8Array(blockCount * messageLength);
for (const [index, block] of blocks.entries()) writePieceHeader(answers, index * messageLength, block);

function opened(): PeerConnection {
  const own = new Uint8Array(20).fill(1);
  const connection = new PeerConnection({
    infoHash,
    peerId: own,
    geometry,
    initiator: false,
    now: 0,
    extensionProtocol: false,
  });
  const greeting = encodeHandshake({ infoHash, peerId: new Uint8Array(20).fill(2), fast: true });
  connection.receive(greeting, 0, greeting.length, 0);
  return connection;
}

function leech(): PeerConnection {
  const connection = opened();
  connection.sendPieces(none);
  connection.receive(new Uint8Array([0, 0, 0, 1, 1]), 0, 5, 0);
  connection.pipeline.limitTo(500);
  connection.takeBytes();
  return connection;
}

const none = new Bitfield(geometry.pieceCount);

/** The torrent's part of the work: look at every event. */
function look(events: readonly WireEvent[]): number {
  let seen = 0;
  for (const event of events) if (event.type === 'block-data') seen += event.end - event.start;
  return seen;
}

/** Answers to all requests, in chunks; microseconds per block of `receive` alone. */
function measure(chunkLength: number, rounds: number): number {
  const connection = leech();
  let now = 0;
  let elapsed = 0;
  for (let round = 0; round < rounds; round += 1) {
    now += 20;
    for (const block of blocks) connection.request(block, now);
    connection.takeBytes();
    const before = cpuMicroseconds();
    for (let at = 0; at < answers.length; at += chunkLength) {
      do_not_optimize(look(connection.receive(answers, at, Math.min(answers.length, at + chunkLength), now)));
    }
    elapsed += cpuMicroseconds() - before;
  }
  return elapsed / (rounds * blockCount);
}

/** Of this thread: a busy machine must not show. */
function cpuMicroseconds(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

for (const kibibytes of [16, 64, 256]) {
  measure(kibibytes * 1024, 300);
  const runs = Array.from({ length: 9 }, () => measure(kibibytes * 1024, 1000)).toSorted((a, b) => a - b);
  const [best, median] = [runs[0]!, runs[4]!];
  console.log(`receive, chunks of ${kibibytes} KiB: ${best.toFixed(3)} µs per block, median ${median.toFixed(3)}`);
}

summary(() => {
  const asking = leech();
  bench(`ask for ${blockCount} blocks and take the bytes`, () => {
    for (const block of blocks) asking.request(block, 0);
    do_not_optimize(asking.takeBytes());
    asking.pipeline.clear();
  });

  const serving = opened();
  serving.sendPieces(none);
  serving.unchoke();
  const requests = encodedRequests();
  const uploads: UploadQueue = serving.uploads;
  bench(`take ${blockCount} requests of a peer and give them out in runs`, () => {
    for (const event of serving.receive(requests, 0, requests.length, 0)) {
      if (event.type === 'request') uploads.accept(event);
    }
    while (uploads.length > 0) do_not_optimize(uploads.takeRun(32));
  });
});

function encodedRequests(): Uint8Array {
  const connection = leech();
  for (const block of blocks) connection.request(block, 0);
  return connection.takeBytes() ?? new Uint8Array(0);
}

await run();
