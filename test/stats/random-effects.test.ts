/** Random-effects means against numpy, scipy and statsmodels (tools/reference/make_pool_fixtures.py). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FEWEST_UNITS, randomEffects } from '../../src/stats/random-effects.js';

interface Case {
  name: string;
  effects: number[];
  standard_errors: number[];
  mean: number;
  standard_error: number;
  interval: [number, number];
  p: number;
  tau2: number;
  q: number;
  i2: number;
  prediction: [number, number];
}

const cases = JSON.parse(
  readFileSync(new URL('../fixtures/stats/random-effects.json', import.meta.url), 'utf8'),
) as Case[];

describe('random effects', () => {
  it.each(cases)('of $name units are those of the reference', ({ effects, standard_errors, ...reference }) => {
    const found = randomEffects(effects.map((effect, i) => ({ effect, standardError: standard_errors[i]! })));
    const { mean, standardError, interval, p, tau2, q, i2, prediction } = found;
    const pairs: [number, number][] = [
      [mean, reference.mean],
      [standardError, reference.standard_error],
      [interval.low, reference.interval[0]],
      [interval.high, reference.interval[1]],
      [p, reference.p],
      [tau2, reference.tau2],
      [q, reference.q],
      [i2, reference.i2],
      [prediction.low, reference.prediction[0]],
      [prediction.high, reference.prediction[1]],
    ];
    for (const [ours, theirs] of pairs) {
      expect(Math.abs(ours - theirs)).toBeLessThanOrEqual(1e-9 * Math.abs(theirs) + 1e-12);
    }
  });

  it('do not depend on the unit or the order of the units', () => {
    const { effects, standard_errors } = cases[0]!;
    const units = effects.map((effect, i) => ({ effect, standardError: standard_errors[i]! }));
    const scaled = units.map(({ effect, standardError }) => ({
      effect: 1000 * effect,
      standardError: 1000 * standardError,
    }));
    expect(randomEffects(scaled.toReversed()).interval.low / 1000).toBeCloseTo(randomEffects(units).interval.low, 10);
    expect(randomEffects(scaled).p).toBeCloseTo(randomEffects(units).p, 10);
  });

  it('are not made of few units', () => {
    const one = { effect: 0.2, standardError: 0.1 };
    expect(() => randomEffects(new Array(FEWEST_UNITS - 1).fill(one))).toThrow(RangeError);
  });
});
