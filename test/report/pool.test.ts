/** Several models' runs of one experiment together: what may be taken together, and what is said of it. */
import { describe, expect, it } from 'vitest';
import { truncation } from '../../src/experiments/catalogue/truncation.js';
import { poolRuns } from '../../src/report/pool.js';
import { pooledMarkdown, pooledText } from '../../src/report/pool-text.js';
import type { PoolableRun } from '../../src/report/poolable.js';
import type { Configuration } from '../../src/runs/schema/configuration.js';
import { mean } from '../../src/stats/describe.js';
import { madeRun } from './made-run.js';

const unit = (draw: number): PoolableRun => {
  const model = { name: `lab/model-${draw}`, fingerprint: String(draw).repeat(64) };
  return { directory: `runs/${draw}`, run: madeRun(truncation, { draw, model }) };
};

const UNITS = [1, 2, 3, 4, 5].map((draw) => unit(draw));

/** A unit whose configuration is another. */
const changed = ({ directory, run }: PoolableRun, change: Partial<Configuration>): PoolableRun => ({
  directory,
  run: { ...run, summary: { ...run.summary, configuration: { ...run.summary.configuration, ...change } } },
});

/** A unit of another model, by what its record says. */
const modelled = (one: PoolableRun, model: Partial<Configuration['model']>): PoolableRun =>
  changed(one, { model: { ...one.run.summary.configuration.model, ...model } });

/** What the unit's own summary says of a comparison. */
const gainOf = ({ run }: PoolableRun, { treatment, baseline }: { treatment: string; baseline: string }) =>
  run.summary.comparisons.find((one) => one.treatment === treatment && one.baseline === baseline)!.gain;

describe('runs that are taken together', () => {
  it('have a mean over units from five on', () => {
    const pooled = poolRuns(UNITS);
    expect(pooled).toMatchObject({ experiment: 'exp01', samples: 40, common: 40, clusters: 40, withoutMean: null });
    expect(pooled.units.map(({ name, model }) => [name, model])).toEqual(
      ['A', 'B', 'C', 'D', 'E'].map((name, i) => [name, `lab/model-${i + 1}`]),
    );
    const primary = pooled.comparisons.find((one) => one.primary)!;
    for (const [u, { mean: found, standardError, trimmedMean }] of primary.effects.entries()) {
      const gain = gainOf(UNITS[u]!, primary);
      // To the last digit of the interval: from the same draws as the unit's own summary.
      expect(found).toEqual(gain.mean);
      expect(trimmedMean).toEqual(gain.trimmed_mean);
      // Of independent samples: d is mean over standard deviation.
      expect(standardError).toBeCloseTo(gain.mean.value! / gain.d.value! / Math.sqrt(40), 10);
    }
    expect(primary.pooled!.mean).toBeCloseTo(mean(primary.effects.map((effect) => effect.mean.value!)), 12);
    const text = pooledMarkdown([pooled]);
    expect(text).toContain('# exp01 over 5 models');
    expect(text).toContain('## Over units, mean gain in nats per token');
    expect(text).toContain('Smoke runs are among these');
  });

  it('know a mean no better than one unit does where all units err together', () => {
    const [first] = UNITS as [PoolableRun];
    const copies = UNITS.map(
      ({ directory, run }): PoolableRun => ({ directory, run: { ...run, trials: first.run.trials } }),
    );
    const primary = poolRuns(copies).comparisons.find((one) => one.primary)!;
    expect(primary.pooled!.standardError).toBeCloseTo(primary.effects[0]!.standardError!, 12);
    const apart = poolRuns(UNITS).comparisons.find((one) => one.primary)!;
    expect(apart.pooled!.standardError).toBeLessThan(0.7 * apart.effects[0]!.standardError!);
  });

  it('have a table alone, and the signs, where they are fewer', () => {
    const pooled = poolRuns(UNITS.slice(0, 3));
    expect(pooled.comparisons.every((one) => one.pooled === null)).toBe(true);
    expect(pooled.withoutMean).toMatch(/^3 units: .* fewer than 5/);
    const { signs, effects } = pooled.comparisons.find(({ treatment }) => treatment === 'oracle_d')!;
    const all = { above: 3, below: 0, toldAbove: 3, toldBelow: 0 };
    expect(signs).toEqual({ mean: all, trimmedMean: all });
    const text = pooledMarkdown([pooled]);
    expect(text).not.toContain('## Over units');
    expect(text).toContain('there is no mean over them');
    const cells = effects.map(({ trimmedMean: { value, low, high } }) => {
      const [shown, from, to] = [value, low, high].map((x) => `+${x!.toFixed(3)}`);
      return `${shown} [${from}, ${to}]`;
    });
    expect(text).toContain(`| oracle_d | bare_d | ${cells.join(' | ')} | 3 (3) | 0 (0) |`);
    const shown = pooledText([pooled]);
    expect(shown).toMatch(/^exp01 over 3 models\n/);
    expect(shown).toMatch(/\noracle_d +bare_d +\+/);
    expect(shown).toContain(`${cells.join('  ')}    3 (3)    0 (0)\n`);
  });

  it('take their numbers from the trials, whatever a summary says', () => {
    const [first, ...others] = UNITS as [PoolableRun, ...PoolableRun[]];
    const { summary } = first.run;
    const [comparison, ...rest] = summary.comparisons;
    const gain = { ...comparison!.gain, mean: { value: 99, low: 98, high: 100 } };
    const altered = { ...summary, comparisons: [{ ...comparison!, gain }, ...rest] };
    const pooled = poolRuns([{ ...first, run: { ...first.run, summary: altered } }, ...others]);
    expect(pooled).toEqual(poolRuns(UNITS));
  });

  it('are held against each other on the samples that all of them scored', () => {
    const [first, second, third] = UNITS as [PoolableRun, PoolableRun, PoolableRun];
    const without = ({ directory, run }: PoolableRun, id: string): PoolableRun => ({
      directory,
      run: { ...run, trials: run.trials.filter(({ sample }) => sample !== id) },
    });
    const lacking = [first, without(second, 's0003'), without(third, 's0011')];
    const pooled = poolRuns(lacking);
    expect(pooled.common).toBe(38);
    const same = [first, second, third].map((one) => without(without(one, 's0003'), 's0011'));
    expect(pooled.comparisons).toEqual(poolRuns(same).comparisons);
    expect(pooledMarkdown([pooled])).toContain('left out: 2 of A, 1 of B, 1 of C.');
  });

  it('have their headlines in one table where experiments are several', () => {
    const pooled = poolRuns(UNITS.slice(0, 3));
    const other = { ...pooled, experiment: 'exp02', smokeRun: false };
    const text = pooledMarkdown([pooled, other], ['exp04a is left out: it ranks.']);
    expect(text).toContain('# 2 experiments over 3 models');
    expect(text).toContain('exp04a is left out');
    const { treatment, baseline } = pooled.comparisons.find(({ primary }) => primary)!;
    for (const name of ['exp01 \\(smoke run\\)', 'exp02']) {
      expect(text).toMatch(
        new RegExp(`\\| ${name} \\| ${treatment} \\| ${baseline} \\|.*\\| 3 \\(3\\) \\| 0 \\(0\\) \\|`),
      );
    }
    // What is said of both stands once, what is said of one with its tables.
    expect(text.match(/there is no mean over them/g)).toHaveLength(1);
    expect(text.indexOf('Smoke runs are among these')).toBeGreaterThan(text.indexOf('## exp01'));
  });

  it('are refused by name where they were not asked the same', () => {
    const [first, second] = UNITS as [PoolableRun, PoolableRun];
    const { configuration } = second.run.summary;
    const { dataset, experiment } = configuration;
    const refusals: [PoolableRun[], RegExp][] = [
      [[first], /two run folders or more/],
      [[first, first], /are of the same model, lab\/model-1/],
      [[first, modelled(second, { name: 'lab/model-1' })], /are of the same model/],
      [[first, modelled(second, { fingerprint: '1'.repeat(64) })], /are of the same model/],
      [
        [modelled(first, { name: 'tiny' }), modelled(second, { name: 'tiny', precision: 'int8' })],
        /are of the same model, tiny, in float32 and in int8: a model counts once/,
      ],
      [
        // A copied folder, at another precision.
        [modelled(first, { weights: 'a' }), modelled(second, { weights: 'a', precision: 'int8' })],
        /are of the same model, lab\/model-1 and lab\/model-2 by its weights, in float32 and in int8: a model counts once/,
      ],
      [
        [first, changed(second, { dataset: { ...dataset, digest: 'e'.repeat(64) } })],
        /not of the same data as runs\/1: data\.digest is/,
      ],
      [[first, changed(second, { seed: 2 })], /not of the same data .*data\.seed is 2, not 1/],
      [
        [first, changed(second, { max_tokens: 512 })],
        /not of the same protocol .*protocol\.max_tokens is 512, not 8192/,
      ],
      [
        [first, changed(second, { experiment: { ...experiment, prompt: 'query' } })],
        /not of the same experiment .*experiment\.prompt/,
      ],
      [[first, modelled(second, { built_in: true })], /the two never share a table/],
      [
        [first, changed(second, { imported: { file: 'x', digest: 'y', form: 'numbers', recorded_at: null } })],
        /was imported/,
      ],
      [[first, changed(second, { experiment: { ...experiment, unit: 'pool' } })], /no gains in NLL sample by sample/],
      [[first, { ...second, run: { ...second.run, trials: [] } }], /holds no trials/],
    ];
    for (const [runs, message] of refusals) {
      expect(() => poolRuns(runs), String(message)).toThrow(
        expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringMatching(message) }),
      );
    }
  });

  it('of one name may be two models, by their weights', () => {
    const [first, second] = UNITS as [PoolableRun, PoolableRun];
    const named = (one: PoolableRun, weights: string) => modelled(one, { name: 'tiny', precision: weights, weights });
    expect(poolRuns([named(first, 'a'), named(second, 'b')]).units).toHaveLength(2);
  });

  it('may be training seeds of the built-in model by the word of the caller, where shapes agree', () => {
    const [first, second, third] = UNITS as [PoolableRun, PoolableRun, PoolableRun];
    const builtIn = modelled(first, { name: 'tiny', built_in: true, vocabulary: 100 });
    const seeds = [builtIn, ...[second, third].map((one) => modelled(one, { name: 'model', vocabulary: 100 }))];
    expect(() => poolRuns(seeds)).toThrow(/with --training-seeds/);
    const text = pooledMarkdown([poolRuns(seeds, { seeds: true })]);
    expect(text).toContain('over 3 training seeds');
    expect(text).toContain('By the word of whoever called');
    expect(text).toContain('nothing about T5Gemma 2');
    expect(() => poolRuns([builtIn, modelled(second, { name: 'other', vocabulary: 200 })], { seeds: true })).toThrow(
      /not of the same model .*model\.vocabulary is 200, not 100/,
    );
  });
});
