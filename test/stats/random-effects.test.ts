/** Random-effects means of units that share samples, against numpy and scipy from whole covariance matrices (tools/reference/make_pool_fixtures.py). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { partitionBy } from '../../src/stats/dependence.js';
import { mean } from '../../src/stats/describe.js';
import { standardErrorOfMean } from '../../src/stats/mean-inference.js';
import { FEWEST_UNITS, randomEffects, type SharedSamples, type UnitEffect } from '../../src/stats/random-effects.js';

interface Case {
  name: string;
  /** A row a sample, a column a unit. */
  gains: number[][];
  clusters: number[];
  mean: number;
  standard_error: number;
  freedom: number;
  interval: [number, number];
  p: number;
  tau2: number;
  i2: number;
  prediction: [number, number];
}

const cases = JSON.parse(
  readFileSync(new URL('../fixtures/stats/random-effects.json', import.meta.url), 'utf8'),
) as Case[];

function asked({ gains, clusters: labels }: Case, scale = 1): [UnitEffect[], SharedSamples] {
  const clusters = partitionBy(labels);
  const units = gains[0]!.map((_, u) => gains.map((row) => scale * row[u]!));
  const average = gains.map((row) => scale * mean(row));
  return [
    units.map((list) => ({ effect: mean(list), standardError: standardErrorOfMean(list, { clusters }) })),
    { standardError: standardErrorOfMean(average, { clusters }), freedom: clusters.length - 1 },
  ];
}

describe('random effects', () => {
  it.each(cases)('of units are those of the reference: $name', (one) => {
    const found = randomEffects(...asked(one));
    const { mean: middle, standardError, freedom, interval, p, tau2, i2, prediction } = found;
    const pairs: [number, number][] = [
      [middle, one.mean],
      [standardError, one.standard_error],
      [freedom, one.freedom],
      [interval.low, one.interval[0]],
      [interval.high, one.interval[1]],
      [p, one.p],
      [tau2, one.tau2],
      [i2, one.i2],
      [prediction.low, one.prediction[0]],
      [prediction.high, one.prediction[1]],
    ];
    for (const [ours, theirs] of pairs) {
      expect(Math.abs(ours - theirs)).toBeLessThanOrEqual(1e-9 * Math.abs(theirs) + 1e-12);
    }
  });

  it('do not depend on the scale or the order of the units', () => {
    const [units, shared] = asked(cases[0]!);
    const [scaled, sharedScaled] = asked(cases[0]!, 1000);
    const found = randomEffects(scaled.toReversed(), sharedScaled);
    expect(found.interval.low / 1000).toBeCloseTo(randomEffects(units, shared).interval.low, 10);
    expect(found.p).toBeCloseTo(randomEffects(units, shared).p, 10);
  });

  it('of units that err together are known no better than one of them, and of more units hardly better', () => {
    const one = { effect: 0.2, standardError: 0.1 };
    const same = (k: number) => randomEffects(new Array(k).fill(one), { standardError: 0.1, freedom: 60 });
    for (const k of [5, 8, 50]) {
      expect(same(k).standardError).toBeCloseTo(0.1, 12);
      expect(same(k).freedom).toBeCloseTo(60, 9);
      expect(same(k).tau2).toBe(0);
    }
  });

  it('of units that err alone, and differ by more, are the t-test of their effects', () => {
    const effects = [0.1, 0.9, -0.4, 0.5, 1.3];
    const standardError = 0.1;
    const alone = { standardError: standardError / Math.sqrt(5), freedom: 60 };
    const found = randomEffects(
      effects.map((effect) => ({ effect, standardError })),
      alone,
    );
    const center = mean(effects);
    const spread = Math.sqrt(effects.reduce((sum, x) => sum + (x - center) ** 2, 0) / 4);
    expect(found.standardError).toBeCloseTo(spread / Math.sqrt(5), 12);
    expect(found.freedom).toBeCloseTo(4, 9);
  });

  it('are not made of few units, nor of numbers that are none', () => {
    const one = { effect: 0.2, standardError: 0.1 };
    const shared = { standardError: 0.1, freedom: 9 };
    const units = new Array<UnitEffect>(FEWEST_UNITS).fill(one);
    expect(() => randomEffects(units.slice(1), shared)).toThrow(RangeError);
    const wrong: [UnitEffect[], SharedSamples][] = [
      [[...units, { ...one, effect: Number.NaN }], shared],
      [[...units, { ...one, effect: Number.POSITIVE_INFINITY }], shared],
      [[...units, { ...one, standardError: Number.NaN }], shared],
      [[...units, { ...one, standardError: 0 }], shared],
      [units, { ...shared, standardError: Number.NaN }],
      [units, { ...shared, freedom: 0 }],
    ];
    for (const given of wrong) expect(() => randomEffects(...given)).toThrow(RangeError);
  });
});
