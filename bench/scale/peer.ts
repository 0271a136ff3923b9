// A seed of everything that gives nothing: it says when it was first asked for a block. A process of its own, so that it
// takes no time from the event loop that is measured. usage: forked with PIECES; sends its port, then the moment.
import { createServer, type Socket } from 'node:net';
import { encodeHandshake, encodeMessage, handshakeLength, messageId, peekInfoHash } from '@shoal/wire';
import { trackerAddress } from '../network.ts';

const pieceCount = Number(process.argv[2]);
const lengthPrefix = 4;

const server = createServer((socket) => {
  let received: Buffer = Buffer.alloc(0);
  let greeted = false;
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    if (!greeted && received.length >= handshakeLength) {
      greeted = true;
      greet(socket, received);
      received = received.subarray(handshakeLength);
    }
    if (greeted) received = read(received);
  });
});
server.listen(0, trackerAddress, () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null) process.send?.({ port: address.port });
});
process.on('disconnect', () => process.exit(0));

function greet(socket: Socket, handshake: Uint8Array): void {
  const infoHash = peekInfoHash(handshake);
  if (infoHash === undefined) return void socket.destroy();
  const bits = new Uint8Array(Math.ceil(pieceCount / 8)).fill(255);
  // Bits past the last piece are zero (BEP 3).
  if (pieceCount % 8 !== 0) bits[bits.length - 1] = 255 & (255 << (8 - (pieceCount % 8)));
  socket.write(encodeHandshake({ infoHash, peerId: Buffer.from('-BE0001-asked4blocks') }));
  socket.write(encodeMessage({ type: 'bitfield', bits }));
  socket.write(encodeMessage({ type: 'unchoke' }));
}

/** Tells of a request; returns what is not a whole message yet. */
function read(bytes: Buffer): Buffer {
  let at = 0;
  while (bytes.length - at >= lengthPrefix) {
    const end = at + lengthPrefix + bytes.readUInt32BE(at);
    if (end > bytes.length) break;
    if (bytes[at + lengthPrefix] === messageId.request && end > at + lengthPrefix)
      process.send?.({ askedAt: performance.timeOrigin + performance.now() });
    at = end;
  }
  return bytes.subarray(at);
}
