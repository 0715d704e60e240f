import { beforeAll, describe, expect, it } from 'vitest';
import { truncation } from '../../src/experiments/catalogue/truncation.js';
import { planBlocks } from '../../src/experiments/plan/block.js';
import type { Plan } from '../../src/experiments/plan/plan.js';
import { readConfig } from '../../src/model/families/families.js';
import { loadTokenizer, type Tokenizer } from '../../src/model/tokenizer/tokenizer.js';
import { surrogate } from '../../src/priming/surrogate.js';
import type { Experiment } from '../../src/runs/schema/experiment.js';
import type { Sample } from '../../src/samples/sample.js';
import { referenceFixture } from '../support/fixtures.js';

let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await loadTokenizer(referenceFixture('text'), await readConfig(referenceFixture('text')));
});

const sample = (id: string, document = 'The lamp costs 24 euros.', answer = '24 euros') => ({
  id,
  document,
  query: 'What does the lamp cost?',
  answer,
});
const planOf = (samples: readonly Sample[], experiment: Experiment = truncation): Plan => ({
  units: samples.map((sample, index) => ({ sample, index })),
  experiment,
  padding: [],
  prefix: (specification, { sample, index }) =>
    surrogate(specification).make(sample, { index, samples, seed: experiment.seed }),
});
const LIMITS = { maxTokens: 2048, maxUnits: 20, maxRows: 1e9 };

describe('Experiment 01', () => {
  it('has the conditions and comparisons of the protocol, by name', () => {
    expect(truncation.conditions.map(({ name }) => name)).toEqual([
      'bare',
      'bare_d',
      ...['oracle', 'surr_para', 'surr_doc'].flatMap((p) => [`${p}_full`, `${p}_published`, `${p}_d`]),
    ]);
    expect(truncation.comparisons).toHaveLength(9);
    for (const { treatment, baseline, oracle } of truncation.comparisons) {
      const suffix = treatment.slice(treatment.lastIndexOf('_'));
      expect(baseline).toBe(suffix === '_d' ? 'bare_d' : 'bare');
      expect(oracle).toBe(`oracle${suffix}`);
    }
  });
});

describe('blocks', () => {
  const samples = Array.from({ length: 45 }, (_, i) => sample(`s${i}`));

  it('hold every sample under every condition, once', () => {
    const blocks = [...planBlocks(planOf(samples), tokenizer, LIMITS)];
    expect(blocks.map((block) => block.units.length)).toEqual([20, 20, 5]);
    const keys = blocks.flatMap(({ trials }) => trials.map((trial) => `${trial.sample.id} ${trial.condition.name}`));
    expect(new Set(keys).size).toBe(45 * 11);
    expect(keys).toHaveLength(45 * 11);
  });

  it('score no more of a target than the protocol says', () => {
    const [answer] = samples.map((one) => tokenizer.encode(one.answer));
    const targets = (target_tokens?: number) => {
      const protocol = { ...truncation.protocol, ...(target_tokens !== undefined && { target_tokens }) };
      const [block] = planBlocks(planOf(samples, { ...truncation, protocol }), tokenizer, LIMITS);
      return block!.trials.map(({ target }) => target);
    };
    expect(answer!.length).toBeGreaterThan(2);
    for (const target of targets()) expect(target).toEqual(answer);
    for (const target of targets(2)) expect(target).toEqual(answer!.subarray(0, 2));
  });

  it('are closed early when their rows are many', () => {
    const blocks = [...planBlocks(planOf(samples), tokenizer, { ...LIMITS, maxRows: 1 })];
    expect(blocks.every((block) => block.units.length === 1)).toBe(true);
  });

  it('give a sample the same trials in any company', () => {
    const [alone] = planBlocks(planOf([samples[3]!]), tokenizer, LIMITS);
    const [together] = planBlocks(planOf(samples), tokenizer, LIMITS);
    expect(together!.trials.filter((trial) => trial.sample.id === 's3')).toEqual(alone!.trials);
  });

  it('cut a document to the same tokens in every condition', () => {
    const long = sample('long', 'The lamp costs 24 euros. '.repeat(20));
    const [block] = planBlocks(planOf([long]), tokenizer, { ...LIMITS, maxTokens: 150 });
    expect(new Set(block!.trials.map(({ parts }) => parts[0]!.input.documentTokens)).size).toBe(1);
    expect(Math.max(...block!.trials.map(({ parts }) => parts[0]!.item.tokenIds.length))).toBe(150);
    expect(block!.trials.every(({ parts }) => parts[0]!.input.cutTokens > 0)).toBe(true);
  });

  it('reject what cannot be scored, with the reason, and keep the others', () => {
    const rejected = [sample('empty', 'The lamp.', ''), sample('fine'), sample('long', 'The lamp.', '24 euros')];
    const prefix = { ...rejected[2]!, query: 'lamp '.repeat(200) };
    const [block] = planBlocks(planOf([rejected[0]!, rejected[1]!, prefix]), tokenizer, {
      ...LIMITS,
      maxTokens: 100,
    });
    expect(block!.rejections).toEqual([
      { sample: 'empty', rejected: 'the answer is empty' },
      { sample: 'long', rejected: expect.stringContaining('leave none for the document') },
    ]);
    expect(new Set(block!.trials.map((trial) => trial.sample.id))).toEqual(new Set(['fine']));
  });

  it('say where one string has other token ids than its parts', () => {
    const breaks = { ...sample('breaks'), query: 'What does the lamp cost?\n' };
    const [block] = planBlocks(planOf([breaks]), tokenizer, LIMITS);
    const differs = Object.fromEntries(block!.trials.map((t) => [t.condition.name, t.jointDiffers]));
    expect(differs).toMatchObject({
      bare: undefined,
      oracle_full: true,
      oracle_published: true,
      oracle_d: undefined,
      surr_doc_full: false,
    });
  });
});
