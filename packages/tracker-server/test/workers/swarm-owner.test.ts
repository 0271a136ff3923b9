import { expect, test } from 'vitest';
import type { ScrapeDone } from '../../src/index.ts';
import { AnswerReader } from '../../src/workers/answer-records.ts';
import { writeScrape } from '../../src/workers/question-records.ts';
import { RingReader, RingWriter, ringMemory } from '../../src/workers/ring.ts';
import { SwarmOwner } from '../../src/workers/swarm-owner.ts';

test('answers that find no room when they come, later, leave as soon as there is some', async () => {
  const [questions, answers] = [ringMemory(4096), ringMemory(512)];
  const waiting: ScrapeDone[] = [];
  const service = {
    announce: (): never => expect.unreachable(),
    scrape: (_hashes: readonly Uint8Array[], _now: number, done: ScrapeDone): void => void waiting.push(done),
  };
  const owner = new SwarmOwner(service, () => 0, new RingReader(questions), new RingWriter(answers, () => {}));
  const asker = new RingWriter(questions, () => {});
  for (let id = 0; id < 10; id++) {
    asker.write(28, (bytes, view, at) => writeScrape(bytes, view, at, id, [new Uint8Array(20)]));
  }
  owner.serve();
  for (const done of waiting) done({ failureReason: 'x'.repeat(60) });
  const ids: number[] = [];
  const [ring, reader] = [new RingReader(answers), new AnswerReader()];
  while (ids.length < 10) {
    ring.drain(1, (bytes, view, at, length) => void ids.push(reader.read(bytes, view, at, length).id));
    await new Promise(setImmediate);
  }
  expect(ids).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  owner.close();
});
