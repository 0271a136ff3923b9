// Two ends of a peer connection without a socket: what one queues is handed to the other as bytes.
import { Bitfield, geometryOf } from '@shoal/pieces';
import { PeerConnection } from '@shoal/wire';

const geometry = geometryOf(100_000, 32_768);
const infoHash = new Uint8Array(20).fill(1);
const ends = [true, false].map(
  (initiator, i) =>
    new PeerConnection({ infoHash, peerId: new Uint8Array(20).fill(65 + i), geometry, initiator, now: 0 }),
);
const [leecher, seeder] = ends as [PeerConnection, PeerConnection];

/** Carries what `from` has to say to `to`, and prints what it means there. */
function carry(from: PeerConnection, to: PeerConnection, name: string): void {
  const bytes = from.takeBytes();
  if (bytes === undefined) return;
  for (const event of to.receive(bytes, 0, bytes.length, 0)) {
    console.log(`${name} hears ${event.type}`);
    if (event.type === 'handshake')
      to.sendPieces(to === seeder ? Bitfield.full(geometry.pieceCount) : new Bitfield(geometry.pieceCount));
    if (event.type === 'have-all') to.setInterested(true);
    if (event.type === 'interested') to.unchoke();
    if (event.type === 'unchoke') to.request({ piece: 0, begin: 0, length: 16_384 }, 0);
  }
}

for (let i = 0; i < 4; i++) {
  carry(leecher, seeder, 'the seeder');
  carry(seeder, leecher, 'the leecher');
}
