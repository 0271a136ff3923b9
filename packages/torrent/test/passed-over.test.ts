import { geometryOf } from '@shoal/pieces';
import { encodeMessage } from '@shoal/wire';
import { expect, test } from 'vitest';
import { Host, World } from './harness.ts';
import { Remote } from './remote.ts';

/** Blocks of one byte: what counts here is their number. */
const pieceCount = 17_000;
const geometry = geometryOf(pieceCount * 16_384, 16_384);

test('clients 29: a peer without BEP 6 that asked for more than is queued is choked and unchoked once all is served, and asks again', () => {
  const world = new World();
  const host = world.add(new Host({ id: 1, have: 'all', geometry }));
  const peer = new Remote(world, host, 90);
  peer.say({ type: 'interested' });
  world.settle();
  peer.heard();
  const one = encodeMessage({ type: 'request', piece: 0, begin: 0, length: 1 });
  const chunk = new Uint8Array(pieceCount * one.length);
  for (let piece = 0; piece < pieceCount; piece++)
    chunk.set(encodeMessage({ type: 'request', piece, begin: 0, length: 1 }), piece * one.length);
  host.handle({ type: 'bytes-received', peer: 90, chunk, start: 0, end: chunk.length }, world.now);
  world.settle();
  const heard = peer.heard().filter(({ type }) => type !== 'keep-alive');
  expect(heard.filter(({ type }) => type === 'piece')).toHaveLength(16_384);
  expect(heard.slice(-2)).toEqual([{ type: 'choke' }, { type: 'unchoke' }]);
  peer.say({ type: 'request', piece: 16_999, begin: 0, length: 1 });
  world.settle();
  expect(peer.heard().map(({ type }) => type)).toEqual(['piece']);
});
