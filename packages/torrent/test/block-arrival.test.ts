import { Bitfield, geometryOf } from '@shoal/pieces';
import { encodeHandshake, encodeMessage, pieceHeaderLength, writePieceHeader } from '@shoal/wire';
import { describe, expect, test } from 'vitest';
import { Torrent, type TorrentOutput, type TorrentReport } from '../src/index.ts';
import { idOf, infoHash, randomOf } from './harness.ts';

/** A torrent of one block, and remotes that are bytes written by hand. */
class Bench {
  readonly torrent: Torrent = new Torrent(
    { infoHash, geometry: geometryOf(16_384, 16_384), isPrivate: false },
    new Bitfield(1),
    { random: randomOf(1), peerId: idOf(9) },
  );
  readonly outputs: TorrentOutput[] = [];

  constructor() {
    this.note(this.torrent.handle({ type: 'started' }, 0));
  }

  /** A seed that speaks plain BEP 3 connects, tells what it has, and unchokes us. */
  seed(peer: number): void {
    const endpoint = { ip: `10.0.0.${peer}`, port: 6881 };
    this.note(this.torrent.handle({ type: 'peer-connected', peer, endpoint, incoming: true }, 1));
    this.says(peer, encodeHandshake({ infoHash, peerId: idOf(peer) }));
    this.says(peer, encodeMessage({ type: 'bitfield', bits: Bitfield.full(1).toBytes() }));
    this.says(peer, encodeMessage({ type: 'unchoke' }));
  }

  says(peer: number, chunk: Uint8Array): void {
    this.note(this.torrent.handle({ type: 'bytes-received', peer, chunk, start: 0, end: chunk.length }, 2));
  }

  checked(outcome: 'stored' | 'corrupt'): void {
    this.note(this.torrent.handle({ type: 'piece-checked', piece: 0, outcome }, 3));
  }

  note(outputs: readonly TorrentOutput[]): void {
    this.outputs.push(...outputs);
  }

  reported(type: TorrentReport['type']): number {
    return this.outputs.filter((output) => output.type === 'report' && output.report.type === type).length;
  }

  count(type: TorrentOutput['type']): number {
    return this.outputs.filter((output) => output.type === type).length;
  }
}

function blockMessage(): Uint8Array {
  const message = new Uint8Array(pieceHeaderLength + 16_384);
  writePieceHeader(message, 0, { piece: 0, begin: 0, length: 16_384 });
  return message;
}

describe('a block', () => {
  test('whose first half went into a buffer that failed its check is fetched again, not completed by its second half', () => {
    const bench = new Bench();
    bench.seed(1);
    bench.seed(2);
    const message = blockMessage();
    bench.says(1, message.subarray(0, 8000));
    bench.says(2, message);
    expect(bench.count('check-piece')).toBe(1);
    bench.checked('corrupt');
    bench.says(1, message.subarray(8000));
    expect(bench.count('check-piece')).toBe(1);
    bench.says(1, message);
    expect(bench.count('check-piece')).toBe(2);
    bench.checked('stored');
    expect(bench.torrent.complete).toBe(true);
  });

  test('that two peers write at once proves nothing against the one that ends it (nor against the other)', () => {
    const bench = new Bench();
    bench.seed(1);
    bench.seed(2);
    const message = blockMessage();
    bench.says(1, message.subarray(0, 8000));
    bench.says(2, message.subarray(0, 7000));
    bench.says(1, message.subarray(8000));
    expect(bench.count('check-piece')).toBe(1);
    bench.checked('corrupt');
    expect(bench.reported('peer-banned')).toBe(0);
    bench.says(2, message.subarray(7000));
    bench.says(1, message);
    bench.checked('corrupt');
    expect(bench.reported('peer-banned')).toBe(1);
  });

  test('whose first half came while the piece was being checked is not completed by its second half', () => {
    const bench = new Bench();
    bench.seed(1);
    bench.seed(2);
    const message = blockMessage();
    bench.says(2, message);
    bench.says(1, message.subarray(0, 8000));
    bench.checked('corrupt');
    bench.says(1, message.subarray(8000));
    expect(bench.count('check-piece')).toBe(1);
    bench.says(1, message);
    expect(bench.count('check-piece')).toBe(2);
  });
});
