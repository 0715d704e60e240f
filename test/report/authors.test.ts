import { describe, expect, it } from 'vitest';
import { EXPERIMENTS } from '../../src/experiments/catalogue/registry.js';
import { surrogateSweep } from '../../src/experiments/catalogue/surrogate-sweep.js';
import { truncation } from '../../src/experiments/catalogue/truncation.js';
import { contentOf } from '../../src/report/content/content.js';
import { authorsNotes, authorsTables, incomparable } from '../../src/report/tables/authors.js';
import { authorsLog, type LogEntry } from '../../src/report/tables/authors-log.js';
import type { Experiment } from '../../src/runs/schema/experiment.js';
import { PROBE_MEASURES, type ProbeMeasure } from '../../src/runs/schema/probe.js';
import type { Summary } from '../../src/runs/schema/summary.js';
import { differenceOf } from '../../src/stats/difference.js';
import { type MadeRun, madeRun, madeTrials } from './made-run.js';

const LOG = authorsLog();
const log = (id: string) => LOG[id]![0]!;
const few = madeRun(truncation, { samples: 8 }).summary;

const NUMBER = { value: 0.25, low: 0.125, high: 0.5 };

/** A run of the log's model, data and number of samples in which everything that the experiment measures has been measured, with made-up results. */
function asTheirs(experiment: Experiment, { model, samples }: LogEntry): Summary {
  const { configuration } = madeTrials(experiment, {
    dataset: experiment.protocol.dataset,
    model: { name: `${model}@1` },
  });
  const [comparison] = few.comparisons;
  const [group] = few.contrasts;
  const { gain } = comparison!;
  const { unit, measures, layers } = experiment;
  const ranking = {
    pools: samples,
    candidates: 4 * samples,
    measures: measures.map((name) => ({ name, pools: samples })),
    conditions: experiment.conditions.map(({ name }) => ({ name, means: measures.map(() => NUMBER) })),
    comparisons: experiment.comparisons.map((one) => ({
      ...one,
      differences: measures.map(() => gain),
      differential: gain,
    })),
  };
  const hidden = layers?.hidden ?? [];
  const probe = {
    samples,
    layers: hidden,
    conditions: experiment.conditions.map(({ name }) => ({
      name,
      measures: (Object.keys(PROBE_MEASURES) as ProbeMeasure[]).map((measure) => ({
        name: measure,
        by_layer: hidden.map((layer) => ({ value: layer / 10, low: null, high: null })),
      })),
    })),
  };
  return {
    ...few,
    configuration: { ...configuration, samples },
    conditions: experiment.conditions.map(({ name }) => ({ ...few.conditions[0]!, name })),
    comparisons: unit === 'sample' ? experiment.comparisons.map((one) => ({ ...comparison!, ...one })) : [],
    contrasts: experiment.contrasts.map(({ title, contrasts }) => ({
      ...group!,
      title,
      contrasts: contrasts.map(({ name }) => ({ ...group!.contrasts[0]!, name })),
    })),
    orders: experiment.orders.map(({ title }) => ({ title, rho: NUMBER })),
    ...(unit === 'pool' && { ranking: ranking as unknown as Summary['ranking'] & object }),
    ...(unit === 'probe' && { probe }),
  };
}

const rowsOf = (summary: Summary, slug: string) =>
  authorsTables(summary).find((table) => table.slug === slug)?.table.rows ?? [];

/** Names of the log that the experiment does not have. */
function strangersOf(experiment: Experiment, entry: LogEntry): string[] {
  const conditions = new Set(experiment.conditions.map(({ name }) => name));
  const comparisons = new Set(
    experiment.comparisons.flatMap(({ treatment, baseline }) => [treatment, `${treatment} over ${baseline}`]),
  );
  const contrasts = new Set(
    experiment.contrasts.flatMap(({ title, contrasts: own }) => own.map(({ name }) => `${title}: ${name}`)),
  );
  const orders = new Set(experiment.orders.map(({ title }) => title));
  const { measures = {}, differential = {} } = entry.ranking ?? {};
  const layers = new Set(experiment.layers?.hidden.map(String));
  const unknown = (known: ReadonlySet<string>, names: readonly string[]) => names.filter((name) => !known.has(name));
  return [
    ...unknown(conditions, Object.keys(entry.conditions)),
    ...unknown(comparisons, [...Object.keys(entry.comparisons), ...Object.keys(entry.hardness)]),
    ...Object.entries(entry.contrasts).flatMap(([title, own]) =>
      unknown(
        contrasts,
        Object.keys(own).map((name) => `${title}: ${name}`),
      ),
    ),
    ...unknown(orders, Object.keys(entry.orders)),
    ...unknown(new Set(experiment.measures), Object.keys(measures)),
    ...unknown(conditions, [...Object.values(measures).flatMap(Object.keys), ...Object.keys(differential)]),
    ...Object.entries(entry.probe).flatMap(([sum, own]) => [
      ...unknown(new Set(Object.keys(PROBE_MEASURES)), sum.split(' + ')),
      ...unknown(conditions, Object.keys(own)),
      ...unknown(layers, Object.values(own).flatMap(Object.keys)),
    ]),
  ];
}

describe('the authors’ log', () => {
  const OURS = ['bos', 'exp04c'];

  it('has every experiment of the catalogue that the research ran, and names only what these have', () => {
    for (const [id, experiment] of Object.entries(EXPERIMENTS)) {
      if (OURS.includes(id)) expect(LOG[id], id).toBeUndefined();
      else for (const entry of LOG[id]!) expect(strangersOf(experiment, entry), `${id}, ${entry.model}`).toEqual([]);
    }
  });

  it('is of the protocol’s number of samples', () => {
    for (const [id, { protocol }] of Object.entries(EXPERIMENTS)) {
      for (const { samples } of LOG[id] ?? []) expect(samples, id).toBe(protocol.samples);
    }
  });

  const entries = Object.entries(EXPERIMENTS).flatMap(([id, experiment]) =>
    (LOG[id] ?? []).map((entry) => [id, entry.model, experiment, entry] as const),
  );

  it.each(entries)('shows all figures of %s, %s', (id, _, experiment, entry) => {
    expectShown(id, asTheirs(experiment, entry), entry);
  });

  it('tells two comparisons of one treatment apart', () => {
    const id = 'v4-10';
    const entry = LOG[id]!.find(({ model }) => model === 'google-t5/t5-3b')!;
    const ds = rowsOf(asTheirs(EXPERIMENTS[id]!, entry), 'gains').flatMap(([what, figure, , theirs]) =>
      figure === 'd' ? [[what, theirs]] : [],
    );
    expect(ds).toContainEqual(['doc_kw_published over bare', '+0.533']);
    expect(ds).toContainEqual(['doc_kw_published over random_published', '+0.292']);
    expect(ds).toContainEqual(['bare over bare_nq', '+0.585']);
  });

  it('counts BOS as prefix, as the research does: the sum of two measures stands beside it', () => {
    expect(rowsOf(asTheirs(EXPERIMENTS.exp3e!, log('exp3e')), 'inside-the-encoder')).toContainEqual([
      'to_bos + to_prefix, oracle',
      'mean, layer 23',
      '4.6000',
      '0.2489',
      '+4.3511',
    ]);
  });

  function expectShown(id: string, summary: Summary, entry: LogEntry): void {
    expect(incomparable(summary), id).toEqual([]);
    const { conditions, comparisons, contrasts, orders, hardness, ranking, probe, others } = entry;
    const leaves = (value: unknown): number =>
      typeof value === 'number'
        ? 1
        : Object.values(value as object).reduce((sum: number, part) => sum + leaves(part), 0);
    const count = (slug: string) => rowsOf(summary, slug).length;
    expect(count('gains'), id).toBe(leaves(comparisons));
    expect(count('contrasts'), id).toBe(leaves(contrasts));
    expect(count('orders'), id).toBe(Object.keys(orders).length);
    expect(count('hardness-coupled'), id).toBe(leaves(hardness));
    expect(count('rankings'), id).toBe(leaves(ranking?.measures ?? {}));
    expect(count('differential-signal'), id).toBe(3 * Object.keys(ranking?.differential ?? {}).length);
    expect(count('inside-the-encoder'), id).toBe(leaves(probe));
    expect(count('mean-nll'), id).toBe(leaves(conditions));
    expect(count('others'), id).toBe(Object.keys(others).length);
    for (const { table } of authorsTables(summary)) {
      for (const row of table.rows) {
        expect(row).toHaveLength(table.columns.length);
        for (const cell of row) expect(cell, id).not.toMatch(/NaN|undefined|null/);
      }
    }
  }

  it('has an interval of the difference where d, gain or wins say one', () => {
    const summary = asTheirs(surrogateSweep, log('exp02'));
    const row = (what: string, figure: string) =>
      rowsOf(summary, 'gains').find((one) => one[0] === what && one[1] === figure)!;
    const [, , , theirs, difference] = row('oracle_published over bare', 'd');
    expect(theirs).toBe('+0.376');
    expect(difference).toMatch(/^[+−][\d.]+ \[[+−][\d.]+, [+−][\d.]+\]$/);
    expect(row('oracle_published over bare', 'mean gain, nats')[4]).toContain('[');
    expect(row('oracle_published over bare', 'win %').slice(3)).toEqual(['92.6', expect.stringContaining('[')]);
    // Two p-values have no difference, and a share of d no uncertainty.
    expect(row('oracle_published over bare', 'p').slice(3)).toEqual(['4.8e−16', '–']);
    expect(row('doc_kw_published over bare', 'authors’ %, of d')[4]).not.toContain('[');
    expect(rowsOf(summary, 'orders')[0]!.slice(3, 4)).toEqual(['−0.167']);
  });

  it('differs by digits alone from a run that is made of the authors’ own numbers', () => {
    const summary = asTheirs(surrogateSweep, log('exp02'));
    const source = { file: 'f', form: 'numbers' as const, digest: 'd', recorded_at: null };
    const imported = { ...summary, configuration: { ...summary.configuration, imported: source } };
    for (const row of rowsOf(imported, 'gains')) expect(row[4]).not.toContain('[');
    expect(authorsNotes(imported)[1]).toContain('the authors’ own numbers');
  });

  it('is not shown for conditions that only have a name in common', () => {
    const conditions = surrogateSweep.conditions.map((condition) =>
      condition.name === 'random_published' ? { ...condition, surrogate: 'random5' } : condition,
    );
    const summary = asTheirs({ ...surrogateSweep, conditions }, log('exp02'));
    const shown = rowsOf(summary, 'gains').map(([what]) => what);
    expect(shown).toContain('doc_kw_published over bare');
    expect(shown).not.toContain('random_published over bare');
    expect(rowsOf(summary, 'contrasts').map(([what]) => what)).not.toContain(
      'Head to head, published: doc_kw over random',
    );
  });

  it('takes a user’s own figures for an experiment of their own', () => {
    const own = { ...truncation, id: 'mine', authors: { model: 'x/y', d: { oracle_full: 0.5 }, nll: { bare: 2 } } };
    const { summary } = madeRun(own, { samples: 4, dataset: 'ms-marco', model: { name: 'x/y' } });
    const same = { ...summary, configuration: { ...summary.configuration, samples: 200 } };
    expect(rowsOf(same, 'gains').map((row) => [row[0], row[1], row[3]])).toEqual([
      ['oracle_full over bare', 'd', '+0.500'],
    ]);
    expect(rowsOf(same, 'mean-nll')).toHaveLength(1);
  });

  const same: MadeRun = { samples: 200, dataset: 'ms-marco', model: { name: 'google/t5gemma-2-4b-4b' } };

  it.each([
    [{ ...same, samples: 199 }, 'theirs are of 200 samples, these of 199'],
    [{ ...same, dataset: 'squad' }, 'theirs are on ms-marco, these on squad'],
    [{ ...same, model: { name: 'x/y' } }, 'theirs are of google/t5gemma-2-4b-4b, these of x/y'],
    [{ ...same, model: { name: 'google/t5gemma-2-4b-4b', built_in: true } }, 'these of the built-in model'],
  ] satisfies [MadeRun, string][])('is left out otherwise, with the reason: %#', (options, reason) => {
    const { configuration } = madeTrials(truncation, options);
    const summary = { ...few, configuration };
    expect(authorsTables(summary)).toEqual([]);
    expect(authorsNotes(summary)).toEqual([expect.stringContaining(reason)]);
  });

  it('is left out for other samples, another prompt and cut documents', () => {
    const { configuration } = madeTrials({ ...truncation, seed: 7, prompt: 'query' }, same);
    const cut = { ...configuration, max_tokens: 512 };
    expect(incomparable({ configuration: cut, samples: { ...few.samples, cut: 1 } })).toEqual([
      'theirs are of documents of up to 2048 tokens, these of 512',
      'theirs are of the samples of seed 42, these of seed 7',
      'theirs are with the decoder prompt “none”, these with “query”',
    ]);
    // A lower limit that cuts nothing is none.
    expect(incomparable({ configuration: cut, samples: { ...few.samples, cut: 0 } })).toHaveLength(2);
  });

  it('knows several models, by their names on the hub', () => {
    const experiment = EXPERIMENTS['v4-09']!;
    const named = (name: string) => {
      const { configuration } = madeTrials(experiment, { samples: 500, dataset: 'ms-marco', model: { name } });
      return { ...few, configuration };
    };
    expect(authorsNotes(named('google/flan-t5-large@0613663d0d48'))[0]).toContain(
      'gives them for google/flan-t5-large, ms-marco, N = 500',
    );
    expect(incomparable(named('google/flan-t5-small@1'))).toEqual([
      'theirs are of google/flan-t5-base, google/flan-t5-large, google/flan-t5-xl and facebook/bart-large, these of google/flan-t5-small@1',
    ]);
  });

  it('stands in reports with its sources', () => {
    const summary = asTheirs(truncation, log('exp01'));
    const record = { configuration: summary.configuration, started_at: '', versions: {}, git_revision: null };
    const machine = { platform: 'a', cpu: 'b', cores: 1, memory_gb: 1 };
    const sections = contentOf({ record: { format: 2, ...record, machine }, summary, trials: [], samples: [] });
    const { blocks } = sections.find(({ title }) => title === 'Authors’ log')!;
    expect(blocks.flatMap((block) => (block.kind === 'table' ? [block.name] : []))).toEqual([
      'authors-gains',
      'authors-contrasts',
      'authors-hardness-coupled',
      'authors-mean-nll',
      'authors-others',
    ]);
    expect(JSON.stringify(blocks[0])).toContain('results/exp01/results.json');
  });
});

describe('the difference of two estimates', () => {
  it('has the interval of two that are independent', () => {
    const a = { value: 1, low: 0.4, high: 1.3 };
    const b = { value: 0.5, low: 0.3, high: 1.3 };
    const { value, low, high } = differenceOf(a, b);
    expect(value).toBe(0.5);
    expect(low).toBeCloseTo(0.5 - Math.hypot(0.6, 0.8), 12);
    expect(high).toBeCloseTo(0.5 + Math.hypot(0.3, 0.2), 12);
  });

  it('has none where either has none', () => {
    const alone = { value: 1, low: null, high: null };
    expect(differenceOf(alone, { value: 2, low: 1, high: 3 })).toEqual({ value: -1, low: null, high: null });
    expect(differenceOf({ value: null, low: null, high: null }, alone).value).toBeNull();
  });
});
