import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BlockPages, pageClass, pageWords } from '../src/memory/block-pages.ts';
import { MemberLists, emptyList } from '../src/memory/member-lists.ts';

test('blocks never overlap, and pages become whole again when all blocks are released', () => {
  const step = fc.record({ size: fc.integer({ min: 1, max: 8 }), release: fc.boolean(), which: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { minLength: 50, maxLength: 300 }), (steps) => {
      const pages = new BlockPages();
      const held: { offset: number; size: number; mark: number }[] = [];
      for (const [mark, { size, release, which }] of steps.entries()) {
        const [freed] = release ? held.splice(which % Math.max(1, held.length), 1) : [];
        if (freed !== undefined) {
          for (let word = 0; word < 2 ** freed.size; word++) expect(pages.read(freed.offset + word)).toBe(freed.mark);
          pages.release(freed.offset, freed.size);
          continue;
        }
        const offset = pages.allocate(size);
        for (let word = 0; word < 2 ** size; word++) pages.write(offset + word, mark);
        held.push({ offset, size, mark });
      }
      for (const { offset, size } of held) pages.release(offset, size);
      const count = pages.count;
      for (let page = 0; page < count; page++) expect(pages.allocate(pageClass) % pageWords).toBe(0);
      expect(pages.count).toBe(count);
    }),
  );
});

test('lists hold what was pushed, across every size and back, and leave their memory to others', () => {
  const lists = new MemberLists();
  const length = 3 * pageWords + 17;
  const round = (): void => {
    let list = emptyList;
    for (let index = 0; index < length; index++) {
      list = lists.push(list, index, index);
      if ((index & (index + 1)) === 0) expect(lists.at(list, index >> 1)).toBe(index >> 1);
    }
    for (let index = 0; index < length; index += 997) expect(lists.at(list, index)).toBe(index);
    const some = Uint32Array.of(0, length - 1, pageWords);
    lists.lookUp(list, some, 3);
    expect([...some]).toEqual([0, length - 1, pageWords]);
    for (let left = length; left > 0; left--) {
      expect(lists.at(list, left - 1)).toBe(left - 1);
      list = lists.pop(list, left);
    }
    expect(list).toBe(emptyList);
  };
  round();
  round();
});
