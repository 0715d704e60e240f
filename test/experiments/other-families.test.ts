/**
 * Experiments on inputs that are framed as T5's are, with an end of text alone and no token for a line break, and as BART's are, on both sides.
 * Weights are random: what is shown is that conditions are what they are called.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EXPERIMENTS } from '../../src/experiments/catalogue/registry.js';
import { runExperiment } from '../../src/experiments/run/run.js';
import type { Visibility } from '../../src/priming/input.js';
import { surrogate } from '../../src/priming/surrogate.js';
import { warnings } from '../../src/report/words/notes.js';
import { describeVerdicts } from '../../src/report/words/verdict.js';
import { isTrial } from '../../src/runs/schema/entry.js';
import type { Summary } from '../../src/runs/schema/summary.js';
import { datasetOf } from '../../src/samples/dataset.js';
import { scoreTexts, type TextScore } from '../../src/scoring/inputs.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { prime } from '../../src/serving/prime.js';
import { rank } from '../../src/serving/rank.js';
import { score } from '../../src/serving/score.js';
import { openStore } from '../../src/store/open.js';
import { temporaryFolder } from '../support/fixtures.js';
import { entriesIn } from '../support/journal.js';
import { KINDS, writeSmallCheckpoint } from '../support/small-checkpoints.js';

const SAMPLES = ['lamp', 'desk', 'chair', 'clock', 'radio'].map((thing, i) => ({
  id: thing,
  document: `The ${thing} costs ${i + 3} euros, and the one beside it ${i + 7}.`,
  query: `How much is the ${thing}?`,
  answer: `${i + 3} euros`,
}));
const DATA = datasetOf({ name: 'things', revision: '1', licence: 'Apache-2.0', selection: 'all' }, SAMPLES);

async function load(family: keyof typeof KINDS): Promise<Model> {
  const model = await loadModel(await writeSmallCheckpoint(KINDS[family], await temporaryFolder()), {
    cacheDirectory: await temporaryFolder(),
  });
  onTestFinished(() => model.close());
  return model;
}

async function run(id: string, model: Model, data = DATA) {
  const directory = await temporaryFolder();
  const notices: string[] = [];
  const options = { directory, resume: true, maxTokens: 2048, onNotice: (notice: string) => notices.push(notice) };
  const summary = await runExperiment(EXPERIMENTS[id]!, data, model, options);
  const trials = (await entriesIn(directory)).filter(isTrial);
  const nllOf = (sample: string, condition: string) =>
    trials.find((trial) => trial.sample === sample && trial.condition === condition)!.nll;
  const nlls = (condition: string) => SAMPLES.map(({ id }) => nllOf(id, condition));
  return { summary, notices, nllOf, nlls };
}

/** Of a mean NLL of 6 to 8 nats: float32's rounding, three times what is measured. */
const TOLERANCE = 2e-6;
/** What two conditions differ by at least. */
const APART = 0.01;

interface Shown {
  readonly prefix?: string;
  readonly visibility: Visibility;
  readonly query?: boolean;
}

/** NLLs of all samples' answers, scored one condition at a time as a program would. */
async function scored(model: Model, { prefix, visibility, query = true }: Shown): Promise<number[]> {
  const items = SAMPLES.map((sample, index) => ({
    document: sample.document,
    target: sample.answer,
    visibility,
    ...(query && { query: sample.query }),
    ...(prefix !== undefined && { prefix: surrogate(prefix).make(sample, { index, samples: SAMPLES, seed: 42 }) }),
  }));
  return (await scoreTexts(model, items, { maxTokens: 512 })).map((score) => (score as TextScore).nll);
}

const close = (measured: readonly number[], wanted: readonly number[]) => {
  for (const [i, nll] of wanted.entries()) expect(measured[i]).toBeCloseTo(nll, 5);
};

const identities = ({ identities: all }: Summary) => all.map(({ name, holds }) => `${name}: ${holds}`);

describe('what transformers answers to the research’s conditions, from texts to NLLs', async () => {
  const { samples, nlls: wanted } = JSON.parse(
    await readFile(path.join(import.meta.dirname, '../fixtures/experiments/other-families.json'), 'utf8'),
  ) as {
    readonly samples: readonly { readonly query: string; readonly document: string; readonly answer: string }[];
    readonly nlls: Readonly<Record<string, readonly Readonly<Record<string, number>>[]>>;
  };
  const data = datasetOf(
    { name: 'texts', revision: '1', licence: 'Apache-2.0', selection: 'all' },
    samples.map((sample, i) => ({ id: `s${i}`, ...sample })),
  );

  it.each(['t5', 'bart'] as const)('%s', async (family) => {
    const { nllOf } = await run('v4-10', await load(family), data);
    const conditions = Object.keys(wanted[family]![0]!);
    expect(conditions).toHaveLength(10);
    const farthest = (nllOfSample: (i: number) => number, condition: string) =>
      Math.max(...wanted[family]!.map((expected, i) => Math.abs(nllOfSample(i) - expected[condition]!)));
    for (const condition of conditions) {
      expect(
        farthest((i) => nllOf(`s${i}`, condition), condition),
        condition,
      ).toBeLessThan(TOLERANCE);
      // No condition passes for another.
      for (const other of conditions.filter((one) => one !== condition)) {
        expect(
          farthest((i) => wanted[family]![i]![other]!, condition),
          other,
        ).toBeGreaterThan(APART);
      }
    }
  });
});

/** The one identity of `bos` that moves no rows of a document. */
const UNSEEN = ['oracle', 'doc_kw', 'random_matched', 'the', 'random1'].map(
  (prefix) => `${prefix}: an unseen prefix is none: true`,
);

describe('T5', () => {
  it('is asked v4-09 as it is declared, and its mask hides the prefix alone', async () => {
    const model = await load('t5');
    const { summary, notices, nlls } = await run('v4-09', model);
    expect(notices).toEqual([]);
    expect(summary.configuration.left_out).toBeUndefined();
    expect(summary.samples).toMatchObject({ scored: 5, joint_differs: 0 });
    const published: Visibility = ['document', 'eos'];
    close(nlls('bare'), await scored(model, { visibility: published }));
    close(nlls('bare_nq'), await scored(model, { visibility: published, query: false }));
    close(nlls('bare_d_nq'), await scored(model, { visibility: 'exact', query: false }));
    close(nlls('oracle_published'), await scored(model, { prefix: 'oracle', visibility: published }));
    close(nlls('random_published'), await scored(model, { prefix: 'common_words8', visibility: published }));
    close(nlls('oracle_full'), await scored(model, { prefix: 'oracle', visibility: ['prefix', 'document', 'eos'] }));
    close(nlls('oracle_d'), await scored(model, { prefix: 'oracle', visibility: 'exact' }));
    expect(nlls('bare')).not.toEqual(nlls('bare_nq'));
    // What the mask adds is what the end of text adds.
    const [added] = summary.contrasts.find(({ title }) => title === 'Published gain over exact gain')!.contrasts;
    const gains = (left: string, right: string) => nlls(left).map((nll, i) => nll - nlls(right)[i]!);
    const difference = gains('bare', 'oracle_published').map((gain, i) => gain - gains('bare_d', 'oracle_d')[i]!);
    expect(added!.gain.mean.value).toBeCloseTo(difference.reduce((a, b) => a + b) / 5, 12);
  });

  it('says of control tokens in texts what its vocabulary makes of them', async () => {
    const model = await load('t5');
    const written = SAMPLES.map((sample, i) => (i === 1 ? { ...sample, document: `${sample.document} </s>` } : sample));
    const { summary } = await run('exp01', model, datasetOf({ ...DATA }, written));
    expect(summary.samples.literal).toEqual({ samples: 1, tokens: ['</s>'], pieces: ['</s>'] });
    expect(warnings(summary).join()).toContain("(</s>), read as text, which this model's vocabulary turns into");
  });

  it('is asked v4-10 with and without the query', async () => {
    const model = await load('t5');
    const { summary, nlls } = await run('v4-10', model);
    expect(summary.configuration.left_out).toBeUndefined();
    close(
      nlls('oracle_published_nq'),
      await scored(model, { prefix: 'oracle', visibility: ['document', 'eos'], query: false }),
    );
    close(nlls('doc_kw_d'), await scored(model, { prefix: 'doc_kw', visibility: 'exact' }));
  });

  it('runs of bos what needs neither BOS nor a line break, and names the rest', async () => {
    const model = await load('t5');
    const { summary, notices } = await run('bos', model);
    expect(notices).toHaveLength(3);
    expect(notices.join('\n')).toMatch(
      /no BOS: E0:BD, .*\n.*no line break: E1:D, .*\n.*no BOS and no line break: E1:BD, /,
    );
    expect(summary.comparisons.map(({ treatment, baseline }) => [treatment, baseline])).toContainEqual([
      'doc_kw E2:D',
      'E0:D',
    ]);
    expect(identities(summary)).toEqual(UNSEEN);
    // To rounding: an end of text that has seen the prefix would tell of it.
    for (const { largest } of summary.identities) expect(largest).toBeLessThan(1e-5);
    expect(warnings(summary).filter((line) => line.includes('by construction'))).toEqual([]);
    // Five samples are too few for an interval.
    const verdicts = summary.verdicts!.map(({ title, verdict, open, absent, steps }) => [
      title,
      verdict,
      [...open, ...absent].sort(),
      steps.map(({ name }) => name),
    ]);
    const lacks = ['H', 'I', 'L', 'P*', 'V', 'W'];
    expect(verdicts.slice(0, 3)).toEqual([
      ['oracle', 'undecided', [...lacks, 'P0', 'S'].sort(), ['P0', 'S']],
      ['doc_kw', 'undecided', [...lacks, 'P0', 'S'].sort(), ['P0', 'S']],
      ['random_matched', 'undecided', [...lacks, 'P0', 'S'].sort(), ['P0']],
    ]);
    expect(describeVerdicts(summary.verdicts!).at(-1)).toMatch(/^What remains on this model: primed, structural, /);
  });

  it('runs the older experiments whole', async () => {
    const model = await load('t5');
    for (const id of ['exp01', 'exp07']) {
      const { summary } = await run(id, model);
      expect(summary.configuration.left_out).toBeUndefined();
      expect(summary.samples.scored).toBe(5);
    }
  });
});

describe('BART', () => {
  it('is asked v4-09 with BOS hidden, line break and end of text in view', async () => {
    const model = await load('bart');
    const { summary, notices, nlls } = await run('v4-09', model);
    expect(notices).toEqual([]);
    const whole: Visibility = ['bos', 'document', 'eos'];
    close(nlls('bare'), await scored(model, { visibility: whole }));
    close(nlls('bare_nq'), await scored(model, { visibility: whole, query: false }));
    close(nlls('random_d'), await scored(model, { prefix: 'common_words8', visibility: 'exact' }));
    // Its byte-level tokens begin with the space, so that the first word behind a line break is the one without.
    expect(summary.samples.joint_differs).toBe(0);
    close(
      nlls('oracle_published'),
      await scored(model, { prefix: 'oracle', visibility: ['separator', 'document', 'eos'] }),
    );
  });

  it('runs all of bos, and is not asked for identities that learned positions break', async () => {
    const model = await load('bart');
    const { summary, notices } = await run('bos', model);
    expect(notices).toEqual([]);
    expect(identities(summary)).toEqual(UNSEEN);
    for (const { largest } of summary.identities) expect(largest).toBeLessThan(1e-5);
    expect(warnings(summary).filter((line) => line.includes('by construction'))).toEqual([]);
  });

  it('cuts documents to the rows that it has', async () => {
    const model = await load('bart');
    const long = SAMPLES.map((sample) => ({ ...sample, document: `${sample.document} `.repeat(60) }));
    const { summary } = await run('v4-09', model, datasetOf({ ...DATA }, long));
    expect(summary.configuration.max_tokens).toBe(512);
    expect(summary.samples).toMatchObject({ scored: 5, cut: 5 });
  });

  it('rejects by name what its decoder has no positions for, and goes on', async () => {
    const model = await load('bart');
    const answer = 'a lamp and a desk '.repeat(200);
    const { summary } = await run(
      'exp01',
      model,
      datasetOf({ ...DATA }, [...SAMPLES, { ...SAMPLES[0]!, id: 'long', answer }]),
    );
    expect(summary.samples.scored).toBe(5);
    expect(summary.samples.rejected).toEqual([
      { sample: 'long', rejected: expect.stringMatching(/would read \d+ tokens.*at most 512 may be/) },
    ]);
    const item = { document: SAMPLES[0]!.document, target: 'a lamp' };
    const [good, long] = await scoreTexts(model, [item, { ...item, target: answer }], { maxTokens: 512 });
    expect(good).toHaveProperty('nll');
    expect(long).toMatchObject({ code: 'INPUT_TOO_LONG' });
    const store = await openStore('memory:');
    onTestFinished(() => store.close());
    await prime(model, store, [{ id: 'd', text: item.document }], { surrogates: [] });
    const asked = ['a lamp', answer].map((text, at) => ({ id: `q${at}`, text, candidates: [{ id: 'd' }] }));
    const found = [];
    for await (const { documents, rejected } of rank(model, store, asked))
      found.push([documents.length, rejected.length]);
    expect(found).toEqual([
      [1, 0],
      [0, 1],
    ]);
    const stored = await score(model, store, [
      { id: 'd', target: answer },
      { id: 'd', target: 'a lamp' },
    ]);
    expect(stored).toMatchObject([{ code: 'INPUT_TOO_LONG' }, { nll: expect.any(Number) }]);
  });
});
