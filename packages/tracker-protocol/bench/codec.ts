// How long the server's side of the codec takes for one announce. Run: node bench/codec.ts
import {
  decodeUdpRequest,
  encodeAnnounceQuery,
  encodeAnnounceReply,
  encodeUdpAnnounceReply,
  encodeUdpAnnounceRequest,
  parseAnnounceQuery,
} from '../src/index.ts';
import type { AnnounceRequest } from '../src/index.ts';

const request: AnnounceRequest = {
  infoHash: Uint8Array.from({ length: 20 }, (_, at) => at * 13),
  peerId: Uint8Array.from({ length: 20 }, (_, at) => 65 + at),
  port: 51_413,
  uploaded: 123_456_789,
  downloaded: 987_654_321,
  left: 4_294_967_296,
  event: 'none',
  numWant: 50,
  key: 'cafe0123',
};
const query = encodeAnnounceQuery(request);
const packet = new Uint8Array(98);
encodeUdpAnnounceRequest(packet, 7, { high: 1, low: 2 }, request);
const packed = { v4: new Uint8Array(300).fill(7), v6: new Uint8Array(0) };
const reply = new Uint8Array(1_200);

measure('parse an HTTP announce query', () => parseAnnounceQuery(query).port);
measure('the same through URLSearchParams', () => [...new URLSearchParams(query)].length);
measure(
  'encode an HTTP reply of 50 packed peers',
  () => encodeAnnounceReply({ interval: 1_800, peers: packed }).length,
);
measure('decode a UDP announce', () => (decodeUdpRequest(packet)?.action === 'announce' ? 1 : 0));
measure('encode a UDP reply of 50 packed peers', () =>
  encodeUdpAnnounceReply(reply, 7, { interval: 1_800, leechers: 1, seeders: 2 }, packed.v4),
);

function measure(name: string, work: () => number): void {
  let best = Infinity;
  let kept = 0;
  for (let round = 0; round < 7; round++) {
    const start = performance.now();
    for (let run = 0; run < 50_000; run++) kept += work();
    best = Math.min(best, (performance.now() - start) / 50_000);
  }
  console.log(`${(best * 1e6).toFixed(0).padStart(6)} ns  ${name}${kept === 0 ? '?' : ''}`);
}
