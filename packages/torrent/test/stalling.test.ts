import { Bitfield, geometryOf } from '@shoal/pieces';
import { encodeHandshake, encodeMessage, pieceHeaderLength, writePieceHeader } from '@shoal/wire';
import { expect, test } from 'vitest';
import { Torrent, type TorrentInput } from '../src/index.ts';
import { idOf, infoHash, randomOf } from './harness.ts';

const block = 16_384;
const stallers = [1, 2];
const giver = 3;

/** Blocks requested in some sent bytes: messages of 13 bytes with id 6 (BEP 3). */
function requestsIn(bytes: Uint8Array): { piece: number; begin: number; length: number }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const requests = [];
  for (let at = 0; at + 5 <= bytes.length; at += 4 + view.getUint32(at)) {
    if (view.getUint32(at) !== 13 || bytes[at + 4] !== 6) continue;
    requests.push({ piece: view.getUint32(at + 5), begin: view.getUint32(at + 9), length: view.getUint32(at + 13) });
  }
  return requests;
}

test('what a stalling peer lost goes to one that gives, even when no further piece may be started', () => {
  const torrent = new Torrent({ infoHash, geometry: geometryOf(8 * block, block), isPrivate: false }, new Bitfield(8), {
    random: randomOf(3),
    peerId: idOf(9),
    pieceBufferBytes: 2 * block,
  });
  let now = 0;
  const inputs: TorrentInput[] = [{ type: 'started' }];
  const says = (peer: number, ...parts: Uint8Array[]): void => {
    for (const chunk of parts) inputs.push({ type: 'bytes-received', peer, chunk, start: 0, end: chunk.length });
  };
  const greetings = new Set<number>();
  const perform = (): void => {
    for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
      for (const output of torrent.handle(input, now)) {
        if (output.type === 'check-piece')
          inputs.push({ type: 'piece-checked', piece: output.piece, outcome: 'stored' });
        if (output.type !== 'send' || output.peer !== giver) continue;
        if (!greetings.has(giver)) {
          greetings.add(giver);
          continue;
        }
        for (const request of requestsIn(output.bytes)) {
          const message = new Uint8Array(pieceHeaderLength + request.length);
          writePieceHeader(message, 0, request);
          says(giver, message);
        }
      }
    }
  };
  for (const peer of [...stallers, giver]) {
    inputs.push({ type: 'peer-connected', peer, endpoint: { ip: `10.0.0.${peer}`, port: 6881 }, incoming: true });
    says(peer, encodeHandshake({ infoHash, peerId: idOf(peer) }));
    says(
      peer,
      encodeMessage({ type: 'bitfield', bits: Bitfield.full(8).toBytes() }),
      encodeMessage({ type: 'unchoke' }),
    );
  }
  for (; now <= 60_000 && !torrent.complete; now += 1000) {
    inputs.push({ type: 'time-passed' });
    perform();
  }
  // Requests are lost after 20 s without payload: by then twice, once to each that stalls.
  expect(torrent.complete).toBe(true);
});
