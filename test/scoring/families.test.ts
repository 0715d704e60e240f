/**
 * Further families all the way: texts in a frame of an end of text alone, and in one on both sides, scored, primed, ranked and experimented with. Their weights are
 * random; nothing is said of them.
 */
import { describe, expect, it } from 'vitest';
import { EXPERIMENTS } from '../../src/experiments/catalogue/registry.js';
import { conditionsFor } from '../../src/experiments/plan/conditions.js';
import { runExperiment } from '../../src/experiments/run/run.js';
import { buildInput, segmentsOf } from '../../src/priming/input.js';
import { datasetOf } from '../../src/samples/dataset.js';
import { scoreTexts, type TextScore } from '../../src/scoring/inputs.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { prime } from '../../src/serving/prime.js';
import { rank } from '../../src/serving/rank.js';
import type { RankedQuery } from '../../src/serving/ranked-query.js';
import { openStore } from '../../src/store/open.js';
import { temporaryFolder } from '../support/fixtures.js';
import { KINDS, type Kind, writeSmallCheckpoint } from '../support/small-checkpoints.js';

const THINGS = ['lamp', 'desk', 'chair', 'clock'];
const documentOf = (thing: string) => `The ${thing} costs ${thing.length + 3} euros.`;

describe.each(['t5', 'bart'] as const)('%s', (family) => {
  it.each(['float32', 'int8'] as const)('scores, primes, ranks and runs experiments as %s', async (precision) => {
    const kind = KINDS[family];
    const folder = await writeSmallCheckpoint(kind, await temporaryFolder());
    const model = await loadModel(folder, { cacheDirectory: await temporaryFolder(), precision, ignoreDrift: true });
    try {
      expect(model.engine.info.family).toBe(family);
      await expectAllOf(model, kind);
    } finally {
      await model.close();
    }
  });
});

async function expectAllOf(model: Model, { hasBos, end }: Kind): Promise<void> {
  const { tokenizer } = model;
  expect(model.formerly).toEqual([]);
  expect(segmentsOf(tokenizer).has('bos')).toBe(hasBos);
  expect(segmentsOf(tokenizer).has('eos')).toBe(true);
  const input = buildInput(tokenizer, { document: documentOf('lamp'), prefix: 'price' }, 'segments', { maxTokens: 64 });
  expect(input.tokenIds.at(-1)).toBe(end);

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

  // A document that is longer than the model's positions is cut to them, whatever length is asked for.
  const { mostRows } = model.engine.info.shape.encoder;
  const long = { id: 'long', text: `${documentOf('lamp')} `.repeat(80) };
  const [cut] = await scoreTexts(model, [{ document: long.text, target: 'lamp' }], { maxTokens: 2048 });
  expect([(cut as TextScore).cutTokens > 0, (cut as TextScore).documentTokens > 400]).toEqual([
    mostRows !== null,
    true,
  ]);
  expect(await prime(model, store, [long], { surrogates: ['doc_kw'] })).toMatchObject({ primed: 1, rejected: 0 });

  // A segment that no input has is refused by name wherever it is asked for.
  const [absent] = (['bos', 'separator', 'eos'] as const).filter((segment) => !segmentsOf(tokenizer).has(segment));
  if (absent) {
    const asked = [{ document: documentOf('lamp'), visibility: [absent, 'document' as const], target: 'lamp' }];
    const [refused] = await scoreTexts(model, asked, { maxTokens: 64 });
    const said = { code: 'INPUT_INVALID', message: expect.stringContaining(`visibility names "${absent}"`) };
    expect(refused).toMatchObject(said);
    await expect(prime(model, store, documents, { visibility: [absent, 'document'] })).rejects.toMatchObject(said);
  }
  await store.close();

  // What needs BOS is left out by name, and the rest goes its way.
  const { leftOut } = conditionsFor(EXPERIMENTS.bos!, segmentsOf(tokenizer));
  expect(leftOut.length > 0).toBe(!hasBos);
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
