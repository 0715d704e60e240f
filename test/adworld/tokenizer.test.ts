/** The built-in model's tokenizer in JavaScript against Python's, on texts of our own. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateAd } from '../../src/adworld/adworld.js';
import { readConfig } from '../../src/model/families/families.js';
import { loadTokenizer } from '../../src/model/tokenizer/tokenizer.js';
import { BUILT_IN_MODEL } from '../../src/scoring/load-model.js';

interface Case {
  readonly text: string;
  readonly ids: readonly number[];
  readonly bare: readonly number[];
  readonly decoded: string;
}

const read = (path: string): unknown => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'));
// As transformers is called without further arguments.
const tokenizer = await loadTokenizer(BUILT_IN_MODEL, await readConfig(BUILT_IN_MODEL), 'keep');
const { cases } = read('test/fixtures/tiny-tokenizer.json') as { readonly cases: readonly Case[] };
const BOS = 2;
const bare = (text: string): number[] => [...tokenizer.encode(text)];

describe('the built-in tokenizer', () => {
  it.each(cases.map((one) => [JSON.stringify(one.text).slice(0, 50), one] as const))(
    '%s',
    (_, { text, ids, ...other }) => {
      expect([...tokenizer.encodeFramed(text)]).toEqual(ids);
      expect(bare(text)).toEqual(other.bare);
      expect(tokenizer.decode(Int32Array.from(ids))).toBe(other.decoded);
    },
  );

  it('gives a prefix, a newline and a document the same ids together and apart', () => {
    const newline = bare('\n');
    expect(newline).toHaveLength(1);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(1000), (prefix, index) => {
        fc.pre(!prefix.includes('<'));
        const document = generateAd({ split: 'test', index }).text;
        expect([...tokenizer.encodeFramed(`${prefix}\n${document}`)]).toEqual([
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
        expect(tokenizer.decode(Int32Array.from(bare(part)))).toBe(part);
    }
  });
});
