/** Several models' runs of one experiment together: what may be taken together, and what is said of it. */
import { describe, expect, it } from 'vitest';
import { truncation } from '../../src/experiments/catalogue/truncation.js';
import { type PoolableRun, pooledMarkdown, poolRuns } from '../../src/report/pool.js';
import type { Configuration } from '../../src/runs/schema/configuration.js';
import { randomEffects } from '../../src/stats/random-effects.js';
import { madeRun } from './made-run.js';

const unit = (draw: number, model: Partial<Configuration['model']> = {}): PoolableRun => {
  const made = madeRun(truncation, {
    draw,
    model: { name: `lab/model-${draw}`, fingerprint: String(draw).repeat(64), ...model },
  });
  return { directory: `runs/${draw}`, run: { ...made, record: undefined as never } };
};

const UNITS = [1, 2, 3, 4, 5].map((draw) => unit(draw));

/** A unit whose configuration is another. */
const changed = ({ directory, run }: PoolableRun, change: Partial<Configuration>): PoolableRun => ({
  directory,
  run: { ...run, summary: { ...run.summary, configuration: { ...run.summary.configuration, ...change } } },
});

describe('runs that are taken together', () => {
  it('have a mean over units from five on', () => {
    const pooled = poolRuns(UNITS);
    expect(pooled).toMatchObject({ experiment: 'exp01', samples: 40, seeds: false, withoutMean: null });
    expect(pooled.units.map(({ name, model }) => [name, model])).toEqual(
      ['A', 'B', 'C', 'D', 'E'].map((name, i) => [name, `lab/model-${i + 1}`]),
    );
    const primary = pooled.comparisons.find((one) => one.primary)!;
    const [first] = primary.effects;
    const { gain } = UNITS[0]!.run.summary.comparisons.find(
      ({ treatment, baseline }) => treatment === primary.treatment && baseline === primary.baseline,
    )!;
    expect(first!.mean).toEqual(gain.mean);
    // Of independent samples: d is mean over standard deviation.
    expect(first!.standardError).toBeCloseTo(gain.mean.value! / gain.d.value! / Math.sqrt(40), 10);
    expect(primary.pooled).toEqual(
      randomEffects(primary.effects.map(({ mean, standardError }) => ({ effect: mean.value!, standardError }))),
    );
    const text = pooledMarkdown(pooled);
    expect(text).toContain('# exp01 over 5 models');
    expect(text).toContain('## Over units, mean gain in nats per token');
    expect(text).toContain('Smoke runs are among these');
  });

  it('have a table alone, and the signs, where they are fewer', () => {
    const pooled = poolRuns(UNITS.slice(0, 4));
    expect(pooled.comparisons.every((one) => one.pooled === null)).toBe(true);
    expect(pooled.withoutMean).toMatch(/^4 units: .* fewer than 5/);
    const { signs } = pooled.comparisons.find(({ treatment }) => treatment === 'oracle_d')!;
    expect(signs).toEqual({ above: 4, below: 0, toldAbove: 4, toldBelow: 0 });
    const text = pooledMarkdown(pooled);
    expect(text).not.toContain('## Over units');
    expect(text).toContain('there is no mean over them');
    expect(text).toMatch(/\| oracle_d \| bare_d \| 4 \(4\) \| 0 \(0\) \|/);
  });

  it('are refused by name where they were not asked the same', () => {
    const [first, second] = UNITS as [PoolableRun, PoolableRun];
    const { configuration } = second.run.summary;
    const { dataset, experiment } = configuration;
    const refusals: [PoolableRun[], RegExp][] = [
      [[first], /two run folders or more/],
      [[first, first], /are of the same model, lab\/model-1/],
      [[first, unit(2, { name: 'lab/model-1' })], /are of the same model/],
      [[first, unit(2, { fingerprint: '1'.repeat(64) })], /are of the same model/],
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
      [[first, unit(2, { built_in: true })], /the two never share a table/],
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

  it('may be training seeds of the built-in model by the word of the caller, where shapes agree', () => {
    const builtIn = unit(1, { name: 'tiny', built_in: true, vocabulary: 100 });
    const seeds = [builtIn, unit(2, { name: 'seed1', vocabulary: 100 }), unit(3, { name: 'seed2', vocabulary: 100 })];
    expect(() => poolRuns(seeds)).toThrow(/with --seeds/);
    const text = pooledMarkdown(poolRuns(seeds, { seeds: true }));
    expect(text).toContain('over 3 training seeds');
    expect(text).toContain('By the word of whoever called');
    expect(text).toContain('nothing about T5Gemma 2');
    expect(() => poolRuns([builtIn, unit(2, { name: 'other', vocabulary: 200 })], { seeds: true })).toThrow(
      /not of the same model .*model\.vocabulary is 200, not 100/,
    );
  });
});
