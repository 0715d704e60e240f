/** Summaries of paired gains against what they are made of, computed here one sample and one cluster at a time. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { cohensD, mean } from '../../src/stats/describe.js';
import { correctFamilies, meanEstimate, RESAMPLES, shareOf, summarizeGains } from '../../src/stats/gains.js';
import {
  analyticDInterval,
  bcaInterval,
  clusteredBootstrap,
  fiellerInterval,
  percentileInterval,
} from '../../src/stats/interval.js';
import { signFlipTest } from '../../src/stats/significance.js';

const random = new Random('gains');
/** Of one sign for the most part, skewed, with a tie and zeros. */
const GAINS = Array.from({ length: 24 }, (_, i) => (i % 6 === 0 ? 0 : random.float() ** 3 * 2 - 0.1));
const HALF = GAINS.map((gain) => 0.5 * gain + 0.05 * (random.float() - 0.5));
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

const of = (indices: Iterable<number>) => Array.from(indices, (index) => GAINS[index]!);
const without = (statistic: (values: readonly number[]) => number) =>
  CLUSTERS.map((left) => statistic(GAINS.filter((_, index) => !left.includes(index))));

describe('a summary of gains', () => {
  const { summaries, means, ds } = summarizeGains([GAINS], CLUSTERS, new Random('summary'));
  const [summary] = summaries as [(typeof summaries)[number]];

  it('has the mean and d of every resample of whole clusters', () => {
    const replicates = clusteredBootstrap(
      CLUSTERS,
      (indices) => [mean(of(indices)), cohensD(of(indices))],
      RESAMPLES,
      new Random('summary'),
    );
    for (const [at, own] of [means[0]!, ds[0]!].entries()) {
      expect(own).toHaveLength(RESAMPLES);
      for (let i = 0; i < RESAMPLES; i += 97) expect(own[i]).toBeCloseTo(replicates[at]![i]!, 9);
    }
  });

  it('has BCa intervals by leaving out one cluster after the other', () => {
    const wanted = {
      mean: bcaInterval(means[0]!, mean(GAINS), without(mean))!,
      d: bcaInterval(ds[0]!, cohensD(GAINS), without(cohensD))!,
    };
    for (const name of ['mean', 'd'] as const) {
      expect(summary[name].low).toBeCloseTo(wanted[name].low, 9);
      expect(summary[name].high).toBeCloseTo(wanted[name].high, 9);
      // Leaving out samples would give another one.
      expect(wanted[name]).not.toEqual(percentileInterval(name === 'mean' ? means[0]! : ds[0]!));
    }
    expect(summary.mean.value).toBeCloseTo(mean(GAINS), 12);
    expect(summary.d.value).toBeCloseTo(cohensD(GAINS), 12);
    const { low, high } = analyticDInterval(cohensD(GAINS), GAINS.length);
    expect([summary.dAnalytic.low, summary.dAnalytic.high]).toEqual([
      expect.closeTo(low, 12),
      expect.closeTo(high, 12),
    ]);
  });

  it('counts as won what is above 0, and tests both sides', () => {
    expect(summary.win.value).toBeCloseTo(GAINS.filter((gain) => gain > 0).length / GAINS.length, 12);
    expect(summary.win.value).toBeLessThan(1 - 4 / GAINS.length + 1e-9);
    const negative = GAINS.map((gain) => -gain);
    const [turned] = summarizeGains([negative], CLUSTERS, new Random('summary')).summaries;
    expect(turned!.p.t).toBeCloseTo(summary.p.t!, 12);
    expect(turned!.p.wilcoxon).toBeCloseTo(summary.p.wilcoxon, 12);
    expect(turned!.mean.low).toBeCloseTo(-summary.mean.high!, 1);
  });

  it('has no d and no interval of d where all gains are equal, and no t-test where all are 0', () => {
    const [equal] = summarizeGains([[0.5, 0.5, 0.5]], [[0], [1], [2]], new Random('equal')).summaries;
    const none = { value: null, low: null, high: null };
    expect(equal).toMatchObject({ mean: { value: 0.5 }, d: none, dAnalytic: none });
    const [zero] = summarizeGains([[0, 0, 0]], [[0], [1], [2]], new Random('zero')).summaries;
    expect(zero).toMatchObject({ mean: { value: 0 }, d: none, win: { value: 0 }, p: { t: null } });
  });
});

describe('a share of one gain in another', () => {
  const lists = [HALF, GAINS, GAINS.map((gain, i) => (i % 2 ? gain : -gain))];
  const gains = summarizeGains(lists, CLUSTERS, new Random('share'));

  it('is the ratio of the means, by joint resampling and by Fieller', () => {
    const { share, shareFieller } = shareOf(gains, lists, 0, 1);
    expect(share.value).toBeCloseTo(mean(HALF) / mean(GAINS), 12);
    const ratios = gains.means[0]!.map((value, i) => value / gains.means[1]![i]!);
    expect(share).toMatchObject(percentileInterval(ratios)!);
    expect(shareFieller).toMatchObject(fiellerInterval(HALF, GAINS)!);
    // Both move together: that is what makes the interval narrow.
    expect(share.high! - share.low!).toBeLessThan(0.2);
  });

  it('has none where the whole may be 0', () => {
    expect(gains.summaries[2]!.mean.low).toBeLessThan(0);
    expect(gains.summaries[2]!.mean.high).toBeGreaterThan(0);
    expect(shareOf(gains, lists, 0, 2).share).toEqual({ value: null, low: null, high: null });
  });
});

it('a mean has the interval of its resamples, and none without values', () => {
  const { value, low, high } = meanEstimate(GAINS, new Random('mean'), 2000);
  expect(value).toBeCloseTo(mean(GAINS), 12);
  expect(low).toBeLessThan(value!);
  expect(high).toBeGreaterThan(value!);
  expect(meanEstimate([], new Random('mean'))).toEqual({ value: null, low: null, high: null });
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
  expect(signFlipTest([0.1, 0.1], 9999, new Random('signs'))).toBeCloseTo(0.5, 1);
  expect(signFlipTest([0.1, 0.2, 0.3], 9999, new Random('signs'))).toBeCloseTo(0.25, 1);
});
