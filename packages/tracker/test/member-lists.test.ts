import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BlockSlabs } from '../src/memory/block-slabs.ts';
import { MemberLists, emptyList } from '../src/memory/member-lists.ts';

test.each([2, 5])(
  'blocks of %i words an entry never overlap, and serve other sizes once they are released',
  (words) => {
    const sizes = [1, 2, 3, 10, 1024];
    const step = fc.record({
      size: fc.integer({ min: 0, max: sizes.length - 1 }),
      release: fc.boolean(),
      which: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 50, maxLength: 400 }), (steps) => {
        const slabs = new BlockSlabs(words, sizes, 2 ** 20, 27);
        const held: { block: number; entries: number; mark: number }[] = [];
        const each = (block: number, entries: number, visit: (array: Uint32Array, at: number) => void): void => {
          for (let index = 0; index < entries; index++) {
            const offset = slabs.offsetOf(block, index);
            for (let word = 0; word < words; word++) visit(slabs.words(offset), slabs.base(offset) + word);
          }
        };
        for (const [mark, { size, release, which }] of steps.entries()) {
          const [freed] = release ? held.splice(which % Math.max(1, held.length), 1) : [];
          if (freed !== undefined) {
            // One `expect` for all: a million of them would take a minute.
            let wrong = 0;
            each(freed.block, freed.entries, (array, at) => (wrong += array[at] === freed.mark ? 0 : 1));
            expect(wrong).toBe(0);
            slabs.release(freed.block);
            continue;
          }
          const block = slabs.allocate(size);
          each(block, sizes[size]!, (array, at) => (array[at] = mark));
          held.push({ block, entries: sizes[size]!, mark });
        }
        for (const { block } of held) slabs.release(block);
        const { chunks } = slabs;
        const perSlab = Math.floor(16_384 / words / 1024);
        for (let blocks = 0; blocks < chunks * 8 * perSlab; blocks++) slabs.allocate(4);
        expect(slabs.chunks).toBe(chunks);
      }),
    );
  },
);

test.each([2, 5])('lists of %i words an entry hold what was pushed, across every size and back', (words) => {
  const lists = new MemberLists(words, 10_000);
  const length = 3 * 1024 + 17;
  const at = (list: number, index: number): [Uint32Array, number] => {
    const offset = lists.offsetOf(list, index);
    return [lists.words(offset), lists.base(offset)];
  };
  const expectAll = (list: number, count: number): void => {
    let wrong = 0;
    for (let index = 0; index < count; index++) {
      const [array, base] = at(list, index);
      if (array[base] !== index || array[base + words - 1] !== index + words - 1) wrong++;
    }
    expect(wrong).toBe(0);
  };
  const round = (): void => {
    let list = emptyList;
    for (let index = 0; index < length; index++) {
      list = lists.push(list, index);
      const [array, base] = at(list, index);
      for (let word = 0; word < words; word++) array[base + word] = index + word;
      if (index % 97 === 0) expectAll(list, index + 1);
    }
    const some = Uint32Array.of(0, length - 1, 1024);
    lists.locate(list, some, 3);
    expect([...some]).toEqual([0, length - 1, 1024].map((index) => lists.offsetOf(list, index)));
    for (let left = length; left > 0; left--) {
      if (left % 97 === 0) expectAll(list, left);
      list = lists.pop(list, left);
    }
    expect(list).toBe(emptyList);
  };
  round();
  round();
});

test('a list that swings around a size is not copied each time', () => {
  const lists = new MemberLists(2, 100_000);
  let list = emptyList;
  let copies = 0;
  const note = (after: number): void => {
    if (after !== list) copies++;
    list = after;
  };
  for (let length = 0; length < 2100; length++) {
    note(lists.push(list, length));
    const settled = copies;
    for (let turn = 0; turn < 4; turn++) {
      note(lists.pop(list, length + 1));
      note(lists.push(list, length));
    }
    if (length > 1) expect(copies - settled).toBeLessThan(2);
  }
});
