/** The outcomes `contrast` and `recall` of a run: what its trials hold, what summary and report say of it, and that nothing else changes. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defineExperiment } from '../../src/experiments/declaration/define.js';
import { runExperiment } from '../../src/experiments/run/run.js';
import { contentOf } from '../../src/report/content/content.js';
import { readRun } from '../../src/runs/run-folder.js';
import { afterHead, headLine } from '../../src/runs/schema/journal-head.js';
import type { FinishedRun } from '../../src/runs/schema/run.js';
import { sealedLine, sealedLineAfter } from '../../src/runs/schema/sealed.js';
import { headOf } from '../../src/runs/schema/trials.js';
import { answerWords, containsWords, wordsF1 } from '../../src/samples/answer-text.js';
import { scoreTexts } from '../../src/scoring/inputs.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { AT_ONE } from '../../src/stats/inverse-temperatures.js';
import { referenceFixture } from '../support/fixtures.js';
import { unbind } from '../support/journal.js';
import { BARE_AND_ORACLE, lamps, nameOf, priceOf } from '../support/lamps.js';

const data = lamps((i) => (i % 2 === 0 ? priceOf(i) : `the ${nameOf(i)} ${i}`));
const declaration = {
  id: 'told',
  title: 'Told',
  question: 'Is the right answer told from wrong ones?',
  prompt: 'query' as const,
  ...BARE_AND_ORACLE,
};

let model: Model;
let root: string;
let plain: FinishedRun;
let told: FinishedRun;
const folder = (name: string) => path.join(root, name);
type Outcomes = ('temperature' | 'contrast' | 'recall')[];
const run = (name: string, outcomes?: Outcomes, more: { noText?: boolean; resume?: boolean } = {}) =>
  runExperiment(defineExperiment({ ...declaration, ...(outcomes && { outcomes }) }), data, model, {
    directory: folder(name),
    resume: false,
    maxTokens: 512,
    ...more,
  });

beforeAll(async () => {
  model = await loadModel(referenceFixture('text'), { batchTokens: 256 });
  root = await mkdtemp(path.join(os.tmpdir(), 'dkv-outcomes-'));
  await run('plain');
  await run('told', ['contrast', 'recall']);
  plain = await readRun(folder('plain'));
  told = await readRun(folder('told'));
});
afterAll(async () => {
  await model.close();
  await rm(root, { recursive: true, force: true });
});

describe('trials of a run with the outcome contrast', () => {
  it('hold the mean NLL of each wrong answer, scored as any text is', async () => {
    expect(told.trials.map(({ wrong_nlls, said, ...rest }) => rest)).toEqual(plain.trials);
    expect(told.samples.map(({ wrong_answers, ...rest }) => rest)).toEqual(plain.samples);
    const samples = new Map(data.samples.map((sample) => [sample.id, sample]));
    const wrongOf = new Map(told.samples.map(({ id, wrong_answers }) => [id, wrong_answers!]));
    const some = told.trials.filter(({ sample }) => sample < 'lamps-003');
    const texts = some.flatMap((trial) => {
      const { document, query } = samples.get(trial.sample)!;
      return wrongOf.get(trial.sample)!.map(({ answer }) => ({
        document,
        query,
        target: answer as string,
        ...(trial.condition === 'oracle' && { prefix: query }),
      }));
    });
    const scores = await scoreTexts(model, texts, { maxTokens: 512 });
    const nlls = scores.map((score) => ('nll' in score ? score.nll : Number.NaN));
    expect(some.flatMap(({ wrong_nlls }) => wrong_nlls!).length).toBe(nlls.length);
    for (const [i, nll] of some.flatMap(({ wrong_nlls }) => wrong_nlls!).entries())
      expect(nll).toBeCloseTo(nlls[i]!, 4);
  });

  it('encode each input once', () => {
    expect(told.summary.passes.encoder).toBe(plain.summary.passes.encoder);
    expect(told.summary.passes.decoder).toBe(9 * plain.summary.passes.decoder);
  });

  it('go with temperature as well', async () => {
    await run('all', ['temperature', 'contrast', 'recall']);
    const { trials, summary } = await readRun(folder('all'));
    expect(trials.map(({ tempered_nlls, ...rest }) => rest)).toEqual(told.trials);
    for (const { tempered_nlls, token_nlls } of trials) {
      expect(tempered_nlls!.map((own) => own[AT_ONE])).toEqual(token_nlls);
    }
    expect(summary.contrast).toEqual(told.summary.contrast);
    expect(summary.recall).toEqual(told.summary.recall);
    expect(summary.temperature!.comparisons).toHaveLength(1);
  });

  it('are refused where they are not of the samples’ wrong answers', async () => {
    const damaged = folder('damaged');
    await run('damaged', ['contrast']);
    const { trials } = await readRun(damaged);
    const [first, ...rest] = trials;
    const { head } = headOf(await readFile(path.join(damaged, 'trials.jsonl')));
    const changed = [{ ...first!, wrong_nlls: first!.wrong_nlls!.slice(1) }, ...rest];
    const lines = changed.map((line) => sealedLineAfter(afterHead(head!), line));
    await writeFile(path.join(damaged, 'trials.jsonl'), headLine(head!) + lines.join(''));
    await rm(path.join(damaged, 'summary.json'));
    await expect(run('damaged', ['contrast'], { resume: true })).rejects.toMatchObject({
      code: 'RUN_DAMAGED',
      message: expect.stringContaining('6 wrong_nlls, and samples.jsonl has 7'),
    });
  });
});

it('goes on with the wrong answers that its samples name, or not at all', async () => {
  await run('other', ['contrast']);
  // As if another version had begun the run: the samples of this one could not be changed.
  await unbind(folder('other'));
  const file = path.join(folder('other'), 'samples.jsonl');
  const [first, ...rest] = (await readRun(folder('other'))).samples;
  const wrong = first!.wrong_answers!.map((own, i) => (i === 0 ? { ...own, answer: '99 euros' } : own));
  const changed = [{ ...first!, wrong_answers: wrong }, ...rest];
  await writeFile(file, changed.map((line) => sealedLine(line)).join(''));
  await expect(run('other', ['contrast'], { resume: true })).rejects.toMatchObject({
    code: 'RUN_MISMATCH',
    message: expect.stringContaining('other wrong answers of lamps-000'),
  });
});

describe('trials of a run with the outcome recall', () => {
  it('hold what the model said and how much of the answer is in it', () => {
    const answers = new Map(data.samples.map(({ id, answer }) => [id, answerWords(answer)]));
    for (const { sample, said } of told.trials) {
      const words = answerWords(said!.text as string);
      const answer = answers.get(sample)!;
      expect(said).toMatchObject({
        contains: containsWords(words, answer),
        equals: words.join(' ') === answer.join(' '),
        f1: wordsF1(words, answer),
      });
      expect(said!.tokens).toBeLessThanOrEqual(24);
      expect(said!.ended || said!.tokens === 24).toBe(true);
    }
  });

  it('hold digests where texts are not kept, and the same measures', async () => {
    await run('textless', ['contrast', 'recall'], { noText: true });
    const { trials, samples, summary } = await readRun(folder('textless'));
    for (const { wrong_answers } of samples) {
      for (const { answer } of wrong_answers!) expect(answer).toMatchObject({ bytes: expect.any(Number) });
    }
    expect(trials.map(({ said }) => ({ ...said, text: undefined }))).toEqual(
      told.trials.map(({ said }) => ({ ...said, text: undefined })),
    );
    expect(JSON.stringify(trials)).not.toContain((told.trials[0]!.said!.text as string) || 'euros');
    expect(summary.contrast).toEqual(told.summary.contrast);
  });
});

describe('the summary of such a run', () => {
  it('has each comparison, and the wrong answers by class', () => {
    const { contrast, recall } = told.summary;
    expect(contrast!.candidates).toBe(8);
    const [bare, oracle] = contrast!.conditions as [
      NonNullable<typeof contrast>['conditions'][number],
      NonNullable<typeof contrast>['conditions'][number],
    ];
    const [compared] = contrast!.comparisons;
    expect(compared!.loss.value).toBeCloseTo(bare.loss - oracle.loss, 10);
    expect(compared!.rank.value).toBeCloseTo(bare.rank - oracle.rank, 10);
    expect(compared!.first.value).toBeCloseTo(oracle.first - bare.first, 10);
    expect(compared!.margin.value).toBeCloseTo(oracle.margin - bare.margin, 10);
    expect(compared!.classes).toMatchObject([{ from: 'other sample', samples: 14 }]);
    expect(compared!.classes[0]!.margin.value).toBeCloseTo(compared!.margin.value!, 10);
    expect(recall!.conditions.map(({ name }) => name)).toEqual(['bare', 'oracle']);
    const share = (condition: string) =>
      told.trials.filter((trial) => trial.condition === condition && trial.said!.contains).length / 14;
    expect(recall!.comparisons[0]!.contains.value).toBeCloseTo(share('oracle') - share('bare'), 10);
  });

  it('is shown in the report, and made again from what the folder holds', async () => {
    const sections = contentOf(told).map(({ title }) => title);
    expect(sections).toEqual(expect.arrayContaining(['Right and wrong answers', 'What the model says']));
    const before = await readFile(path.join(folder('told'), 'summary.json'), 'utf8');
    await run('told', ['contrast', 'recall'], { resume: true });
    expect(await readFile(path.join(folder('told'), 'summary.json'), 'utf8')).toBe(before);
    await expect(run('told', ['contrast'], { resume: true })).rejects.toMatchObject({ code: 'RUN_MISMATCH' });
  });

  it('is of answers, and of samples', () => {
    expect(() => defineExperiment({ ...declaration, target: 'query', outcomes: ['contrast'] })).toThrow(
      'the outcome "contrast" is of answers, and it scores queries',
    );
    expect(() => defineExperiment({ ...declaration, comparisons: [], unit: 'pool', outcomes: ['recall'] })).toThrow(
      'the outcome "recall" is of samples',
    );
  });
});
