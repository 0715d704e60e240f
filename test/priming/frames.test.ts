/** Tokenizers that frame texts otherwise than Gemma's: no BOS, an end of text, a line break that is no token. */
import { beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/model/families/families.js';
import { loadTokenizer, type Tokenizer } from '../../src/model/tokenizer/tokenizer.js';
import { present } from '../../src/priming/condition.js';
import { buildInput, segmentsOf, type Visibility, visibleRanges } from '../../src/priming/input.js';
import { referenceFixture } from '../support/fixtures.js';

const EOS = 1;
const START = 7;
const DOCUMENT = 'The lamp is on the table.';
const PREFIX = 'where is it';

let gemma: Tokenizer;
beforeAll(async () => {
  gemma = await loadTokenizer(referenceFixture('text'), await readConfig(referenceFixture('text')), 'keep');
});

/** The fixture's words in another frame. @param breaks whether a line break is a token; white space like any other when not */
function framed(before: readonly number[], after: readonly number[], breaks: boolean): Tokenizer {
  const encode = (text: string) => gemma.encode(breaks ? text : text.replace(/\s+/g, ' ').trim());
  return {
    ...gemma,
    frame: { before, after },
    encode,
    encodeFramed: (text) => Int32Array.from([...before, ...encode(text), ...after]),
    head: (text) => text,
  };
}

const rows = (tokenizer: Tokenizer, visibility: Visibility, prefix?: string, maxTokens = 1000) => {
  const tokenisation = visibility === 'published' || visibility === 'full' ? 'joint' : 'segments';
  const input = buildInput(tokenizer, { document: DOCUMENT, ...(prefix !== undefined && { prefix }) }, tokenisation, {
    maxTokens,
  });
  const shown = visibleRanges(input, visibility).flatMap(({ start, end }) => [...input.tokenIds.subarray(start, end)]);
  return { input, shown };
};

describe('a frame of an end of text alone, as T5 has it', () => {
  const t5 = () => framed([], [EOS], false);

  it('has neither BOS nor separator', () => {
    expect([...segmentsOf(t5())].sort()).toEqual(['document', 'eos', 'prefix']);
    const { input } = rows(t5(), 'exact', PREFIX);
    expect(Object.keys(input.spans)).toEqual(['prefix', 'document', 'eos']);
    expect([...input.tokenIds]).toEqual([...t5().encode(PREFIX), ...t5().encode(DOCUMENT), EOS]);
    expect(input.publishedCount).toBe(t5().encode(PREFIX).length);
  });

  it('keeps the end of text visible in the published mask, hides it in the exact one', () => {
    const document = [...t5().encode(DOCUMENT)];
    expect(rows(t5(), 'published', PREFIX).shown).toEqual([...document, EOS]);
    expect(rows(t5(), 'exact', PREFIX).shown).toEqual(document);
    expect(rows(t5(), ['document', 'eos'], PREFIX).shown).toEqual([...document, EOS]);
    expect(rows(t5(), 'published').shown).toEqual([...document, EOS]);
  });

  it.each(['published', 'exact'] as const)('cuts the document before the end of text (%s)', (visibility) => {
    const most = t5().encode(PREFIX).length + 3;
    const { input } = rows(t5(), visibility, PREFIX, most);
    const [prefix, document] = [t5().encode(PREFIX), t5().encode(DOCUMENT)];
    const whole = visibility === 'exact' ? [...prefix, ...document] : [...t5().encode(`${PREFIX}\n${DOCUMENT}`)];
    expect([...input.tokenIds]).toEqual([...whole.slice(0, most - 1), EOS]);
    expect(input.documentTokens + input.cutTokens).toBe(document.length);
    if (visibility === 'exact') expect(input.documentTokens).toBe(2);
  });

  it('has no BOS to leave out', () => {
    const present_ = () => present(t5(), { bos: false, visibility: 'exact' }, DOCUMENT, PREFIX, { maxTokens: 1000 });
    expect(present_).toThrow('a BOS to leave out');
  });
});

describe('a frame on both sides, as BART has it', () => {
  const bart = () => framed([START], [EOS], true);

  it('has all segments, and loses BOS alone', () => {
    expect(segmentsOf(bart()).size).toBe(5);
    const { input, shown } = rows(bart(), 'exact', PREFIX);
    expect(input.tokenIds.at(0)).toBe(START);
    expect(shown).toEqual([...bart().encode(DOCUMENT)]);
    const without = present(bart(), { bos: false, visibility: ['document', 'eos'] }, DOCUMENT, PREFIX, {
      maxTokens: 1000,
    });
    expect([...without.item.tokenIds]).toEqual([...input.tokenIds.subarray(1)]);
    expect(without.input.spans.eos).toEqual({
      start: without.item.tokenIds.length - 1,
      end: without.item.tokenIds.length,
    });
    expect(without.input.publishedCount).toBe(input.publishedCount - 1);
  });
});
