/** Summaries of paired gains against what they are made of, computed here one sample and one cluster at a time. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { differences } from '../../src/experiments/analysis/compared.js';
import { independent } from '../../src/stats/dependence.js';
import { cohensD, mean } from '../../src/stats/describe.js';
import {
  correctFamilies,
  samplingOf,
  summarizeGains,
  summarizeMeasureDifferences,
  within,
} from '../../src/stats/gains.js';
import { analyticDInterval } from '../../src/stats/interval.js';
import { inferMeans, intervalOfMean, pOfMean } from '../../src/stats/mean-inference.js';
import { percentilesOf, resampledRobust, robust, topShare } from '../../src/stats/robust.js';
import { signFlipTest } from '../../src/stats/significance.js';

const random = new Random('gains');
/** Of one sign for the most part, skewed, with a tie and zeros. */
const GAINS = Array.from({ length: 24 }, (_, i) => (i % 6 === 0 ? 0 : random.float() ** 3 * 2 - 0.1));
/** Of unequal sizes. */
const CLUSTERS = [
  [0, 1, 2, 3],
  [4],
  [5, 6],
  [7, 8, 9],
  [10],
  [11, 12],
  [13, 14, 15],
  [16, 17],
  [18, 19, 20],
  [21, 22, 23],
];

describe('a summary of gains', () => {
  const sampling = samplingOf({ clusters: CLUSTERS }, new Random('summary'));
  const { summaries } = summarizeGains([GAINS], sampling, new Random('signs'));
  const [summary] = summaries as [(typeof summaries)[number]];

  it('has the mean with interval and p of one test, and robust statistics of the same resamples', () => {
    const [inference] = inferMeans([GAINS], sampling.dependence, sampling.resamples);
    expect(summary.mean).toEqual({ value: inference!.mean, ...intervalOfMean(inference!) });
    expect(summary.p.mean).toBe(pOfMean(inference!));
    const [replicates] = resampledRobust([GAINS], sampling.resamples);
    const { trimmedMean, robustD } = robust(GAINS);
    expect(summary.trimmedMean).toEqual({
      value: trimmedMean,
      ...percentilesOf(replicates!.trimmedMean, sampling.resamples),
    });
    expect(summary.robustD).toEqual({ value: robustD, ...percentilesOf(replicates!.robustD, sampling.resamples) });
  });

  it('has d of the samples, clusters or not, with its nominal interval', () => {
    const { low, high } = analyticDInterval(cohensD(GAINS), GAINS.length);
    expect(summary.d).toEqual({ value: cohensD(GAINS), low, high });
    expect(summary.mean.value).toBeCloseTo(mean(GAINS), 12);
  });

  it('of measures has an interval within what differences of them can be, and the same p', () => {
    // Nearly all as far apart as they can be, in few clusters, so that Student's t reaches far.
    const pools = Array.from({ length: 8 }, (_, i) => [i]);
    const apart = pools.map((_, i) => (i === 0 ? 0 : -1));
    const few = samplingOf({ clusters: pools }, new Random('summary'));
    const [free] = summarizeGains([apart], few, new Random('signs')).summaries;
    expect(free!.mean.low).toBeLessThan(-1);
    const [bounded] = summarizeMeasureDifferences([apart], few, new Random('signs'));
    expect(bounded).toEqual({ ...free, mean: { ...free!.mean, low: -1 } });
    const values = { bare: apart, treated: apart.map(() => 0) };
    const tested = (range?: number) =>
      differences(
        [{ treatment: 'treated', baseline: 'bare' }],
        (name) => values[name as keyof typeof values],
        few,
        range,
      )[0]!;
    expect(tested().mean.high).toBeGreaterThan(1);
    expect(tested(1)).toEqual({ ...tested(), mean: { ...tested().mean, high: 1 } });
    expect(within({ value: 0.5, low: null, high: null }, -1, 1)).toEqual({ value: 0.5, low: null, high: null });
  });

  it('counts as won what is above 0 and as tied what is 0, and tests both sides', () => {
    expect(summary.win.value).toBeCloseTo(GAINS.filter((gain) => gain > 0).length / GAINS.length, 12);
    expect(summary.ties).toBeCloseTo(4 / GAINS.length, 12);
    const negative = GAINS.map((gain) => -gain);
    const [turned] = summarizeGains([negative], sampling, new Random('signs')).summaries;
    expect(turned!.p.mean).toBeCloseTo(summary.p.mean!, 12);
    expect(turned!.p.t).toBeCloseTo(summary.p.t!, 12);
    expect(turned!.p.wilcoxon).toBeCloseTo(summary.p.wilcoxon, 12);
    expect(turned!.mean.low).toBeCloseTo(-summary.mean.high!, 12);
  });

  it('takes wins of all samples for as few as there are clusters', () => {
    const all = GAINS.map(() => 1).map((one, i) => one + i);
    const [won] = summarizeGains([all], sampling, new Random('signs')).summaries;
    expect(won!.win.value).toBe(1);
    const [single] = summarizeGains(
      [all],
      samplingOf(independent(24), new Random('one')),
      new Random('signs'),
    ).summaries;
    expect(won!.win.low!).toBeLessThan(single!.win.low! - 0.1);
  });

  it('has no d where all gains are equal, no t-test where all are 0, and nothing of nothing', () => {
    const three = samplingOf(independent(3), new Random('equal'));
    const [equal] = summarizeGains([[0.5, 0.5, 0.5]], three, random).summaries;
    const none = { value: null, low: null, high: null };
    expect(equal).toMatchObject({ mean: { value: 0.5 }, d: none, robustD: none });
    const [zero] = summarizeGains([[0, 0, 0]], three, random).summaries;
    expect(zero).toMatchObject({ mean: { value: 0 }, d: none, win: { value: 0 }, ties: 1, p: { t: null } });
    const [nothing] = summarizeGains([[]], samplingOf(independent(0), random), random).summaries;
    expect(nothing).toMatchObject({
      mean: none,
      trimmedMean: none,
      win: none,
      p: { mean: null, t: null, wilcoxon: 1 },
    });
  });
});

it('corrects within families, of which what was not tested is no member', () => {
  const corrected = correctFamilies(['a', 'b', 'a', 'a', 'b'], [0.01, 0.04, 0.03, null, 0.5]);
  expect(corrected).toEqual([
    { familySize: 2, bonferroni: 0.02, holm: 0.02, bh: 0.02 },
    { familySize: 2, bonferroni: 0.08, holm: 0.08, bh: 0.08 },
    { familySize: 2, bonferroni: 0.06, holm: 0.03, bh: 0.03 },
    { familySize: 0, bonferroni: null, holm: null, bh: null },
    { familySize: 2, bonferroni: 1, holm: 0.5, bh: 0.5 },
  ]);
});

it('a test by random signs counts the signs as they are, and sums in any order', () => {
  // No other signs of 40 equal differences come as far.
  const equal = Array.from({ length: 40 }, () => 0.1);
  expect(signFlipTest(equal, 999, new Random('signs'))).toBe(1 / 1000);
  // Half of all signs of two equal differences do, and differ from the total in no more than a last bit.
  // These cancel, whatever order they are added in: no signs give a sum that is nearer to 0.
  const cancelled = [0.1, 0.2, 0.3, -0.3, -0.2, -0.1].flatMap((value) => Array<number>(5).fill(value));
  expect(cancelled.reduce((sum, value) => sum + value)).not.toBe(0);
  expect(signFlipTest(cancelled, 999, new Random('signs'))).toBe(1);
  expect(topShare(cancelled)).toBeUndefined();
  expect(signFlipTest([0.1, 0.1], 9999, new Random('signs'))).toBeCloseTo(0.5, 1);
  expect(signFlipTest([0.1, 0.2, 0.3], 9999, new Random('signs'))).toBeCloseTo(0.25, 1);
});
