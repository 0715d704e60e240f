/** Texts cut where a tokenizer says that they can be: the parts have the ids of the whole. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { readConfig } from '../../src/model/families/families.js';
import { descriptionSchema } from '../../src/model/tokenizer/description.js';
import { type Codec, runPipeline } from '../../src/model/tokenizer/pipeline.js';
import { provenPipeline } from '../../src/model/tokenizer/pipelines.js';
import { loadTokenizer } from '../../src/model/tokenizer/tokenizer.js';
import { buildInput } from '../../src/priming/input.js';
import { BUILT_IN_MODEL } from '../../src/scoring/load-model.js';
import { referenceFixture } from '../support/fixtures.js';
import { gemma3Folder } from '../support/gemma3.js';
import { type Family, tokenizerFixture, unigramFixture } from '../support/tokenizers.js';

const strings = tokenizerFixture<string[]>('strings').filter((text) => text.length < 400);

function codecOf(json: object): Codec {
  const description = descriptionSchema.parse(json);
  const pipeline = provenPipeline(description);
  if ('refused' in pipeline) throw new Error(pipeline.refused);
  return runPipeline(pipeline, description.added_tokens);
}

/** Hard strings after one another, with and without a space between. */
function longText(random: Random, pieces: number): string {
  return Array.from({ length: pieces }, () => random.pick(strings) + (random.chance(0.3) ? ' ' : '')).join('');
}

/** @returns places where the text was cut */
function expectCuttable(codec: Codec, texts: number, random: Random): number {
  let cut = 0;
  for (let i = 0; i < texts; i++) {
    const text = longText(random, 8);
    const split = random.chance(0.5);
    const whole = codec.encode(text, split);
    for (let tries = 0; tries < 8; tries++) {
      const at = codec.cuts!.next(text, random.below(text.length));
      if (at === text.length) continue;
      cut++;
      const parts = [...codec.encode(text.slice(0, at), split), ...codec.encode(text.slice(at), split)];
      expect(parts, JSON.stringify([text.slice(at - 20, at), text.slice(at, at + 20)])).toEqual(whole);
    }
  }
  return cut;
}

describe.each([
  ['byte-fallback', tokenizerFixture],
  ['byte-level', tokenizerFixture],
  ['t5', unigramFixture],
] as const)('%s pipelines', (family, fixtureOf) => {
  const { tokenizer, pipelines } = fixtureOf<Family>(family);

  it('give the same ids in parts', () => {
    const random = new Random('cuts', family);
    const counts = pipelines.flatMap(({ changes }) => {
      const codec = codecOf({ ...tokenizer, ...changes });
      return codec.cuts ? [expectCuttable(codec, 30, random)] : [];
    });
    expect(counts.length).toBeGreaterThan(4);
    expect(Math.min(...counts)).toBeGreaterThan(30);
  });
});

it("T5's pipeline is cut beside a space that is a grapheme cluster of its own, whatever stands there else", () => {
  const { tokenizer, pipelines } = unigramFixture<Family>('t5');
  const cutsOf = (name: string) => {
    const { changes } = pipelines.find((pipeline) => pipeline.name === name)!;
    return codecOf({ ...tokenizer, ...changes }).cuts;
  };
  const cuts = cutsOf('T5')!;
  const running = 'Цена лампы 25 рублей, это дёшево. लैंप की कीमत पच्चीस यूरो है।\n'.repeat(4);
  for (let from = 0; from < running.length / 2; from++) expect(cuts.next(running, from) - from).toBeLessThan(22);
  // A sign that takes what is behind it, and a mark that joins what is before it.
  for (const joined of ['a\u0600 b', 'a \u0301b', 'a \u{e0100}b']) expect(cuts.next(joined, 1)).toBe(joined.length);
  expect(cuts.next('a\u{1d400} \u{1d400}b', 1)).toBe(3);
  expect(cutsOf('T5, sentinels that take white space')).toBeDefined();
  expect(cutsOf('legacy false, all added tokens that are not normalized')).toBeUndefined();
  expect(cutsOf('added tokens with all flags')).toBeUndefined();
  expect(cutsOf('stripped on neither side, Metaspace never')).toBeUndefined();
});

it("Gemma 3's tokenizer gives the same ids in parts, and finds places everywhere in running text", () => {
  const codec = codecOf(JSON.parse(readFileSync(path.join(gemma3Folder(), 'tokenizer.json'), 'utf8')));
  expect(expectCuttable(codec, 25, new Random('cuts', 'gemma'))).toBeGreaterThan(125);
  const words = 'Der Preis der Lampe beträgt 24,90 €, の価格は高い。Цена лампы 25 рублей.\n'.repeat(4);
  for (let from = 0; from < words.length / 2; from++) expect(codec.cuts!.next(words, from) - from).toBeLessThan(12);
});

it("the built-in model's tokenizer gives the same ids in parts", () => {
  const codec = codecOf(JSON.parse(readFileSync(path.join(BUILT_IN_MODEL, 'tokenizer.json'), 'utf8')));
  expect(expectCuttable(codec, 50, new Random('cuts', 'built-in'))).toBeGreaterThan(100);
});

describe.each([referenceFixture('text'), BUILT_IN_MODEL])('head, by the tokenizer of %s', (folder) => {
  const load = async () => loadTokenizer(folder, await readConfig(folder));

  it('begins with the tokens of the whole text, and has enough of them', async () => {
    const tokenizer = await load();
    const random = new Random('head');
    for (let i = 0; i < 40; i++) {
      const text = longText(random, 60);
      const tokens = 1 + random.below(60);
      const head = tokenizer.head(text, tokens);
      const whole = tokenizer.encode(text);
      const ids = tokenizer.encode(head);
      expect(text.startsWith(head)).toBe(true);
      expect([...ids]).toEqual([...whole.subarray(0, ids.length)]);
      expect(ids.length).toBeGreaterThanOrEqual(Math.min(tokens, whole.length));
    }
  });

  it('of a very long document makes the inputs that the document makes', async () => {
    const tokenizer = await load();
    const text = longText(new Random('document'), 300);
    const uncut = { ...tokenizer, head: (whole: string) => whole };
    const limits = { maxTokens: 64 };
    for (const tokenisation of ['joint', 'segments'] as const) {
      for (const prefix of [undefined, 'desk lamp price', '\n', ' ']) {
        const texts = { document: text, ...(prefix !== undefined && { prefix }) };
        const made = buildInput(tokenizer, texts, tokenisation, limits);
        const { cutTokens, ...wanted } = buildInput(uncut, texts, tokenisation, limits);
        expect({ ...made, cutTokens: 0 }).toEqual({ ...wanted, cutTokens: 0 });
        expect(made.cutTokens).toBeGreaterThan(0);
        expect(made.cutTokens).toBeLessThanOrEqual(cutTokens);
      }
    }
  });

  it('of 30 megabytes is had at once; what cannot be cut is refused at a length', async () => {
    const tokenizer = await load();
    const long = 'The lamp costs 24 euros. '.repeat(1_200_000);
    expect(tokenizer.head(long, 2048).length).toBeLessThan(40_000);
    expect(() => tokenizer.encode(long)).toThrow('at most 2000000 are tokenised in one piece');
    expect(() => tokenizer.head(`${long}\ud800`, 2048)).toThrow('half of a surrogate pair');
  });
});
