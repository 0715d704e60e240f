/** The built-in model's tokenizer in JavaScript against Python's, on texts of our own. */
import { readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateAd } from '../../src/datasets/adworld/adworld.js';

interface Case {
  readonly text: string;
  readonly ids: readonly number[];
  readonly bare: readonly number[];
  readonly decoded: string;
}

const read = (path: string): unknown => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'));
const tokenizer = new Tokenizer(
  read('models/tiny/tokenizer.json') as object,
  read('models/tiny/tokenizer_config.json') as object,
);
const { cases } = read('test/fixtures/tiny-tokenizer.json') as { readonly cases: readonly Case[] };
const BOS = 2;
const bare = (text: string): number[] => tokenizer.encode(text, { add_special_tokens: false }).ids;

describe('the built-in tokenizer', () => {
  it.each(cases.map((one) => [JSON.stringify(one.text).slice(0, 50), one] as const))(
    '%s',
    (_, { text, ids, ...other }) => {
      expect(tokenizer.encode(text).ids).toEqual(ids);
      expect(bare(text)).toEqual(other.bare);
      expect(tokenizer.decode([...ids], { skip_special_tokens: true })).toBe(other.decoded);
    },
  );

  it('gives a prefix, a newline and a document the same ids together and apart', () => {
    const newline = bare('\n');
    expect(newline).toHaveLength(1);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(1000), (prefix, index) => {
        fc.pre(!prefix.includes('<'));
        const document = generateAd({ split: 'test', index }).text;
        expect(tokenizer.encode(`${prefix}\n${document}`).ids).toEqual([
          BOS,
          ...bare(prefix),
          ...newline,
          ...bare(document),
        ]);
      }),
      { numRuns: 100 },
    );
  });

  it('gets every text of an ad back', () => {
    for (let index = 0; index < 100; index++) {
      const { text, questions } = generateAd({ split: 'test', index });
      for (const part of [text, ...questions.map(({ query }) => query)])
        expect(tokenizer.decode(bare(part))).toBe(part);
    }
  });
});
