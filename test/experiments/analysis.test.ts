import { describe, expect, it } from 'vitest';
import { askedKind } from '../../src/adworld/adworld.js';
import { soughtKind } from '../../src/adworld/pools.js';
import { Random } from '../../src/base/random.js';
import { summarize } from '../../src/experiments/analysis/summarize.js';
import { defineExperiment } from '../../src/experiments/declaration/define.js';
import type { Configuration } from '../../src/runs/schema/configuration.js';
import type { Entry, Trial } from '../../src/runs/schema/entry.js';
import type { ExperimentDeclaration } from '../../src/runs/schema/experiment.js';
import type { SampleRecord } from '../../src/runs/schema/sample.js';
import { cohensD, mean } from '../../src/stats/describe.js';
import { benjaminiHochberg, holm, tTest } from '../../src/stats/significance.js';

const SAMPLES = 60;
const PASSES = { encoder: 1, decoder: 1, naive_encoder: 1 };
const CONDITIONS = ['base', 'a', 'b', 'c'];
/** What each condition takes off the NLL, about. */
const HELP: Record<string, number> = { base: 0, a: 0.9, b: 0.5, c: 0.1 };

const configurationOf = (declaration: Partial<ExperimentDeclaration>): Configuration => ({
  experiment: defineExperiment({
    id: 'test',
    title: 'Test',
    question: 'What?',
    protocol: { samples: 50 },
    conditions: CONDITIONS.map((name) => ({ name, visibility: 'exact' as const })),
    ...declaration,
  }),
  samples: SAMPLES,
  seed: 7,
  dataset: { name: 'made up', revision: '1', licence: 'none', selection: 'all', digest: '0'.repeat(64) },
  model: { name: 'model', built_in: false, fingerprint: '0'.repeat(64), precision: 'float32', window: 64 },
  device: 'cpu',
  max_tokens: 512,
  batch_tokens: 512,
  writer: null,
});

const id = (i: number) => `s${String(i).padStart(3, '0')}`;
const records: SampleRecord[] = Array.from({ length: SAMPLES }, (_, i) => ({ id: id(i) }));

function trialOf(sample: string, condition: string, tokens: number[]): Trial {
  const nll_sum = tokens.reduce((a, b) => a + b);
  const counts = { num_tokens: tokens.length, prefix_tokens: 4, document_tokens: 10 };
  return { sample, condition, nll: nll_sum / tokens.length, nll_sum, token_nlls: tokens, cut: false, ...counts };
}

const random = new Random('analysis test');
const trials: Trial[] = records.flatMap((record) =>
  CONDITIONS.map((condition) =>
    trialOf(
      record.id,
      condition,
      [1, 2, 3].map((token) => 2 + token / 10 + random.float() - HELP[condition]!),
    ),
  ),
);
const nlls = (condition: string) => trials.filter((t) => t.condition === condition).map(({ nll }) => nll);
const gains = (treatment: string, baseline = 'base') => nlls(baseline).map((nll, i) => nll - nlls(treatment)[i]!);

describe('comparisons', () => {
  const comparisons = [
    { treatment: 'a', baseline: 'base', oracle: 'a', family: 'one' },
    { treatment: 'b', baseline: 'base', oracle: 'a', family: 'one' },
    { treatment: 'c', baseline: 'base', oracle: 'a', family: 'two' },
    { treatment: 'b', baseline: 'a', family: 'two' },
  ];
  const summary = summarize(configurationOf({ comparisons }), trials, records, PASSES);

  it('give each pair its gain, with intervals that hold it', () => {
    for (const { treatment, baseline, gain } of summary.comparisons) {
      const list = gains(treatment, baseline);
      expect(gain.mean.value).toBeCloseTo(mean(list), 12);
      expect(gain.d.value).toBeCloseTo(cohensD(list), 12);
      for (const { value, low, high } of [gain.mean, gain.trimmed_mean, gain.robust_d!, gain.d, gain.win]) {
        expect(low!).toBeLessThan(value!);
        // All wins: the upper bound is the value itself.
        expect(high!).toBeGreaterThan(value! - 1e-12);
      }
      expect(gain.p.t).toBe(tTest(list));
      expect(gain.p.mean! <= 0.05).toBe(gain.mean.low! > 0 || gain.mean.high! < 0);
      expect(gain.effective_samples).toBeCloseTo(SAMPLES, 9);
    }
  });

  it('correct p over the family only', () => {
    const [first, second] = summary.comparisons.map(({ gain }) => gain.p.mean!);
    const { corrected } = summary.comparisons[1]!;
    expect(corrected.family_size).toBe(2);
    expect(corrected.holm).toBe(holm([first!, second!])[1]);
    expect(corrected.bh).toBe(benjaminiHochberg([first!, second!])[1]);
    expect(corrected.bonferroni).toBe(Math.min(1, second! * 2));
  });

  it('are shares of the oracle’s gain where there is an oracle', () => {
    const [a, b, , without] = summary.comparisons;
    expect(a!.share.value).toBe(1);
    const { value, low, high } = b!.share;
    expect(value).toBeCloseTo(mean(gains('b')) / mean(gains('a')), 12);
    expect(low!).toBeLessThan(value!);
    expect(high!).toBeGreaterThan(value!);
    expect(b!.share.shape).toBe('interval');
    // Trimmed means are in about the same proportion.
    expect(b!.share_trimmed!.low!).toBeLessThan(value!);
    expect(b!.share_trimmed!.high!).toBeGreaterThan(value!);
    expect(without!.share.value).toBeNull();
  });

  it('say that a run is large enough, and for what', () => {
    expect(summary.smoke_run).toBe(false);
    expect(summary.detectable_d).toBeCloseTo(2.8 / Math.sqrt(60), 2);
    const few = trials.filter(({ sample }) => sample < id(49));
    expect(summarize(configurationOf({ comparisons }), few, records, PASSES).smoke_run).toBe(true);
  });

  it('resample what belongs together as one', () => {
    // The same sample twenty times over tells no more than once.
    const copies = trials.filter(({ sample }) => sample === id(0));
    const many = trials.concat(
      Array.from({ length: 200 }, (_, c) => copies.map((trial) => ({ ...trial, sample: `t${c}` }))).flat(),
    );
    const repeated = Array.from({ length: 200 }, (_, c) => ({ id: `t${c}`, cluster: 'copies' }));
    const of = (all: readonly SampleRecord[]) =>
      summarize(configurationOf({ comparisons }), many, all, PASSES).comparisons[0]!.gain;
    const alone = of([...records, ...repeated.map((record) => ({ id: record.id }))]);
    expect(alone.p.mean!).toBeLessThan(0.001);
    expect(alone.effective_samples).toBeCloseTo(260, 6);
    // Most samples are one cluster: how far its mean is from that of others nobody knows.
    const whole = of([...records, ...repeated]);
    const width = ({ mean }: typeof whole) => mean.high! - mean.low!;
    expect(width(whole)).toBeGreaterThan(3 * width(alone));
  });

  it('leave out what was rejected, unless it was scored later', () => {
    const entries: Entry[] = [
      ...trials,
      { sample: id(0), rejected: 'no text at first' },
      { sample: 'lost', rejected: 'the answer is empty' },
    ];
    expect(summarize(configurationOf({ comparisons }), entries, records, PASSES).samples.rejected).toEqual([
      { sample: 'lost', rejected: 'the answer is empty' },
    ]);
  });
});

describe('what samples share', () => {
  const comparisons = [
    { treatment: 'a', baseline: 'base', oracle: 'a' },
    { treatment: 'b', baseline: 'base', oracle: 'a' },
  ];
  const borrowing = CONDITIONS.map((name) => ({
    name,
    visibility: 'exact' as const,
    ...(name === 'b' && { surrogate: 'random_matched' }),
  }));
  const of = (own: readonly SampleRecord[], declaration: Partial<ExperimentDeclaration> = {}, dataset?: string) => {
    const configuration = configurationOf({ comparisons, ...declaration });
    const named = { ...configuration, dataset: { ...configuration.dataset, ...(dataset && { name: dataset }) } };
    const known = new Set(own.map(({ id }) => id));
    return summarize(
      named,
      trials.filter(({ sample }) => known.has(sample)),
      own,
      PASSES,
    ).samples;
  };
  const texts = (query: string) => ({ document: '', query, answer: '', target: [] });

  it('is nothing, a cluster of the data set, a query with or without texts', () => {
    expect(of(records)).toMatchObject({ clusters: 60, dependence: { by: 'sample', partners: 'none', largest: 1 } });
    const paragraphs = records.map((record, i) => ({ ...record, cluster: `p${i % 20}` }));
    expect(of(paragraphs)).toMatchObject({ clusters: 20, dependence: { by: 'cluster', largest: 3 } });
    const asked = records.map((record, i) => ({ ...record, texts: texts(`q${i % 30}`) }));
    expect(of(asked)).toMatchObject({ clusters: 30, dependence: { by: 'query', largest: 2 } });
    const silent = records.map((record, i) => ({ ...record, ...(i >= 30 && { query_as: id(i - 30) }) }));
    expect(of(silent)).toMatchObject({ clusters: 30, dependence: { by: 'query', largest: 2 } });
  });

  it('are words that they lend each other, too where the data set has clusters', () => {
    const experiment = { conditions: borrowing };
    expect(of(records, experiment)).toMatchObject({ clusters: 30, dependence: { partners: 'pairs', crossed: null } });
    const { dependence } = of(records, experiment);
    expect(dependence!.partner_icc).toBeGreaterThan(-1);
    expect(dependence!.partner_icc).toBeLessThan(1);
    // Clusters of three, with the pairs in components of six: more than a twentieth, so both ways.
    const clustered = records.map((record, i) => ({ ...record, cluster: `p${i % 20}` }));
    expect(of(clustered, experiment)).toMatchObject({ clusters: 20, dependence: { by: 'cluster', crossed: 30 } });
    // Of an odd number nobody's partner borrows back.
    const odd = of(records.slice(0, 59), experiment);
    expect(odd).toMatchObject({ clusters: 29, dependence: { partners: 'ring', largest: 3 } });
  });

  it('is a kind of question on AdWorld, for samples and for pools', () => {
    const ids = Array.from({ length: 30 }, (_, i) => `adworld-test-${String(i).padStart(5, '0')}`);
    const own = trials.slice(0, 120).map((trial, i) => ({ ...trial, sample: ids[Math.floor(i / 4)]! }));
    const adworld = { ...configurationOf({ comparisons }).dataset, name: 'adworld' };
    const { samples } = summarize(
      { ...configurationOf({ comparisons }), dataset: adworld },
      own,
      ids.map((name) => ({ id: name })),
      PASSES,
    );
    const kinds = new Set(ids.map((name) => askedKind(name, 7)));
    // What the run says itself needs no version of AdWorld.
    const recorded = summarize(
      { ...configurationOf({ comparisons }), dataset: { ...adworld, revision: 'another' } },
      own,
      ids.map((name) => ({ id: name, kind: askedKind(name, 7)! })),
      PASSES,
    );
    expect(recorded.samples).toEqual(samples);
    expect(samples).toMatchObject({ clusters: kinds.size, dependence: { by: 'question kind' } });
    expect(kinds.size).toBeLessThan(30);
    expect(askedKind('adworld-answer-pool-test-00003', 7)).toBe(askedKind('adworld-test-00003', 7));
    expect(askedKind('adworld-pool-test-00003', 7)).toBeUndefined();
    expect(soughtKind('adworld-pool-test-00003', 7)).toMatch(/^[a-z]+( and [a-z]+)?$/);
    expect(soughtKind('adworld-test-00003', 7)).toBeUndefined();
  });
});

describe('a look into the encoder', () => {
  it('has intervals by cluster: samples that are there twice tell nothing more', () => {
    const configuration = configurationOf({ unit: 'probe', conditions: [{ name: 'base', visibility: 'exact' }] });
    const layersOf = (i: number) => [{ layer: 0, measures: { entropy: Math.sin(i), ...(i < 20 && { shift: i }) } }];
    const meansOf = (copies: number) => {
      const ids = Array.from({ length: 30 * copies }, (_, i) => ({ id: id(i), cluster: `c${Math.floor(i / copies)}` }));
      const entries = ids.map((record, i) => ({
        sample: record.id,
        condition: 'base',
        layers: layersOf(Math.floor(i / copies)),
      }));
      return summarize(configuration, entries, ids, PASSES).probe!.conditions[0]!.measures;
    };
    const [once, twice] = [1, 2].map(meansOf);
    for (const [m, { name, by_layer }] of once!.entries()) {
      expect(twice![m]!.name).toBe(name);
      for (const end of ['value', 'low', 'high'] as const) {
        expect(twice![m]!.by_layer[0]![end]).toBeCloseTo(by_layer[0]![end]!, 12);
      }
      expect(by_layer[0]!.low!).toBeLessThan(by_layer[0]!.high!);
    }
  });
});

describe('capped gains', () => {
  const comparisons = [{ treatment: 'a', baseline: 'base' }];
  const one = (sample: string, base: number[], a: number[]) => [trialOf(sample, 'base', base), trialOf(sample, 'a', a)];
  const conditions = ['base', 'a'].map((name) => ({ name, visibility: 'exact' as const }));
  const entries = records.flatMap(({ id: sample }, i) =>
    i === 0 ? one(sample, [50, 2], [10, 2]) : one(sample, [3, 2], [2, 2]),
  );

  it('count no token for more than ln V, and say how many samples are above it', () => {
    const configuration = configurationOf({ comparisons, conditions });
    const [found] = summarize(configuration, entries, records, PASSES, 4096).comparisons;
    const cap = Math.log(4096);
    expect(found!.gain.mean.value).toBeCloseTo((20 + 59 * 0.5) / 60, 12);
    expect(found!.gain.capped!.value).toBeCloseTo(((cap - cap) / 2 + 59 * 0.5) / 60, 12);
    // Its mean over two tokens is 26.
    expect(found!.gain.above_cap).toBeCloseTo(1 / 60, 12);
    expect(found!.gain.trimmed_mean.value).toBeCloseTo(0.5, 12);
    expect(found!.gain.top_share).toBeCloseTo((20 + 24 * 0.5) / (20 + 59 * 0.5), 12);
    const unknown = summarize(configuration, entries, records, PASSES);
    expect(unknown.comparisons[0]!.gain).not.toHaveProperty('capped');
    expect(unknown).not.toHaveProperty('vocabulary');
  });
});

describe('a document whose positions are all moved', () => {
  const conditions = [
    { name: 'base', visibility: 'full' as const },
    { name: 'a', visibility: 'published' as const, surrogate: 'random_matched', positions: 'after_prefix' as const },
    { name: 'b', visibility: 'published' as const, surrogate: 'random_matched' },
  ];
  const comparisons = ['a', 'b'].map((treatment) => ({ treatment, baseline: 'base', family: 'one' }));
  const own = trials
    .filter(({ condition }) => condition !== 'c')
    .map((trial) =>
      trial.condition === 'a'
        ? {
            ...trials.find(({ sample, condition }) => sample === trial.sample && condition === 'base')!,
            condition: 'a',
          }
        : trial,
    );

  it('is a test of the computation and no member of a family, unless the model learned positions', () => {
    const configuration = configurationOf({ conditions, comparisons });
    const summary = summarize(configuration, own, records, PASSES);
    expect(summary.comparisons.map(({ self_test, corrected }) => [self_test, corrected.family_size])).toEqual([
      [true, 0],
      [undefined, 1],
    ]);
    expect(summary.identities).toEqual([expect.objectContaining({ samples: SAMPLES, largest: 0, holds: true })]);
    const learned = { ...configuration, model: { ...configuration.model, positions: 'learned' as const } };
    expect(summarize(learned, own, records, PASSES).comparisons[0]!.self_test).toBeUndefined();
  });
});

describe('contrasts', () => {
  const group = {
    title: 'Steps',
    contrasts: [
      { name: 'total', terms: { base: 1, a: -1 } },
      { name: 'first', terms: { base: 1, b: -1 }, share_of: 'total' },
      { name: 'second', terms: { b: 1, a: -1 }, share_of: 'total' },
      { name: 'nothing', terms: { base: 1, a: -0.5, b: -0.5 }, share_of: 'total' },
    ],
    family: ['first', 'second'],
    equivalence_margin: 0.3,
  };
  const [steps] = summarize(configurationOf({ contrasts: [group] }), trials, records, PASSES).contrasts;

  it('add up', () => {
    const [total, first, second, half] = steps!.contrasts.map(({ gain }) => gain.mean.value!);
    expect(first! + second!).toBeCloseTo(total!, 12);
    expect(half).toBeCloseTo((total! + first!) / 2, 12);
    const shares = steps!.contrasts.map(({ share }) => share.value);
    expect(shares[0]).toBeNull();
    expect(shares[1]! + shares[2]!).toBeCloseTo(1, 12);
  });

  it('are corrected in their family and tested for equivalence', () => {
    expect(steps!.contrasts.map(({ p_holm }) => p_holm === null)).toEqual([true, false, false, true]);
    expect(steps!.contrasts.every(({ p_equivalence }) => p_equivalence! > 0.9)).toBe(true);
  });
});

describe('verdicts', () => {
  const P0 = { name: 'P0', terms: { base: 1, a: -1 } };
  const H = { name: 'H', terms: { base: 0.001, b: -0.001 } };
  const group = (title: string, verdict: string | undefined, ...contrasts: { name: string; terms: object }[]) => ({
    title,
    contrasts: contrasts as [typeof P0],
    ...(verdict !== undefined && { verdict }),
  });
  const S = { name: 'S', terms: { b: 1, a: -1 } };
  const declared = {
    contrasts: [
      group('with meaning', 'all', P0, H, S),
      group('words', 'all', { name: 'P0', terms: { base: 1, b: -1 } }, H),
      group('alone', 'apart', P0),
      group('no verdict', undefined, P0),
    ],
  };
  const own = configurationOf(declared);
  const { verdicts = [] } = summarize(own, trials, records, PASSES);
  const [meaning, words, alone] = verdicts;

  it('are of the groups that ask for one', () => {
    expect(verdicts.map(({ title, together, verdict }) => [title, together, verdict])).toEqual([
      ['with meaning', 'all', 'primed'],
      ['words', 'all', 'structural'],
      ['alone', 'apart', 'structural'],
    ]);
    expect(meaning!.absent).toEqual(['W', 'V', 'P*', 'I', 'L']);
    expect(summarize(configurationOf({}), trials, records, PASSES).verdicts).toBeUndefined();
  });

  it('have a margin from every fifth cluster, and intervals from the others', () => {
    const values = gains('a');
    const aside = mean(values.filter((_, i) => i % 5 === 0));
    const small = gains('b').map((gain) => 0.001 * gain);
    expect(meaning!.total).toBeCloseTo(aside + mean(small.filter((_, i) => i % 5 === 0)), 12);
    expect(meaning!.margin).toBeCloseTo(Math.max(0.05, 0.2 * meaning!.total), 12);
    expect(alone!.total).toBeCloseTo(aside, 12);
    expect(meaning!.samples).toBe(48);
    const p0 = meaning!.steps.find(({ name }) => name === 'P0')!;
    expect(p0.mean.value).toBeCloseTo(mean(values.filter((_, i) => i % 5 > 0)), 12);
    expect(p0.mean.high! - p0.mean.value!).toBeCloseTo(meaning!.critical! * p0.standard_error!, 12);
  });

  it('count what prefixes share once, and hold together', () => {
    expect(words!.critical).toBe(meaning!.critical);
    expect(alone!.critical).toBeLessThan(meaning!.critical!);
    expect(words!.steps.find(({ name }) => name === 'H')).toEqual(meaning!.steps.find(({ name }) => name === 'H'));
    const shared = configurationOf({
      contrasts: [group('one', 'all', P0, H, S), group('two', 'all', P0, H, S)],
    });
    const alike = summarize(shared, trials, records, PASSES).verdicts!;
    const single = configurationOf({ contrasts: [group('one', 'all', P0, H, S)] });
    expect(alike[0]).toEqual(alike[1] && { ...alike[1], title: 'one' });
    expect(alike[0]).toEqual(summarize(single, trials, records, PASSES).verdicts![0]);
  });

  it('need a P0 to be on', () => {
    expect(() => configurationOf({ contrasts: [group('none', 'all', H)] })).toThrow('"none" ask for a verdict');
  });

  it('of few samples are undecided', () => {
    const few = records.slice(0, 4);
    const some = trials.filter(({ sample }) => few.some(({ id }) => id === sample));
    const [verdict] = summarize(own, some, few, PASSES).verdicts!;
    expect(verdict).toMatchObject({ verdict: 'undecided', critical: null, error_needed: null });
  });
});

describe('orders, choices and identities', () => {
  it('correlate a given order with d', () => {
    const comparisons = ['a', 'b', 'c'].map((treatment) => ({ treatment, baseline: 'base' }));
    const orders = [
      { title: 'right', treatments: ['a', 'b', 'c'], baseline: 'base' },
      { title: 'wrong', treatments: ['c', 'b', 'a'], baseline: 'base' },
    ];
    const summary = summarize(configurationOf({ comparisons, orders }), trials, records, PASSES);
    expect(summary.orders.map(({ rho }) => rho.value)).toEqual([-1, 1]);
    for (const { rho, effects } of summary.orders) {
      expect(rho).toMatchObject({ low: null, high: null });
      expect(effects!.map(({ effect }) => effect)).toEqual(['d', 'mean', 'trimmed mean']);
      // Of the six orders of three treatments two are as far from 0, however many samples there are.
      for (const { p } of effects!) expect(p).toBeCloseTo(2 / 6, 12);
    }
  });

  it('choose on other samples than they measure', () => {
    const selections = [{ title: 'best', treatments: ['c', 'a', 'b'], baseline: 'base' }];
    const [best] = summarize(configurationOf({ selections }), trials, records, PASSES).selections;
    expect(best!.chosen).toEqual({ c: 0, a: 5, b: 0 });
    expect(best!.held_out.mean.value).toBeCloseTo(mean(gains('a')), 12);
    expect(best!.best).toEqual({ treatment: 'a', gain: mean(gains('a')) });
  });

  it('pay for choosing among noise', () => {
    // Ten treatments that do nothing: the best of them on all samples looks good, the held-out gain does not.
    const names = Array.from({ length: 10 }, (_, i) => `n${i}`);
    const noise = new Random('noise');
    const entries = records.flatMap((record) =>
      ['base', ...names].map((condition) => trialOf(record.id, condition, [2 + 4 * noise.float()])),
    );
    const conditions = ['base', ...names].map((name) => ({ name, visibility: 'exact' as const }));
    const selections = [{ title: 'noise', treatments: names, baseline: 'base' }];
    const [best] = summarize(configurationOf({ conditions, selections }), entries, records, PASSES).selections;
    expect(best!.best.gain).toBeGreaterThan(best!.held_out.mean.value!);
    expect(best!.held_out.mean.low!).toBeLessThan(0);
  });

  it('notice when what must be the same is not', () => {
    const identities = [
      { name: 'same', left: 'base', right: 'base' },
      { name: 'other', left: 'base', right: 'a' },
      { name: 'too long for the window', left: 'base', right: 'a', within_window: true },
    ];
    const long = trials.map((trial) => ({ ...trial, document_tokens: 40 }));
    const { identities: found } = summarize(configurationOf({ identities }), long, records, PASSES);
    expect(found.map(({ holds, samples }) => [holds, samples])).toEqual([
      [true, SAMPLES],
      [false, SAMPLES],
      [null, 0],
    ]);
    const short = summarize(configurationOf({ identities }), trials, records, PASSES).identities[2]!;
    expect([short.holds, short.samples]).toEqual([false, SAMPLES]);
  });
});

describe('rankings', () => {
  const pools: SampleRecord[] = [0, 1, 2].flatMap((pool) =>
    ['x', 'y', 'z'].map((candidate, c) => ({
      id: `p${pool}/${candidate}`,
      pool: `p${pool}`,
      candidate,
      grade: c === 0 ? 3 : c,
      relevant: 2,
    })),
  );
  /** NLL of candidates x, y, z: lower is ranked higher. Relevant are x (3) and z (2). */
  const NLLS: Record<string, number[][]> = {
    base: [
      [1, 2, 3],
      [3, 2, 1],
      [2, 1, 3],
    ],
    a: [
      [0.5, 2, 1.5],
      [0.5, 2, 1],
      [0.5, 1, 3],
    ],
  };
  const entries = ['base', 'a'].flatMap((condition) =>
    pools.map((record, i) => trialOf(record.id, condition, [NLLS[condition]![Math.floor(i / 3)]![i % 3]!])),
  );
  const summary = summarize(
    configurationOf({
      unit: 'pool',
      conditions: ['base', 'a'].map((name) => ({ name, visibility: 'exact' as const })),
      comparisons: [{ treatment: 'a', baseline: 'base' }],
      measures: ['AUC', 'RR@3', 'nDCG@3', 'Success@1'],
    }),
    entries,
    pools,
    PASSES,
  );
  const { ranking } = summary;

  it('are measured pool by pool, by hand', () => {
    const value = (name: string) => ranking!.conditions.find((c) => c.name === name)!.means.map((m) => m.value!);
    const dcg = (...grades: number[]) => grades.reduce((sum, grade, at) => sum + grade / Math.log2(at + 2), 0);
    const ideal = dcg(3, 2, 1);
    const [auc, rr, ndcg, success] = value('base');
    // x before y before z: of two relevant candidates one is above y, one below; and so on.
    expect(auc).toBeCloseTo((0.5 + 0.5 + 0) / 3, 12);
    expect(rr).toBeCloseTo((1 + 1 + 0.5) / 3, 12);
    expect(ndcg).toBeCloseTo((dcg(3, 1, 2) + dcg(2, 1, 3) + dcg(1, 3, 2)) / 3 / ideal, 12);
    expect(success).toBeCloseTo(2 / 3, 12);
    expect(value('a')[0]).toBeCloseTo((1 + 1 + 0.5) / 3, 12);
  });

  it('count judged candidates and pools that could not be scored, and pools without a relevant one', () => {
    // x of p1 and all of p2 could not be scored; nothing in p3 is relevant.
    const none = pools
      .slice(0, 3)
      .map((record) => ({ ...record, id: record.id.replace('p0', 'p3'), pool: 'p3', grade: 0 }));
    const kept = entries.filter(({ sample }) => sample !== 'p1/x' && !sample.startsWith('p2'));
    const extra = ['base', 'a'].flatMap((condition) => none.map(({ id }, i) => trialOf(id, condition, [i])));
    const gone = ['p1/x', 'p2/x', 'p2/y', 'p2/z'].map((sample) => ({ sample, rejected: 'empty' }));
    const own = summarize(summary.configuration, [...kept, ...extra, ...gone], [...pools, ...none], PASSES).ranking!;
    expect(own).toMatchObject({ pools: 4, candidates: 8, unranked: ['p2'] });
    expect(own.measures.map(({ pools }) => pools)).toEqual([2, 3, 3, 3]);
    const dcg = (...grades: number[]) => grades.reduce((sum, grade, at) => sum + grade / Math.log2(at + 2), 0);
    const sum = (dcg(3, 1, 2) + dcg(2, 1)) / dcg(3, 2, 1);
    const [base] = own.conditions;
    expect(base!.means[2]!.value).toBeCloseTo(sum / 3, 12);
    expect(base!.judged_means![2]).toBeCloseTo(sum / 4, 12);
    expect(base!.judged_means![0]).toBeNull();
  });

  it('leave out pools of which nothing is asked, which are no smoke run', () => {
    const gone = ['p2/x', 'p2/y', 'p2/z'].map((sample) => ({ sample, rejected: 'the answer is empty' }));
    const kept = entries.filter(({ sample }) => !sample.startsWith('p2'));
    const protocol = { ...summary.configuration.experiment.protocol, samples: 3 };
    const own = summarize(
      { ...summary.configuration, experiment: { ...summary.configuration.experiment, protocol } },
      [...kept, ...gone],
      pools,
      PASSES,
    );
    expect(own.ranking).toMatchObject({ pools: 2, candidates: 6, unranked: [] });
    expect(own.samples.rejected).toHaveLength(3);
    expect(own.smoke_run).toBe(false);
    const unreadable = gone.map(({ sample }) => ({ sample, rejected: 'something else' }));
    const other = summarize(own.configuration, [...kept, ...unreadable], pools, PASSES);
    expect([other.ranking!.pools, other.smoke_run]).toEqual([3, false]);
    expect(summarize(own.configuration, kept, pools, PASSES).smoke_run).toBe(true);
  });

  it('correct the p of each measure over the comparisons of a family, by clusters of pools', () => {
    const random = new Random('many pools');
    // In the data's order, which is not that of the names: pools i and i + 20 lend each other words.
    const names = Array.from({ length: 40 }, (_, pool) => `q${(pool * 7) % 40}`);
    const many = names.flatMap((pool) =>
      ['x', 'y', 'z'].map(
        (candidate, c): SampleRecord => ({
          id: `${pool}/${candidate}`,
          pool,
          candidate,
          grade: c === 0 ? 3 : c,
          relevant: 2,
        }),
      ),
    );
    const treatments = ['a', 'b', 'c'];
    const trialsOf = many.flatMap(({ id, candidate }, i) => {
      const shared = Math.floor(i / 3) % 20;
      return ['base', ...treatments].map((condition, c) =>
        // What partners share is what their words do: a number of the pair.
        trialOf(id, condition, [2 + random.float() - (candidate === 'y' ? 0 : 0.1 * c * (shared % 5))]),
      );
    });
    const conditions = ['base', ...treatments].map((name) => ({
      name,
      visibility: 'exact' as const,
      ...(name !== 'base' && { surrogate: 'random20' }),
    }));
    const own = summarize(
      configurationOf({
        unit: 'pool',
        conditions,
        comparisons: treatments.map((treatment) => ({
          treatment,
          baseline: 'base',
          family: treatment === 'c' ? 'alone' : 'both',
        })),
        measures: ['AUC', 'nDCG@10'],
      }),
      trialsOf,
      many,
      PASSES,
    );
    const { measures, comparisons } = own.ranking!;
    expect(measures).toEqual([
      { name: 'AUC', pools: 40, clusters: 20 },
      { name: 'nDCG@10', pools: 40, clusters: 20 },
    ]);
    for (const { means } of own.ranking!.conditions) {
      for (const { value, low, high } of means) {
        expect(low!).toBeLessThan(value!);
        expect([low! >= 0, high! <= 1]).toEqual([true, true]);
      }
    }
    for (const m of [0, 1]) {
      const ps = comparisons.map(({ differences }) => differences[m]!.p.mean!);
      const [a, b, c] = comparisons.map(({ corrected }) => corrected![m]!);
      expect([a!.family_size, b!.family_size, c!.family_size]).toEqual([2, 2, 1]);
      expect([a!.bonferroni, b!.bonferroni, c!.bonferroni]).toEqual([
        Math.min(1, 2 * ps[0]!),
        Math.min(1, 2 * ps[1]!),
        ps[2],
      ]);
      expect(Math.min(a!.holm!, b!.holm!)).toBeCloseTo(Math.min(1, 2 * Math.min(ps[0]!, ps[1]!)), 12);
    }
    expect(comparisons.map(({ differential_corrected: corrected }) => corrected!.family_size)).toEqual([2, 2, 1]);
    // The same pairs whatever the pools are called: their effective number does not depend on names.
    const renamed = new Map(names.map((name, place) => [name, `p${String(place).padStart(2, '0')}`]));
    const rename = (id: string) => id.replace(/^[^/]+/, (name) => renamed.get(name)!);
    const ordered = summarize(
      own.configuration,
      trialsOf.map((trial) => ({ ...trial, sample: rename(trial.sample) })),
      many.map((record) => ({ ...record, id: rename(record.id), pool: rename(record.pool!) })),
      PASSES,
    );
    for (const [c, comparison] of ordered.ranking!.comparisons.entries()) {
      expect(comparison.differences[0]!.effective_samples).toBeCloseTo(
        comparisons[c]!.differences[0]!.effective_samples!,
        9,
      );
    }
  });

  it('say how much more the relevant candidates gain', () => {
    const [comparison] = ranking!.comparisons;
    // Gains of x and z less the gain of y, which is 0 in all pools.
    expect(comparison!.differential!.mean.value).toBeCloseTo(mean([(0.5 + 1.5) / 2, (2.5 + 0) / 2, (1.5 + 0) / 2]), 12);
    expect(comparison!.differences[0]!.mean.value).toBeCloseTo(2.5 / 3 - 1 / 3, 12);
    expect(summary.smoke_run).toBe(true);
  });
});
