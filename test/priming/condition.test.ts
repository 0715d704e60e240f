import { beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/model/families/families.js';
import { loadTokenizer, type Tokenizer } from '../../src/model/tokenizer/tokenizer.js';
import { conditionSchema, type Encoding, present } from '../../src/priming/condition.js';
import { referenceFixture } from '../support/fixtures.js';

const LIMITS = { maxTokens: 1000 };
const DOCUMENT = 'The lamp costs 24 euros.';
const PREFIX = 'What does the lamp cost?';

let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await loadTokenizer(referenceFixture('text'), await readConfig(referenceFixture('text')));
});

const shown = (encoding: Encoding, prefix?: string) => present(tokenizer, encoding, DOCUMENT, prefix, LIMITS);

describe('a presented document', () => {
  it('has the segments it is told to have', () => {
    const ids = (text: string) => [...tokenizer.encode(text)];
    const bos = [...tokenizer.encodeFramed('')];
    const all = shown({ visibility: 'exact' }, PREFIX);
    expect([...all.item.tokenIds]).toEqual([...bos, ...ids(PREFIX), ...ids('\n'), ...ids(DOCUMENT)]);
    const line = shown({ separator: true, visibility: ['separator', 'document'] });
    expect([...line.item.tokenIds]).toEqual([...bos, ...ids('\n'), ...ids(DOCUMENT)]);
    expect(line.visible.map(({ start, end }) => end - start)).toEqual([1, ids(DOCUMENT).length]);
    const without = shown({ bos: false, separator: true, visibility: ['bos', 'document'] });
    expect([...without.item.tokenIds]).toEqual([...ids('\n'), ...ids(DOCUMENT)]);
    expect(without.visible).toEqual([{ start: 1, end: 1 + ids(DOCUMENT).length }]);
  });

  it('stands behind a prefix that is not there', () => {
    for (const visibility of ['published', 'exact'] as const) {
      const { item, input } = shown({ positions: 'after_prefix', visibility }, PREFIX);
      const count = shown({ visibility }, PREFIX).input.publishedCount;
      expect(input.prefixTokens).toBe(0);
      expect([...item.tokenIds]).toEqual([...tokenizer.encodeFramed(DOCUMENT)]);
      expect([...item.positions!]).toEqual([...item.tokenIds.keys()].map((row) => row + count));
    }
  });

  it('stands where it would without the prefix, which goes behind it', () => {
    const { item, input } = shown({ positions: 'prefix_last', visibility: 'published' }, PREFIX);
    const count = input.publishedCount;
    const rest = item.tokenIds.length - count;
    expect([...item.positions!.subarray(count)]).toEqual([...Array(rest).keys()]);
    expect([...item.positions!.subarray(0, count)]).toEqual([...Array(count).keys()].map((row) => row + rest));
  });

  it('stands as if the prefix took up no place', () => {
    const { item, input } = shown({ positions: 'without_prefix', visibility: 'exact' }, PREFIX);
    const { bos, separator, document } = input.spans;
    const seen = [bos!, separator!, document!].flatMap(({ start, end }) => [...item.positions!.subarray(start, end)]);
    expect(seen).toEqual([...seen.keys()]);
  });

  it('is shown without one of its rows, the same whatever stands before it', () => {
    const rows = (encoding: Encoding, prefix?: string) => {
      const { item, input, visible } = shown({ ...encoding, hidden: 'document_row' }, prefix);
      const own = input.spans.document!;
      const seen = visible.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, at) => start + at));
      const missing = [...Array(own.end - own.start).keys()].filter((at) => !seen.includes(own.start + at));
      return { missing, others: seen.filter((row) => row < own.start), ids: [...item.tokenIds] };
    };
    const bare = rows({ visibility: ['bos', 'document'] });
    expect(bare.missing).toHaveLength(1);
    expect(bare.others).toEqual([0]);
    // The encoder reads all of it.
    expect(bare.ids).toEqual([...tokenizer.encodeFramed(DOCUMENT)]);
    expect(rows({ visibility: 'exact' }, PREFIX)).toMatchObject({ missing: bare.missing, others: [] });
    const single = present(tokenizer, { visibility: 'exact', hidden: 'document_row' }, 'a', undefined, LIMITS);
    expect(single.input.documentTokens).toBe(1);
    expect(single.visible).toEqual([]);
    expect(() => shown({ visibility: 'full', hidden: 'document_row' })).toThrow('does not know its document');
    expect(conditionSchema.safeParse({ name: 'x', visibility: 'exact', hidden: 'bos' }).success).toBe(false);
  });

  it('hides columns from rows, by segment and by the published count', () => {
    const blocked = [
      { rows: ['separator' as const, 'document' as const], columns: ['bos' as const, 'prefix' as const] },
    ];
    const { item, input } = shown({ blocked, visibility: 'exact' }, PREFIX);
    const size = item.tokenIds.length;
    const count = input.publishedCount;
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        expect(item.pairMask![row * size + column]).toBe(row >= count && column < count ? 0 : 1);
      }
    }
    const joint = shown({ blocked: [{ rows: ['rest'], columns: ['counted'] }], visibility: 'published' }, PREFIX);
    expect(joint.item.pairMask).toEqual(item.pairMask);
    const unknown = {
      blocked: [{ rows: ['document' as const], columns: ['bos' as const] }],
      visibility: 'full' as const,
    };
    expect(() => shown(unknown, PREFIX)).toThrow('use counted and rest');
  });

  it('has the same key only where the encoder computes the same', () => {
    const keys = [
      shown({ visibility: 'exact' }, PREFIX),
      shown({ visibility: 'exact' }),
      shown({ visibility: 'exact', positions: 'prefix_last' }, PREFIX),
      shown({ visibility: 'exact', blocked: [{ rows: ['document'], columns: ['prefix'] }] }, PREFIX),
      shown({ visibility: 'exact', blocked: [{ rows: ['document'], columns: ['bos'] }] }, PREFIX),
    ].map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
    expect(shown({ visibility: 'published' }, PREFIX).key).toBe(keys[0]);
    expect(shown({ visibility: ['bos'] }, PREFIX).key).toBe(keys[0]);
  });
});

describe('a condition', () => {
  it('is refused when it is not understood', () => {
    const wrong = [
      { name: 'a', visibility: 'all' },
      { name: 'a', visibility: 'exact', surrogate: 'orcale' },
      { name: 'a', visibility: 'exact', mask: [] },
      { name: 'a', visibility: 'exact', document: { words: 3 } },
      { name: '', visibility: 'exact' },
    ];
    for (const condition of wrong) expect(conditionSchema.safeParse(condition).success).toBe(false);
  });
});
