/**
 * T5 from texts to numbers: its own tokenizer, its frame and its arithmetic, as transformers has them for the fixture `text`; and the same for `codet5`, a T5 with
 * a tokenizer, a frame and ids of another form.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { readConfig } from '../../src/model/families/families.js';
import { describeLiterals, LiteralTokens } from '../../src/model/tokenizer/literal-tokens.js';
import { present } from '../../src/priming/condition.js';
import { buildInput, segmentsOf, type Visibility } from '../../src/priming/input.js';
import { scoreTexts } from '../../src/scoring/inputs.js';
import { loadModel, loadTokenizerOf, type Model } from '../../src/scoring/load-model.js';
import { FAMILY_FIXTURES } from '../support/fixtures.js';
import { type ReferenceCase, readFixture, TOLERANCES } from '../support/reference.js';

const FIXTURES = FAMILY_FIXTURES.T5ForConditionalGeneration!;
const FOLDER = path.join(FIXTURES, 'text');
const LIMITS = { maxTokens: 512 };

interface Text {
  readonly name: string;
  readonly document: string;
  readonly prefix?: string;
  readonly visibility: Visibility;
  readonly query?: string;
  readonly target: string;
}

/** As transformers was called for the fixtures. */
const loaded = (folder: string) => loadModel(folder, { controlTokens: 'keep' });

describe.each(['text', 'codet5'])('%s', (name) => {
  const folder = path.join(FIXTURES, name);
  const read = (file: string) => JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
  const texts: Text[] = read('texts.json');
  const { cases }: { cases: ReferenceCase[] } = read('cases.json');
  let model: Model;
  beforeAll(async () => {
    model = await loaded(folder);
  });
  afterAll(() => model.close());

  it.each(texts.map((text, i) => ({ ...text, expected: cases[i]! })))(
    "$name: ids, visible rows, prompt and target are Python's",
    ({ document, prefix, visibility, query = '', target, expected, name }) => {
      expect(expected.name).toBe(name);
      const { item, visible } = present(model.tokenizer, { visibility }, document, prefix, LIMITS);
      expect([...item.tokenIds]).toEqual(expected.ids);
      const rows = visible.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i));
      expect(rows).toEqual(expected.visible);
      expect([...model.tokenizer.encode(query)]).toEqual(expected.prompt);
      expect([...model.tokenizer.encode(target)]).toEqual(expected.target);
    },
  );

  it("NLLs are the reference's", async () => {
    const { expected } = await readFixture(folder);
    const scores = await scoreTexts(model, texts, LIMITS);
    for (const [i, score] of scores.entries()) {
      if (!('tokenNlls' in score)) throw score;
      const wanted = expected.get(`${texts[i]!.name}.nll`)!;
      expect(score.tokenNlls).toHaveLength(wanted.length);
      for (const [at, nll] of wanted.entries())
        expect(Math.abs(score.tokenNlls[at]! - nll)).toBeLessThan(TOLERANCES.nll);
    }
  });
});

it('ids of a T5 are those of its config, and what stands around a text is what its tokenizer says', async () => {
  const model = await loaded(path.join(FIXTURES, 'codet5'));
  onTestFinished(() => model.close());
  const { tokenizer, engine } = model;
  expect(engine.info).toMatchObject({
    family: 't5',
    shape: { decoderStartTokenId: 0, padTokenId: 0, stopTokenIds: [2] },
  });
  expect(tokenizer.frame).toEqual({ before: [1], after: [2] });
  expect(segmentsOf(tokenizer)).toEqual(new Set(['bos', 'prefix', 'separator', 'document', 'eos']));
});

describe('inputs of T5', () => {
  let model: Model;
  beforeAll(async () => {
    model = await loaded(FOLDER);
  });
  afterAll(() => model.close());
  const [document, prefix] = ['Our bakery opens at seven in the morning.', 'When does it open?'];

  it('stand in a frame of an end of text alone, and have neither BOS nor a line break', () => {
    const { tokenizer } = model;
    expect(tokenizer.frame).toEqual({ before: [], after: [1] });
    expect([...tokenizer.encodeFramed('')]).toEqual([1]);
    expect([...tokenizer.encode('\n')]).toEqual([]);
    expect([...segmentsOf(tokenizer)]).toEqual(['prefix', 'document', 'eos']);
    expect(() => present(tokenizer, { bos: false, visibility: 'exact' }, document, prefix, LIMITS)).toThrow('BOS');
  });

  it('have the same ids as one string and apart, and lose the end of the document when they are cut', () => {
    const { tokenizer } = model;
    const ids = [...tokenizer.encode(prefix), ...tokenizer.encode(document)];
    for (const tokenisation of ['joint', 'segments'] as const) {
      const whole = buildInput(tokenizer, { document, prefix }, tokenisation, LIMITS);
      expect([...whole.tokenIds]).toEqual([...ids, 1]);
      expect(whole.publishedCount).toBe(tokenizer.encode(prefix).length);
      const cut = buildInput(tokenizer, { document, prefix }, tokenisation, { maxTokens: ids.length - 4 });
      expect([...cut.tokenIds]).toEqual([...ids.slice(0, -5), 1]);
      expect(cut.cutTokens).toBe(5);
    }
  });

  it('of a very long document are those of its beginning', () => {
    const { tokenizer } = model;
    const long = 'The lamp costs 24.90 euros. '.repeat(100_000);
    expect(tokenizer.head(long, 512).length).toBeLessThan(10_000);
    const { tokenIds, documentTokens } = buildInput(tokenizer, { document: long }, 'joint', LIMITS);
    expect(documentTokens).toBe(511);
    expect([...tokenIds]).toEqual([...tokenizer.encode(long.slice(0, 5000)).subarray(0, 511), 1]);
  });
});

it('control tokens that are pieces of the vocabulary become themselves even where they are read as text, as in transformers', async () => {
  const asText = await loadTokenizerOf({ directory: FOLDER, config: await readConfig(FOLDER) });
  const ids = [...asText.encode('a </s> b')];
  expect(ids).toContain(1);
  expect(asText.controlTokensIn('a </s> <extra_id_3>')).toEqual(['</s>', '<extra_id_3>']);
  const literals = new LiteralTokens(asText);
  literals.see('a </s>', '<extra_id_3>');
  expect(literals.described('texts')).toBe(
    "1 texts with control tokens as they are written (</s>, <extra_id_3>), read as text, which this model's vocabulary turns into their own ids all the same.",
  );
});

it('control tokens are named as the model at hand reads them', () => {
  const described = (pieces: string[], controlTokens: 'text' | 'keep' = 'text') =>
    describeLiterals(2, 'samples', ['<mask>', '</s>'], controlTokens, pieces);
  expect(described([])).toMatch(/, read as text; --control-tokens keep makes control tokens of them\.$/);
  expect(described(['</s>'])).toMatch(
    /, read as text but for <\/s>, which this model's vocabulary turns into their own ids all the same; --control-tokens keep makes control tokens of all\.$/,
  );
  expect(described(['</s>'], 'keep')).toMatch(/, read as control tokens \(--control-tokens keep\)\.$/);
});
