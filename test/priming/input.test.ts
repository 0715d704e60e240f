import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/model/families/families.js';
import { loadTokenizer, type Tokenizer } from '../../src/model/tokenizer/tokenizer.js';
import { buildInput, SEGMENTS, tokenisationOf, type Visibility, visibleRanges } from '../../src/priming/input.js';
import { referenceFixture } from '../support/fixtures.js';
import type { ReferenceCase } from '../support/reference.js';

const folder = referenceFixture('text');
const NO_LIMIT = { maxTokens: 100_000 };

interface Text {
  name: string;
  document: string;
  prefix?: string;
  visibility: Visibility;
}

let tokenizer: Tokenizer;
beforeAll(async () => {
  // As transformers was called for the fixture.
  tokenizer = await loadTokenizer(folder, await readConfig(folder), 'keep');
});

const visibleRows = (ranges: readonly { start: number; end: number }[]) =>
  ranges.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i));

describe('inputs', () => {
  // Token ids and visible rows counted out by Python, see tools/reference/text_fixture.py.
  const texts: Text[] = JSON.parse(readFileSync(path.join(folder, 'texts.json'), 'utf8'));
  const { cases }: { cases: ReferenceCase[] } = JSON.parse(readFileSync(path.join(folder, 'cases.json'), 'utf8'));

  it.each(texts.map((text, i) => ({ ...text, expected: cases[i]! })))(
    '$name: ids and visible rows are Python’s',
    (text) => {
      const { expected, visibility } = text;
      expect(expected.name).toBe(text.name);
      const input = buildInput(tokenizer, text, tokenisationOf(visibility), NO_LIMIT);
      expect([...input.tokenIds]).toEqual(expected.ids);
      expect(visibleRows(visibleRanges(input, visibility))).toEqual(expected.visible);
    },
  );

  it('shows that one string can hold other ids than its parts', () => {
    const parts = { prefix: 'when is it open\n', document: 'Opening hours:' };
    const joint = buildInput(tokenizer, parts, 'joint', NO_LIMIT);
    const apart = buildInput(tokenizer, parts, 'segments', NO_LIMIT);
    expect(joint.tokenIds.length).toBe(apart.tokenIds.length - 1);
  });
});

describe('visibility', () => {
  const input = () => buildInput(tokenizer, { prefix: 'lamp', document: 'The lamp' }, 'segments', NO_LIMIT);

  it('is a set of segments', () => {
    const { spans, tokenIds } = input();
    expect(Object.keys(spans)).toEqual(['bos', 'prefix', 'separator', 'document']);
    expect(Object.values(spans).map(({ start }) => start)).toEqual([
      0,
      1,
      spans.separator!.start,
      spans.document!.start,
    ]);
    expect(visibleRows(visibleRanges(input(), [...SEGMENTS]))).toEqual([...tokenIds.keys()]);
    expect(visibleRanges(input(), ['document', 'bos'])).toEqual([spans.bos, spans.document]);
    expect(visibleRanges(input(), [])).toEqual([]);
  });

  it('shows nothing of a segment that is not there', () => {
    const bare = buildInput(tokenizer, { document: 'The lamp' }, 'segments', NO_LIMIT);
    expect(visibleRanges(bare, ['prefix', 'separator'])).toEqual([]);
  });

  it('refuses an input of the other tokenisation', () => {
    expect(() => visibleRanges(input(), 'published')).toThrow('needs joint tokenisation');
  });

  it('hides nothing of a bare document under the published mask', () => {
    const bare = buildInput(tokenizer, { document: 'The lamp' }, 'joint', NO_LIMIT);
    expect(visibleRanges(bare, 'published')).toEqual([{ start: 0, end: bare.tokenIds.length }]);
  });
});

describe('the limit', () => {
  const texts = {
    prefix: 'the lamp on the desk',
    document: 'It costs 24.90 euros and comes in green, white and black.',
  };

  it.each(['joint', 'segments'] as const)('cuts the document at its end, never the prefix (%s)', (tokenisation) => {
    const whole = buildInput(tokenizer, texts, tokenisation, NO_LIMIT);
    const cut = buildInput(tokenizer, texts, tokenisation, { maxTokens: whole.tokenIds.length - 5 });
    expect([...cut.tokenIds]).toEqual([...whole.tokenIds].slice(0, -5));
    expect(cut).toMatchObject({
      cutTokens: 5,
      documentTokens: whole.documentTokens - 5,
      prefixTokens: whole.prefixTokens,
      publishedCount: whole.publishedCount,
    });
  });

  it.each(['joint', 'segments'] as const)('keeps no more document tokens than asked for (%s)', (tokenisation) => {
    const limits = { ...NO_LIMIT, maxDocumentTokens: 4 };
    expect(buildInput(tokenizer, texts, tokenisation, limits).documentTokens).toBe(4);
    expect(buildInput(tokenizer, { document: texts.document }, tokenisation, limits).documentTokens).toBe(4);
  });

  it('says that a prefix leaves no room', () => {
    const prefixTokens = tokenizer.encode(texts.prefix).length;
    for (const tokenisation of ['joint', 'segments'] as const) {
      expect(() => buildInput(tokenizer, texts, tokenisation, { maxTokens: prefixTokens + 2 })).toThrow(
        expect.objectContaining({
          code: 'INPUT_TOO_LONG',
          message: expect.stringContaining(`${prefixTokens + 2} tokens`),
        }),
      );
      expect(buildInput(tokenizer, texts, tokenisation, { maxTokens: prefixTokens + 3 }).documentTokens).toBe(1);
    }
  });

  it('holds for any texts', () => {
    const word = fc.constantFrom('lamp', ' the', '\n', 'é', '24.90', ' ', '☕', 'zzz');
    const text = fc.array(word, { minLength: 1, maxLength: 30 }).map((words) => words.join(''));
    fc.assert(
      fc.property(text, text, fc.integer({ min: 130, max: 200 }), (prefix, document, maxTokens) => {
        for (const tokenisation of ['joint', 'segments'] as const) {
          const input = buildInput(tokenizer, { prefix, document }, tokenisation, { maxTokens });
          expect(input.tokenIds.length).toBeLessThanOrEqual(maxTokens);
          expect(input.documentTokens + input.cutTokens).toBe(tokenizer.encode(document).length);
        }
        const { spans, tokenIds } = buildInput(tokenizer, { prefix, document }, 'segments', { maxTokens });
        const kept = tokenIds.subarray(spans.document!.start);
        expect([...kept]).toEqual([...tokenizer.encode(document)].slice(0, kept.length));
      }),
    );
  });
});
