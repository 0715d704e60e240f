import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { allRows, type Engine } from '../../src/engine/engine.js';
import { selfWriter } from '../../src/llm/self-writer.js';
import { queryIn } from '../../src/priming/answers.js';
import { prepareSurrogates } from '../../src/priming/prepare.js';
import { surrogate } from '../../src/priming/surrogate.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { temporaryFolder } from '../support/fixtures.js';

let model: Model;
beforeAll(async () => {
  // The built-in model, in batches small enough that documents fall into several.
  model = await loadModel(undefined, { batchTokens: 16 });
});
afterAll(() => model.close());

const documents = [
  'The Corvane desk lamp costs 24 euros and comes in green.',
  'A lamp.',
  'Fresh bread every morning, and cakes on Sundays. Opening hours: seven to noon. Our oven is the oldest in town.',
  'The bike has 21 gears, weighs 12 kg and is delivered within three days by the maker.',
];

/** The model with an engine that counts what it is asked. */
function counting({ engine, ...rest }: Model) {
  const encoded: number[] = [];
  const counted: Pick<Engine, 'info' | 'encode' | 'generate'> = {
    info: engine.info,
    encode: (items, options) => {
      encoded.push(items.length);
      return engine.encode(items, options);
    },
    generate: (items, options) => engine.generate(items, options),
  };
  return { model: { ...rest, engine: counted as Engine }, encoded };
}

/** Undefined where the model writes no word. */
async function byHand(document: string): Promise<string | undefined> {
  const { engine, tokenizer } = model;
  const [states] = await engine.encode([{ tokenIds: tokenizer.encodeFramed(document) }]);
  const [written] = await engine.generate([{ memory: [allRows(states!)], prompt: new Int32Array(0), maxTokens: 16 }]);
  return queryIn(tokenizer.decode(written!.tokenIds)).query;
}

describe('what the model writes itself', () => {
  it('is encode and generate by hand, in several batches', async () => {
    const { model: counted, encoded } = counting(model);
    const write = selfWriter(counted, { cacheDirectory: await temporaryFolder(), maxTokens: 512 });
    const progress: number[] = [];
    const texts = await write(documents, { onProgress: (done) => progress.push(done) });
    const expected: (string | undefined)[] = [];
    for (const document of documents) expected.push(await byHand(document));
    expect(new Set(expected).size).toBeGreaterThan(1);
    expect(texts.map((text) => (typeof text === 'string' ? text : undefined))).toEqual(expected);
    expect(encoded.length).toBeGreaterThan(1);
    expect(progress.at(-1)).toBe(documents.length);
  });

  it('is written again where control tokens of a document are read otherwise', async () => {
    const kept = await loadModel(undefined, { batchTokens: 16, controlTokens: 'keep' });
    onTestFinished(() => kept.close());
    const options = { cacheDirectory: await temporaryFolder(), maxTokens: 512 };
    const texts = ['The lamp <eos>costs 24 euros.', 'The lamp costs 24 euros.'];
    const [first, second] = [counting(kept), counting(model)];
    await selfWriter(first.model, options)(texts, {});
    await selfWriter(second.model, options)(texts, {});
    expect(first.encoded.reduce((a, b) => a + b)).toBe(2);
    expect(second.encoded).toEqual([1]);
    await selfWriter(second.model, options)(texts, {});
    expect(second.encoded).toEqual([1]);
  });

  it('is written once, for each model and length', async () => {
    const { model: counted, encoded } = counting(model);
    const cacheDirectory = await temporaryFolder();
    const options = { cacheDirectory, maxTokens: 512 };
    const first = await selfWriter(counted, options)(documents, {});
    const asked = encoded.length;
    expect(await selfWriter(counted, options)(documents, {})).toEqual(first);
    expect(encoded).toHaveLength(asked);
    await selfWriter({ ...counted, fingerprint: 'another' }, options)(documents.slice(0, 1), {});
    await selfWriter(counted, { cacheDirectory, maxTokens: 8 })(documents.slice(0, 1), {});
    expect(encoded).toHaveLength(asked + 2);
  });

  it('goes on after a stop with what is missing', async () => {
    const { model: counted, encoded } = counting(model);
    const write = selfWriter(counted, { cacheDirectory: await temporaryFolder(), maxTokens: 512 });
    const controller = new AbortController();
    const stopped = write(documents, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' });
    const done = encoded[0]!;
    encoded.length = 0;
    expect(await write(documents, {})).not.toContain(undefined);
    expect(encoded.reduce((a, b) => a + b)).toBe(documents.length - done);
  });

  it('is nothing for a document that cannot be read, or where no word is written', async () => {
    const { model: counted } = counting(model);
    const tokenizer = {
      ...model.tokenizer,
      decode: () => ' "" ',
    };
    const options = { cacheDirectory: await temporaryFolder(), maxTokens: 512 };
    const [failure] = await selfWriter({ ...counted, tokenizer }, options)(documents, {});
    expect(failure).toMatchObject({ code: 'INPUT_INVALID', message: expect.stringContaining('no word') });
    const tight = { cacheDirectory: await temporaryFolder(), maxTokens: 1 };
    const [tooLong] = await selfWriter(counted, tight)(documents, {});
    expect(tooLong).toMatchObject({ code: 'INPUT_TOO_LONG' });
  });

  it('is a surrogate', async () => {
    const samples = documents.map((document, i) => ({ id: `${i}`, document, query: 'a b', answer: 'c' }));
    const self = selfWriter(model, { cacheDirectory: await temporaryFolder(), maxTokens: 512 });
    const prepared = await prepareSurrogates(['self*2', 'scramble(self)'], samples, { self });
    const written = await byHand(documents[0]!);
    const text = surrogate('self*2').make(samples[0]!, { index: 0, samples, seed: 42, prepared });
    expect(text).toBe(`${written} ${written}`);
  });
});
