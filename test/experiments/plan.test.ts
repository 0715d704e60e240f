/** Plans: locked before the first trial, run under, and what is not as planned named before the run and in its report. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renewedSummary } from '../../src/experiments/analysis/renew.js';
import { defineExperiment } from '../../src/experiments/declaration/define.js';
import type { RunOptions } from '../../src/experiments/run/options.js';
import { type PlanOptions, planRun } from '../../src/experiments/run/plan-run.js';
import { runExperiment } from '../../src/experiments/run/run.js';
import { writeReports } from '../../src/report/report.js';
import { describeConduct, describePlan } from '../../src/report/words/plan.js';
import { describeDeviation } from '../../src/runs/deviations.js';
import { locked, planText, readLockedPlan } from '../../src/runs/locked-plan.js';
import { readRecord } from '../../src/runs/record.js';
import { readRun } from '../../src/runs/run-folder.js';
import type { LockedPlan } from '../../src/runs/schema/locked-plan.js';
import { sealedFile } from '../../src/runs/schema/sealed.js';
import { datasetOf, without } from '../../src/samples/dataset.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { referenceFixture, temporaryFolder } from '../support/fixtures.js';

const NAMES = ['lamp', 'desk', 'chair', 'kettle', 'clock', 'tent', 'radio'];
const dataset = (count: number, answerless = -1) =>
  datasetOf(
    { name: 'lamps', revision: '1', licence: 'Apache-2.0', selection: 'all' },
    Array.from({ length: Math.min(count, 60) }, (_, i) => ({
      id: `lamps-${String(i).padStart(3, '0')}`,
      document: `The ${NAMES[i % 7]} number ${i} costs ${i + 3} euros.`,
      query: `How much is the ${NAMES[i % 7]} number ${i}?`,
      answer: i === answerless ? '' : `${i + 3} euros`,
    })),
  );
const open = async (count: number, leftOut: readonly string[]) =>
  leftOut.length > 0 ? without(dataset(count + leftOut.length), leftOut, count, 'a pilot') : dataset(count);

const EXPERIMENT = defineExperiment({
  id: 'prices',
  title: 'Prices',
  question: 'Does the question help?',
  protocol: { samples: 12 },
  conditions: [
    { name: 'bare_d', visibility: 'exact' },
    { name: 'oracle_d', surrogate: 'oracle', visibility: 'exact' },
  ],
  comparisons: [{ treatment: 'oracle_d', baseline: 'bare_d' }],
  primary: { treatment: 'oracle_d', baseline: 'bare_d' },
});

let model: Model;
beforeAll(async () => {
  model = await loadModel(referenceFixture('text'), { batchTokens: 256 });
});
afterAll(() => model.close());

const OPTIONS: PlanOptions = {
  margin: 0.01,
  hypothesis: 'difference',
  power: 0.8,
  ignoreCeiling: false,
  maxTokens: 512,
};
const planned = (options: Partial<PlanOptions> = {}, experiment = EXPERIMENT) =>
  planRun(experiment, model, open, { ...OPTIONS, ...options });

/** The same plan with something else in it, locked anew. */
const changed = ({ sha256: _, ...content }: LockedPlan, change: Partial<LockedPlan>) =>
  locked({ ...content, ...change });

async function runUnder(
  plan: LockedPlan | undefined,
  options: Partial<RunOptions> = {},
  { experiment = EXPERIMENT, data = dataset(12) } = {},
) {
  const directory = options.directory ?? (await temporaryFolder());
  const said: string[] = [];
  let progressed = false;
  const summary = await runExperiment(experiment, data, model, {
    directory,
    resume: false,
    maxTokens: 512,
    ...(plan && { plan }),
    onProgress: () => {
      progressed = true;
    },
    onNotice: (notice) => {
      if (!progressed) said.push(notice);
    },
    ...options,
  });
  return { directory, summary, said };
}

const planSectionOf = async (directory: string) => {
  const text = await readFile(path.join(directory, 'report.md'), 'utf8');
  return text.slice(text.indexOf('## Plan'), text.indexOf('## Gains'));
};

describe('a plan', () => {
  it('says what the run is to be', async () => {
    const plan = await planned();
    expect(plan).toMatchObject({
      test: {
        treatment: 'oracle_d',
        baseline: 'bare_d',
        measure: 'nats per token',
        hypothesis: 'difference',
        margin: 0.01,
      },
      configuration: {
        experiment: { id: 'prices' },
        samples: 12,
        dataset: { digest: dataset(12).digest },
        model: { fingerprint: model.fingerprint },
      },
      early_ends: ['ceiling'],
      clusters: { by: 'sample', number: 12, largest: 1 },
    });
    expect(plan.exclusions.length).toBeGreaterThan(0);
    expect(plan.code.digest).toMatch(/^[0-9a-f]{64}$/);
    // It ranks nothing, and its plan does not speak of rankings.
    expect(describePlan(plan).join(' ')).not.toMatch(/pool|rank/);
  });

  it('is read as it was written, and refused when anything in it was changed', async () => {
    const file = path.join(await temporaryFolder(), 'plan.json');
    const plan = await planned();
    await writeFile(file, planText(plan));
    expect(await readLockedPlan(file)).toEqual(plan);
    // The order of names and white space do not matter.
    await writeFile(file, JSON.stringify(Object.fromEntries(Object.entries(plan).reverse())));
    expect(await readLockedPlan(file)).toEqual(plan);
    for (const [from, to] of [
      ['"margin": 0.01', '"margin": 0.02'],
      ['"samples": 12', '"samples": 11'],
      ['"format": 1,', '"format": 1, "also": true,'],
    ] as const) {
      expect(planText(plan)).toContain(from);
      await writeFile(file, planText(plan).replace(from, to));
      await expect(readLockedPlan(file), to).rejects.toMatchObject({ code: 'PLAN_ALTERED' });
    }
    await writeFile(file, '{"format": 1}');
    await expect(readLockedPlan(file)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await writeFile(file, 'plan');
    await expect(readLockedPlan(file)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await writeFile(file, planText(changed(plan, { format: 2 as 1 })));
    await expect(readLockedPlan(file)).rejects.toThrow(/format 2; this version reads format 1/);
  });

  it('is of an experiment that compares something', async () => {
    const { primary: _, ...rest } = EXPERIMENT;
    const bare = { ...rest, comparisons: [] };
    await expect(planned({}, bare)).rejects.toThrow(/it compares nothing/);
  });
});

describe('a run under a plan', () => {
  it('comes out as planned', async () => {
    const { directory, summary, said } = await runUnder(await planned());
    expect(said).toEqual([expect.stringMatching(/^As planned so far, by the plan [0-9a-f]{64}\.$/)]);
    const { gain } = summary.comparisons[0]!;
    expect(summary.plan).toMatchObject({ deviations: [], mean: gain.mean, p: gain.p.mean });
    // Of fewer samples than the protocol has, as planned.
    expect(summary.smoke_run).toBe(false);
    await writeReports(directory, summary);
    expect(await planSectionOf(directory)).toContain('As planned: nothing deviates from the plan.');
    expect(await readFile(path.join(directory, 'report.html'), 'utf8')).toContain('As planned: nothing deviates');
    // What is in the folder is whole, and is made again to the same.
    expect((await readRun(directory)).summary).toEqual(summary);
    expect((await renewedSummary(directory)).renewed).toBe(false);
    expect(await renewedSummary(directory, true)).toEqual({ summary, renewed: true });
    await rm(path.join(directory, 'trials.jsonl'));
    await expect(renewedSummary(directory, true)).rejects.toThrow(/trials\.jsonl is not there/);
  });

  it('names everything that is not as planned, before its first trial and in its report', async () => {
    const plan = await planned({ samples: 14, hypothesis: 'equivalence' });
    const other = changed(plan, {
      code: { version: '0.0.1', digest: '0'.repeat(64) },
      exclusions: ['samples that nobody likes'],
      configuration: {
        ...plan.configuration,
        model: { ...plan.configuration.model, fingerprint: 'f'.repeat(64) },
        seed: 7,
        experiment: {
          ...plan.configuration.experiment,
          seed: 7,
          title: 'Prices of lamps',
          primary: { treatment: 'bare_d', baseline: 'oracle_d' },
        },
      },
    });
    const { directory, summary, said } = await runUnder(
      other,
      { ignoreCeiling: true, maxTokens: 500 },
      { data: dataset(13, 4) },
    );
    const named = summary.plan!.deviations.map(({ of }) => of);
    expect(new Set(named)).toEqual(
      new Set([
        'number of samples',
        'data',
        'model',
        'definition',
        'primary comparison',
        'settings',
        'code',
        'exclusions',
        'early end',
      ]),
    );
    expect(summary.plan!.deviations.filter(({ of }) => of === 'number of samples')).toEqual([
      { of: 'number of samples', field: 'scored', planned: '14', found: '12, with 1 rejected' },
    ]);
    expect(summary.plan!.deviations.filter(({ field }) => field.endsWith('seed'))).toEqual([
      { of: 'data', field: 'seed', planned: '7', found: '42' },
    ]);
    // Before the first trial so many were asked for.
    expect(said.filter((line) => line.startsWith('Not as planned: '))).toHaveLength(named.length);
    expect(said).toContain('Not as planned: number of samples, samples: planned 14, found 13.');
    const conduct = describeConduct(summary.plan!);
    expect(conduct.slice(0, -1)).toEqual(
      summary.plan!.deviations.map((one) => `Not as planned: ${describeDeviation(one)}.`),
    );
    expect(conduct.at(-1)).toMatch(/^The planned test, in a run that is not as planned: mean /);
    expect(summary.plan!.p).toBeGreaterThan(0);
    await writeReports(directory, summary);
    const section = await planSectionOf(directory);
    expect(section).toContain(`Not as planned in ${named.length} points:`);
    expect(section).toContain('- number of samples, scored: planned 14, found 12, with 1 rejected.');
    expect(await readFile(path.join(directory, 'report.html'), 'utf8')).toContain('planned 14, found 12');
  });

  it('goes on under its plan alone, and names another program that goes on with it', async () => {
    const plan = await planned();
    const { directory } = await runUnder(plan);
    const record = (await readRecord(directory))!;
    const strange = { ...record.plan!.computed_by[0]!, version: '0.0.1', digest: '1'.repeat(64) };
    await writeFile(
      path.join(directory, 'run.json'),
      sealedFile({ ...record, plan: { ...record.plan!, computed_by: [strange] } }),
    );
    const { summary } = await runUnder(plan, { directory, resume: true });
    expect((await readRecord(directory))!.plan!.computed_by.map(({ digest }) => digest)).toEqual([
      strange.digest,
      plan.code.digest,
    ]);
    expect(summary.plan!.deviations).toMatchObject([{ of: 'code', found: `0.0.1, ${strange.digest}` }]);
    await expect(runUnder(undefined, { directory, resume: true })).rejects.toMatchObject({ code: 'RUN_MISMATCH' });
    const later = changed(plan, { made_at: new Date().toISOString() });
    await expect(runUnder(later, { directory, resume: true })).rejects.toThrow(
      /holds a run under the plan with the SHA-256/,
    );
  });

  it('is refused where the plan cannot have been made before the trials', async () => {
    const plan = await planned();
    const { directory } = await runUnder(undefined);
    await expect(runUnder(plan, { directory, resume: true })).rejects.toMatchObject({
      code: 'RUN_MISMATCH',
      message: expect.stringContaining('was started without a plan'),
    });
    const future = changed(plan, { made_at: '2999-01-01T00:00:00.000Z' });
    await expect(runUnder(future)).rejects.toThrow(/a plan is made before its run/);
    await expect(runUnder(plan, {}, { experiment: { ...EXPERIMENT, id: 'other' } })).rejects.toThrow(
      /The plan is for prices/,
    );
  });
});

describe('a pilot', () => {
  it('finds the number of samples, and none of its own is run again', async () => {
    const { directory } = await runUnder(undefined);
    const pilot = await readRun(directory);
    const deviation = Number((await planned({ pilot, margin: 10, samples: 6 })).pilot!.standard_deviation);
    const said: number[] = [];
    const done: number[][] = [];
    const plan = await planned({
      pilot,
      margin: deviation,
      onSimulated: ({ samples }) => said.push(samples),
      onRun: (...run) => done.push(run),
    });
    const { samples, dataset: data } = plan.configuration;
    expect(plan.pilot).toMatchObject({
      samples: dataset(12).samples.map(({ id }) => id),
      clusters: 12,
      power: 0.8,
      worth: samples,
    });
    expect(plan.pilot!.simulated.find((one) => one.samples === samples)!.power).toBeGreaterThanOrEqual(0.8);
    expect(said.length).toBe(plan.pilot!.simulated.length);
    expect(done).toHaveLength(500 * said.length);
    expect(done[499]).toEqual([said[0], 500, 500]);
    const { low, high } = plan.pilot!.standard_deviation_interval;
    expect([low < deviation, high > deviation]).toEqual([true, true]);
    const words = describePlan(plan).join(' ');
    expect(words).toMatch(/had a power of 0\.\d\d \[0\.\d\d, 0\.\d\d\] in 500 simulated runs/);
    expect(words).toContain('The pilot is small, 12 samples in 12 clusters');
    const large = { ...plan.pilot!, samples: Array.from({ length: 60 }, (_, i) => `${i}`), clusters: 20 };
    expect(describePlan(changed(plan, { pilot: large })).join(' ')).not.toContain('The pilot is small');
    const others = await open(samples, plan.pilot!.samples);
    expect(data.digest).toBe(others.digest);
    const { summary } = await runUnder(plan, {}, { data: others });
    expect(summary.plan!.deviations).toEqual([]);
    await expect(runUnder(plan, {}, { data: dataset(samples) })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/were in the plan's pilot, lamps-000 first/),
    });
  });

  it('has to be of the same question, model and data, and enough', async () => {
    const { directory } = await runUnder(undefined);
    const pilot = await readRun(directory);
    const { summary } = pilot;
    const of = (configuration: object) =>
      planned({
        pilot: { ...pilot, summary: { ...summary, configuration: { ...summary.configuration, ...configuration } } },
      });
    await expect(of({ dataset: { ...summary.configuration.dataset, name: 'desks' } })).rejects.toThrow(
      /its data set is "desks", not "lamps"/,
    );
    await expect(of({ model: { ...summary.configuration.model, fingerprint: 'f'.repeat(64) } })).rejects.toThrow(
      /model’s fingerprint/,
    );
    await expect(of({ seed: 7 })).rejects.toThrow(/its seed is 7, not 42/);
    // Its ids are those of the data, and its texts are not.
    await expect(of({ dataset: { ...summary.configuration.dataset, digest: 'e'.repeat(64) } })).rejects.toThrow(
      /The pilot is of other samples: its 12 have the digest e{64}/,
    );
    await expect(planned({ pilot: { ...pilot, trials: [] } })).rejects.toThrow(/holds no trials/);
    const few = pilot.trials.filter(({ sample }) => sample < 'lamps-005');
    await expect(planned({ pilot: { ...pilot, trials: few } })).rejects.toThrow(/5 samples in 5 clusters/);
    // 48 are left.
    await expect(
      planned({ pilot, margin: Number((await planned({ pilot, samples: 6 })).pilot!.standard_deviation) / 3 }),
    ).rejects.toThrow(/beside the pilot’s the data have 48/);
    await expect(planned({ pilot, margin: 1e-9 })).rejects.toThrow(/takes more than 5000 samples/);
    await expect(planned({ pilot, margin: 1e300 })).rejects.toThrow(/A margin of 1e\+300 is beyond anything/);
    // Stopped in the middle of a simulation.
    const stop = new AbortController();
    const runs: number[] = [];
    const onRun = (_: number, done: number) => {
      runs.push(done);
      if (done === 3) stop.abort();
    };
    await expect(planned({ pilot, margin: 10, samples: 6, onRun, signal: stop.signal })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    expect(runs).toEqual([1, 2, 3]);
  });

  it('is refused at once where no number of samples of the data is worth enough', async () => {
    const lamps = dataset(60);
    const kinds = datasetOf(
      { ...lamps, name: 'kinds of lamps' },
      lamps.samples.map((sample, i) => ({ ...sample, query: `How much is the ${NAMES[i % 7]}?` })),
    );
    const ofKinds = async (count: number, leftOut: readonly string[]) => without(kinds, leftOut, count, 'a pilot');
    const { directory } = await runUnder(undefined, {}, { data: await ofKinds(21, []) });
    const run = await readRun(directory);
    const kindOf = new Map(kinds.samples.map(({ id, query }) => [id, query.length]));
    // Samples of one question gain alike.
    const trials = run.trials.map((trial) =>
      trial.condition === 'oracle_d' ? { ...trial, nll: trial.nll - kindOf.get(trial.sample)! } : trial,
    );
    const simulated: number[] = [];
    const plan = (margin: number) =>
      planRun(EXPERIMENT, model, ofKinds, {
        ...OPTIONS,
        margin,
        pilot: { ...run, trials },
        onRun: (samples) => simulated.push(samples),
      });
    await expect(plan(0.3)).rejects.toThrow(
      /the data have 7 clusters of samples that are as alike as the pilot’s \(intraclass correlation 0\.9\d\), so that 39 of its samples are worth \d+, and \d+ or more are needed. With that power they tell a margin of about/,
    );
    expect(simulated).toEqual([]);
  });
});
