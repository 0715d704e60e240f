import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { independent } from '../../src/stats/dependence.js';
import {
  averageGradients,
  coupledPoints,
  gradient,
  resampledCorrelation,
  splitPoints,
  splitReliability,
  type TokenPair,
} from '../../src/stats/hardness.js';
import { Resamples } from '../../src/stats/resamples.js';

describe('hardness', () => {
  const pairs: TokenPair[] = [
    { baseline: [4, 1, 2], treatment: [1, 1, 1] },
    { baseline: [3], treatment: [2] },
  ];

  it('takes hardness and gain from the same tokens when coupled', () => {
    expect(coupledPoints(pairs)).toEqual([
      { hardness: 7 / 3, gain: 7 / 3 - 1 },
      { hardness: 3, gain: 1 },
    ]);
  });

  it('takes them from different tokens when split, both ways, and leaves single tokens out', () => {
    expect(splitPoints(pairs)).toEqual({
      odd: [{ hardness: 3, gain: 0 }],
      even: [{ hardness: 1, gain: 2 }],
      excluded: 1,
    });
  });

  it('does not correlate with what is constant, in no resample either', () => {
    const gains = [3, 1, 4, 1, 5, 9, 2, 6, 5];
    const resamples = new Resamples(independent(9).clusters, new Random('constant'), { draws: 200 });
    for (const constant of [gains.map(() => 0.1), gains.map((_, i) => (i % 2 === 0 ? 0.1 : (0.1 + 0.1 + 0.1) / 3))]) {
      const points = gains.map((gain, i) => ({ hardness: constant[i]!, gain }));
      const turned = points.map(({ hardness, gain }) => ({ hardness: gain, gain: hardness }));
      for (const list of [points, turned]) {
        expect(gradient(list).r).toBeNaN();
        expect(resampledCorrelation(list, resamples).every(Number.isNaN)).toBe(true);
      }
    }
    expect(splitReliability(gains.map((_, i) => ({ baseline: Array(2 + i).fill(0.1), treatment: [0] })))).toBeNaN();
  });

  it('puts the lower bound of a fifth inside it', () => {
    const points = [1, 2, 3, 4, 5, 6].map((hardness) => ({ hardness, gain: hardness * 10 }));
    // numpy.percentile of 1..6 at 20, 40, 60, 80 is 2, 3, 4, 5.
    expect(gradient(points).quintiles.map(({ n }) => n)).toEqual([1, 1, 1, 1, 2]);
    expect(gradient(points).r).toBeCloseTo(1, 12);
  });

  it('leaves fifths empty when values tie', () => {
    const quintiles = gradient([1, 1, 1, 1].map((hardness) => ({ hardness, gain: 1 }))).quintiles;
    expect(quintiles.map(({ n }) => n)).toEqual([0, 0, 0, 0, 4]);
    expect(quintiles[0]!.gain).toBeNaN();
  });

  it('weights by members when two gradients are averaged', () => {
    const a = { quintiles: [{ n: 3, hardness: 1, gain: 1 }], r: 0.2 };
    const b = { quintiles: [{ n: 1, hardness: 5, gain: 5 }], r: 0.6 };
    expect(averageGradients(a, b)).toEqual({ quintiles: [{ n: 4, hardness: 2, gain: 2 }], r: 0.4 });
    const empty = { quintiles: [{ n: 0, hardness: Number.NaN, gain: Number.NaN }], r: 0.6 };
    expect(averageGradients(a, empty).quintiles[0]).toEqual({ n: 3, hardness: 1, gain: 1 });
  });

  it('shows why coupling is not enough: noise alone makes a gradient there and none on split tokens', () => {
    const random = new Random('noise');
    const noise = (): number[] => Array.from({ length: 6 }, () => 3 * random.float());
    const noisy = Array.from({ length: 2000 }, () => ({ baseline: noise(), treatment: noise() }));
    const { odd, even } = splitPoints(noisy);
    expect(gradient(coupledPoints(noisy)).r).toBeGreaterThan(0.6);
    expect(Math.abs(averageGradients(gradient(odd), gradient(even)).r)).toBeLessThan(0.06);
  });
});
