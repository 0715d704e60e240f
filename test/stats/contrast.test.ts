/** The loss of a choice among candidates, by brute force, and what it says that NLLs do not. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { contrastArm } from '../../src/stats/contrast.js';
import { mean } from '../../src/stats/describe.js';

const clusters = Array.from({ length: 12 }, (_, c) => Array.from({ length: 5 }, (_v, i) => c * 5 + i));
const random = new Random('candidates');
/** The right answer is a nat likelier than the others are on average. */
const samples = Array.from({ length: 60 }, () =>
  Array.from({ length: 8 }, (_, at) => 3 + 2 * random.float() - (at === 0 ? 1 : 0)),
);
const loss = (nlls: readonly number[], sharpness: number) => {
  const shares = nlls.map((nll) => Math.exp(-sharpness * nll));
  return -Math.log(shares[0]! / shares.reduce((sum, share) => sum + share, 0));
};
/** The best of a fine grid. */
const bestOf = (some: readonly (readonly number[])[]) => {
  const grid = Array.from({ length: 8001 }, (_, i) => i / 1000);
  const sums = grid.map((sharpness) => some.reduce((sum, nlls) => sum + loss(nlls, sharpness), 0));
  return grid[sums.indexOf(Math.min(...sums))]!;
};

describe('an arm among candidates', () => {
  const arm = contrastArm(samples, clusters);

  it('is scored with the sharpness that suits the other folds best', () => {
    const foldOf = (s: number) => Math.floor(s / 5) % 5;
    const chosen = [0, 1, 2, 3, 4].map((fold) => bestOf(samples.filter((_, s) => foldOf(s) !== fold)));
    for (const [s, nlls] of samples.entries()) expect(arm.loss[s]).toBeCloseTo(loss(nlls, chosen[foldOf(s)]!), 2);
    expect(arm.sharpness.value).toBeCloseTo(bestOf(samples), 2);
    expect(arm.sharpness.low).toBeCloseTo(Math.min(...chosen), 2);
    expect(arm.sharpness.high).toBeCloseTo(Math.max(...chosen), 2);
  });

  it('has ranks, first places and margins of its own', () => {
    const two = contrastArm(
      [
        [1, 2, 3],
        [2, 1, 3],
        [1, 1, 4],
        [5, 5, 5],
      ],
      [[0], [1], [2], [3]],
    );
    expect(two.rank).toEqual([1, 2, 1.5, 2]);
    expect(two.first).toEqual([1, 0, 0.5, 1 / 3]);
    expect(two.margin).toEqual([1.5, 0, 1.5, 0]);
  });

  it('does not change where all candidates of a sample become likelier alike, or where NLLs spread', () => {
    const shifted = contrastArm(
      samples.map((nlls, s) => nlls.map((nll) => nll - s / 20)),
      clusters,
    );
    const spread = contrastArm(
      samples.map((nlls) => nlls.map((nll) => 3 * nll)),
      clusters,
    );
    for (const other of [shifted, spread]) {
      expect(other.rank).toEqual(arm.rank);
      for (const [s, own] of arm.loss.entries()) expect(other.loss[s]).toBeCloseTo(own, 10);
    }
    expect(spread.sharpness.value).toBeCloseTo(arm.sharpness.value / 3, 10);
  });

  it('has the logarithm of the number of candidates where it tells nothing, and is never infinitely sure', () => {
    const blind = contrastArm(
      samples.map((nlls, s) => nlls.map((_, at) => (at === s % 8 ? 0 : 1))),
      clusters,
    );
    expect(mean(blind.loss)).toBeGreaterThan(Math.log(8) - 0.1);
    const sure = contrastArm(
      samples.map((nlls) => nlls.map((_, at) => (at === 0 ? 0 : 1))),
      clusters,
    );
    expect(sure.sharpness.value).toBe(32);
    expect(Math.max(...sure.loss)).toBeLessThan(1e-9);
    expect(Math.min(...sure.loss)).toBeGreaterThan(0);
  });

  it('needs two clusters', () => {
    expect(() => contrastArm(samples, [samples.map((_, s) => s)])).toThrow(RangeError);
  });
});
