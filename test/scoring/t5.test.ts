/** A T5 all the way: texts in a frame of an end of text alone, scored, primed, ranked and experimented with. Its weights are random; nothing is said of them. */
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { EXPERIMENTS } from '../../src/experiments/catalogue/registry.js';
import { conditionsFor } from '../../src/experiments/plan/conditions.js';
import { runExperiment } from '../../src/experiments/run/run.js';
import { writeRandomCheckpoint } from '../../src/model/random-checkpoint.js';
import { buildInput, segmentsOf } from '../../src/priming/input.js';
import { datasetOf } from '../../src/samples/dataset.js';
import { scoreTexts } from '../../src/scoring/inputs.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { prime } from '../../src/serving/prime.js';
import { type RankedQuery, rank } from '../../src/serving/rank.js';
import { openStore } from '../../src/store/open.js';
import { referenceFixture, temporaryFolder } from '../support/fixtures.js';

const CONFIG = {
  model_type: 't5',
  vocab_size: 512,
  d_model: 48,
  d_kv: 8,
  d_ff: 96,
  num_layers: 2,
  num_heads: 4,
  feed_forward_proj: 'gated-gelu',
  tie_word_embeddings: false,
  decoder_start_token_id: 0,
  eos_token_id: 1,
};

const THINGS = ['lamp', 'desk', 'chair', 'clock'];
const documentOf = (thing: string) => `The ${thing} costs ${thing.length + 3} euros.`;

/** Random weights, and the words of the fixture `text` in T5's frame. */
async function checkpoint(): Promise<string> {
  const [source, folder] = [await temporaryFolder(), await temporaryFolder()];
  await writeFile(path.join(source, 'config.json'), JSON.stringify(CONFIG));
  await copyFile(
    path.join(referenceFixture('text'), 'tokenizer_config.json'),
    path.join(source, 'tokenizer_config.json'),
  );
  const tokenizer = JSON.parse(await readFile(path.join(referenceFixture('text'), 'tokenizer.json'), 'utf8'));
  tokenizer.post_processor.single = [
    { Sequence: { id: 'A', type_id: 0 } },
    { SpecialToken: { id: '<eos>', type_id: 0 } },
  ];
  tokenizer.post_processor.special_tokens = { '<eos>': { id: '<eos>', ids: [1], tokens: ['<eos>'] } };
  await writeFile(path.join(source, 'tokenizer.json'), JSON.stringify(tokenizer));
  await writeRandomCheckpoint(source, folder, 7);
  return folder;
}

it.each(['float32', 'int8'] as const)('scores, primes, ranks and runs experiments as %s', async (precision) => {
  const model = await loadModel(await checkpoint(), { cacheDirectory: await temporaryFolder(), precision });
  try {
    await expectAllOf(model);
  } finally {
    await model.close();
  }
});

async function expectAllOf(model: Model): Promise<void> {
  const { tokenizer, engine } = model;
  expect(engine.info.family).toBe('t5');
  expect(model.formerly).toEqual([]);
  expect([...segmentsOf(tokenizer)]).not.toContain('bos');
  const input = buildInput(tokenizer, { document: documentOf('lamp'), prefix: 'price' }, 'segments', { maxTokens: 64 });
  expect(input.tokenIds.at(-1)).toBe(1);

  // What is stored gives what is computed.
  const store = await openStore('memory:');
  const documents = THINGS.map((thing) => ({ id: thing, text: documentOf(thing) }));
  expect(await prime(model, store, documents, { surrogates: ['doc_kw'] })).toMatchObject({ primed: 4, rejected: 0 });
  const queries = [{ id: 'q', text: 'a cheap lamp', candidates: THINGS.map((id) => ({ id })) }];
  const { value: ranked } = await rank(model, store, queries, { variant: 'bare' }).next();
  const direct = await scoreTexts(
    model,
    THINGS.map((thing) => ({ document: documentOf(thing), target: 'a cheap lamp' })),
    { maxTokens: 2048 },
  );
  for (const [at, thing] of THINGS.entries()) {
    const stored = (ranked as RankedQuery).documents.find(({ id }) => id === thing)!;
    expect(stored.nll).toBeCloseTo((direct[at] as { nll: number }).nll, 5);
  }
  await store.close();

  // What needs BOS is left out by name, and the rest goes its way.
  const { leftOut } = conditionsFor(EXPERIMENTS.bos!, segmentsOf(tokenizer));
  expect(leftOut.length).toBeGreaterThan(0);
  const samples = THINGS.map((thing) => ({
    id: thing,
    document: documentOf(thing),
    query: `How much is the ${thing}?`,
    answer: `${thing.length + 3} euros`,
  }));
  const data = datasetOf({ name: 'things', revision: '1', licence: 'Apache-2.0', selection: 'all' }, samples);
  const directory = await temporaryFolder();
  const summary = await runExperiment(EXPERIMENTS.exp01!, data, model, { directory, resume: true, maxTokens: 512 });
  expect(summary.configuration.left_out).toBeUndefined();
  expect(summary.conditions.map(({ name }) => name)).toContain('bare_d');
}
