/** Arms beside an experiment's own conditions: a prefix without content, no document, other beginnings of the target. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allRows } from '../../src/engine/engine.js';
import { EXPERIMENTS } from '../../src/experiments/catalogue/registry.js';
import { defineExperiment, parseExperiment } from '../../src/experiments/declaration/define.js';
import { conditionsFor } from '../../src/experiments/plan/conditions.js';
import { runExperiment } from '../../src/experiments/run/run.js';
import { SEGMENTS } from '../../src/priming/input.js';
import { readerData } from '../../src/report/formats/sample-reader.js';
import { describeMachinery } from '../../src/report/words/machinery.js';
import { readRun } from '../../src/runs/run-folder.js';
import type { Trial } from '../../src/runs/schema/entry.js';
import { experimentSchema } from '../../src/runs/schema/experiment.js';
import type { FinishedRun } from '../../src/runs/schema/run.js';
import { datasetOf } from '../../src/samples/dataset.js';
import { scoreTexts } from '../../src/scoring/inputs.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { referenceFixture } from '../support/fixtures.js';

const NAMES = ['lamp', 'desk', 'chair', 'kettle', 'clock', 'tent', 'radio', 'sofa'];
const data = datasetOf(
  { name: 'lamps', revision: '1', licence: 'Apache-2.0', selection: 'all' },
  NAMES.map((name, i) => ({
    id: `lamps-${i}`,
    document: `The ${name} number ${i} costs ${i + 3} euros.`,
    query: `How much is the ${name}${i % 2 === 0 ? ', in euros' : ''}?`,
    answer: `${i + 3} euros`,
  })),
);
const declaration = {
  id: 'armed',
  title: 'Armed',
  question: 'What of a gain is content?',
  prompt: 'query' as const,
  conditions: [
    { name: 'bare', visibility: 'exact' as const },
    { name: 'oracle', surrogate: 'oracle', visibility: 'exact' as const },
    { name: 'lead', surrogate: 'lead', visibility: 'exact' as const },
  ],
  comparisons: [
    { treatment: 'oracle', baseline: 'bare', family: 'exact' },
    { treatment: 'lead', baseline: 'bare', family: 'exact' },
    { treatment: 'oracle', baseline: 'lead' },
  ],
};
const ALL_ARMS = ['machinery', 'no_document', 'target_form'] as const;
const armed = defineExperiment({ ...declaration, arms: [...ALL_ARMS], outcomes: ['contrast'] });

describe('an experiment with arms', () => {
  it('has their conditions, comparisons and contrasts behind its own', () => {
    expect(armed.conditions.map(({ name }) => name)).toEqual([
      ...['bare', 'oracle', 'lead', 'no_document'],
      ...['bare_space', 'oracle_space', 'bare_line', 'oracle_line'],
      ...['oracle_neutral', 'lead_neutral', 'oracle_space_neutral', 'oracle_line_neutral'],
    ]);
    expect(armed.conditions.at(-4)).toEqual({
      name: 'oracle_neutral',
      surrogate: 'neutral(oracle)',
      visibility: 'exact',
    });
    expect(armed.comparisons.map(({ control }) => control)).toEqual([
      ...['oracle_neutral', 'lead_neutral', undefined, undefined],
      ...['oracle_space_neutral', 'oracle_line_neutral'],
    ]);
    expect(armed.comparisons.slice(3)).toMatchObject([
      { treatment: 'bare', baseline: 'no_document' },
      { treatment: 'oracle_space', baseline: 'bare_space' },
      { treatment: 'oracle_line', baseline: 'bare_line' },
    ]);
    expect(armed.contrasts.map(({ title, contrasts }) => [title, contrasts.length])).toEqual([
      ['Machinery and content, exact', 6],
      ['Machinery and content, exact, other beginnings of the target', 6],
    ]);
  });

  it('is the same again when it comes from a record', () => {
    const { functions: _, ...recorded } = armed;
    expect(parseExperiment(JSON.parse(JSON.stringify(experimentSchema.parse(recorded))))).toEqual(armed);
  });

  it('may be any of those that there are, where they score samples', () => {
    for (const experiment of Object.values(EXPERIMENTS)) {
      const asked = () => parseExperiment({ ...experiment, arms: ['machinery', 'target_form'] });
      if (experiment.unit === 'probe') expect(asked, experiment.id).toThrow('a probe scores nothing');
      else expect(asked().conditions.length, experiment.id).toBeGreaterThan(experiment.conditions.length);
    }
  });

  it('divides the gains of rankings by comparisons, which have no contrasts', () => {
    const pools = { ...declaration, unit: 'pool' as const, measures: ['AUC'] };
    const { comparisons, contrasts } = defineExperiment({ ...pools, arms: ['machinery'] });
    expect(contrasts).toEqual([]);
    expect(comparisons.slice(3)).toEqual([
      { treatment: 'oracle_neutral', baseline: 'bare', family: 'exact machinery' },
      { treatment: 'oracle', baseline: 'oracle_neutral', family: 'exact content' },
      { treatment: 'lead_neutral', baseline: 'bare', family: 'exact machinery' },
      { treatment: 'lead', baseline: 'lead_neutral', family: 'exact content' },
    ]);
    expect(() => defineExperiment({ ...pools, arms: ['no_document'] })).toThrow('all candidates are one');
  });

  it('is refused where an arm has nothing to be of, or a name is taken', () => {
    const [bare, oracle] = declaration.conditions as [
      (typeof declaration.conditions)[0],
      (typeof declaration.conditions)[0],
    ];
    const one = { ...declaration, conditions: [bare], comparisons: [] };
    expect(() => defineExperiment({ ...one, arms: ['machinery'] })).toThrow(
      'none is compared with a document without one',
    );
    expect(() => defineExperiment({ ...one, arms: ['target_form'] })).toThrow('needs a comparison');
    const taken = { ...one, conditions: [bare, { ...oracle, name: 'no_document' }] };
    expect(() => defineExperiment({ ...taken, arms: ['no_document'] })).toThrow('there is another one of that name');
    const blind = {
      ...one,
      conditions: [bare, { name: 'none', document: 'none' as const, visibility: 'exact' as const }],
    };
    expect(() => defineExperiment(blind)).toThrow('of which only visibility "full" shows anything');
  });

  it('leaves out what a model has nothing for', () => {
    const without = (...left: string[]) => new Set(SEGMENTS.filter((segment) => !left.includes(segment)));
    const leftOut = (segments: ReturnType<typeof without>) => conditionsFor(armed, segments).leftOut;
    expect(leftOut(without('bos'))).toEqual([]);
    expect(leftOut(without('bos', 'eos'))).toEqual([
      { condition: 'no_document', reason: 'inputs of this model have no BOS and no EOS' },
    ]);
  });
});

describe('a run with arms', () => {
  let model: Model;
  let root: string;
  let finished: FinishedRun;
  let trialOf: (sample: string, condition: string) => Trial;
  beforeAll(async () => {
    model = await loadModel(referenceFixture('text'), { batchTokens: 256 });
    root = await mkdtemp(path.join(os.tmpdir(), 'dkv-arms-'));
    await runExperiment(armed, data, model, { directory: path.join(root, 'run'), resume: false, maxTokens: 512 });
    finished = await readRun(path.join(root, 'run'));
    const trials = new Map(finished.trials.map((trial) => [`${trial.sample}|${trial.condition}`, trial]));
    trialOf = (sample, condition) => trials.get(`${sample}|${condition}`)!;
  });
  afterAll(async () => {
    await model.close();
    await rm(root, { recursive: true, force: true });
  });

  it('has a prefix without content of as many tokens', () => {
    for (const { id } of data.samples) {
      for (const name of ['oracle', 'lead']) {
        const control = trialOf(id, `${name}_neutral`);
        expect(control.prefix).toMatch(/^the( the)*$/);
        expect(control.prefix_tokens).toBe(trialOf(id, name).prefix_tokens);
      }
    }
  });

  it('divides each gain into machinery and content, in NLL and in every outcome', () => {
    const [group] = finished.summary.contrasts;
    const means = group!.contrasts.map(({ gain }) => gain.mean.value!);
    expect(means[1]! + means[2]!).toBeCloseTo(means[0]!, 10);
    const [about, ...lines] = describeMachinery(finished.summary);
    expect(about).toContain('what a prefix without content gains as well (machinery)');
    expect(lines[0]).toMatch(/^ {2}oracle: machinery [+−]?[\d.]+ .*, content [+−]?[\d.]+ /);
    expect(describeMachinery({ ...finished.summary, contrasts: [] })).toEqual([]);
    const losses = new Map(
      finished.summary.contrast!.comparisons.map(({ treatment, baseline, loss }) => [
        `${treatment} over ${baseline}`,
        loss.value!,
      ]),
    );
    expect(losses.get('oracle_neutral over bare')! + losses.get('oracle over oracle_neutral')!).toBeCloseTo(
      losses.get('oracle over bare')!,
      10,
    );
  });

  it('scores answers without a document from what stands around one', async () => {
    const [sample] = data.samples;
    const trial = trialOf(sample!.id, 'no_document');
    expect(trial).toMatchObject({ document_tokens: 0, prefix_tokens: 0 });
    const [states] = await model.engine.encode([{ tokenIds: model.tokenizer.encodeFramed('') }]);
    const { query, answer } = sample!;
    const [nlls] = await model.engine.score([
      {
        memory: [allRows(states!)],
        prompt: model.tokenizer.encode(query),
        target: model.tokenizer.encode(answer),
      },
    ]);
    for (const [i, nll] of nlls!.entries()) expect(trial.token_nlls[i]).toBeCloseTo(nll, 4);
  });

  it('scores a blank before the target as part of it, and does not score a line break', async () => {
    const [{ id, document, query, answer }] = data.samples as [(typeof data.samples)[number]];
    const [space, line] = await scoreTexts(
      model,
      [
        { document, query, target: ` ${answer}` },
        { document, query: `${query}\n`, target: answer },
      ],
      { maxTokens: 512 },
    );
    const nllOf = (score: typeof space) => (score && 'nll' in score ? score.nll : Number.NaN);
    expect(trialOf(id, 'bare_space').nll).toBeCloseTo(nllOf(space), 4);
    expect(trialOf(id, 'bare_space').num_tokens).toBe(model.tokenizer.encode(` ${answer}`).length);
    expect(trialOf(id, 'bare_line').num_tokens).toBe(trialOf(id, 'bare').num_tokens);
    const prompt = [...model.tokenizer.encode(query), ...model.tokenizer.encode('\n')];
    expect([...model.tokenizer.encode(`${query}\n`)]).toEqual(prompt);
    expect(trialOf(id, 'bare_line').nll).toBeCloseTo(nllOf(line), 4);
  });

  it('shows token by token the texts whose tokens are those of the target', () => {
    const { conditions, samples, nlls } = readerData(finished, false);
    expect(conditions).not.toContain('bare_space');
    expect(conditions).toContain('bare_line');
    const numbers = Buffer.from(nlls, 'base64').length / 2;
    expect(numbers).toBe(samples.reduce((sum, { n }) => sum + n * conditions.length, 0));
  });
});
