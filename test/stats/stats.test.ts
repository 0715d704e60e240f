import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import {
  cohensD,
  mean,
  median,
  pearson,
  quantile,
  spearman,
  standardDeviation,
  trimmedMean,
  zScores,
} from '../../src/stats/describe.js';
import {
  analyticDInterval,
  bcaInterval,
  bootstrap,
  clusteredBootstrap,
  fiellerInterval,
  percentileInterval,
  wilsonInterval,
} from '../../src/stats/interval.js';
import { detectableD, samplesForEquivalence } from '../../src/stats/power.js';
import {
  benjaminiHochberg,
  bonferroni,
  equivalenceTest,
  holm,
  signFlipTest,
  tTest,
  wilcoxon,
} from '../../src/stats/significance.js';

interface ListCase {
  name: string;
  values: number[];
  mean: number;
  sd: number;
  median: number;
  trimmed: number;
  quantiles: Record<string, number>;
  d: number;
  t_p: number;
  wilcoxon_p: number;
  equivalence_p: number;
  sign_flip_p: number;
  wins: number;
  wilson: [number, number];
  bca_mean?: [number, number];
  bca_d?: [number, number];
}

const fixture = JSON.parse(readFileSync(new URL('../fixtures/stats/scipy.json', import.meta.url), 'utf8')) as {
  lists: ListCase[];
  pearson: { x: number[]; y: number[]; r: number };
  spearman: { x: number[]; y: number[]; rho: number };
  fieller: { top: number[]; bottom: number[]; low: number; high: number };
  corrections: { ps: number[]; holm: number[]; bh: number[] };
};

const without = (values: readonly number[], statistic: (v: readonly number[]) => number) =>
  values.map((_, left) => statistic(values.filter((_, i) => i !== left)));

const take = (values: readonly number[], indices: Int32Array) => Array.from(indices, (i) => values[i]!);

describe.each(fixture.lists)('list "$name", against scipy', (list) => {
  it('describes it', () => {
    expect(mean(list.values)).toBeCloseTo(list.mean, 12);
    expect(standardDeviation(list.values)).toBeCloseTo(list.sd, 12);
    expect(median(list.values)).toBeCloseTo(list.median, 12);
    expect(trimmedMean(list.values, 0.2)).toBeCloseTo(list.trimmed, 12);
    expect(cohensD(list.values)).toBeCloseTo(list.d, 12);
    for (const [q, value] of Object.entries(list.quantiles))
      expect(quantile(list.values, Number(q))).toBeCloseTo(value, 12);
  });

  it('tests it against 0', () => {
    expect(Math.abs(tTest(list.values)! / list.t_p - 1)).toBeLessThan(1e-9);
    // Found as 1 minus a probability, so that it cannot be better than the last bits of 1.
    expect(Math.abs(wilcoxon(list.values) - list.wilcoxon_p)).toBeLessThan(1e-9 * list.wilcoxon_p + 1e-15);
    expect(equivalenceTest(list.values, 0.5)).toBeCloseTo(list.equivalence_p, 9);
  });

  it('tests it by flipping signs, within the noise of 20,000 permutations', () => {
    const p = signFlipTest(list.values, 20_000, new Random('flip', list.name));
    const noise = 5 * Math.sqrt((list.sign_flip_p * (1 - list.sign_flip_p)) / 20_000) + 1 / 20_000;
    expect(Math.abs(p - list.sign_flip_p)).toBeLessThan(noise);
  });

  it('has the Wilson interval of its share above 0', () => {
    const { low, high } = wilsonInterval(list.wins, list.values.length);
    expect(low).toBeCloseTo(list.wilson[0], 10);
    expect(high).toBeCloseTo(list.wilson[1], 10);
  });
});

describe.each(fixture.lists.filter(({ bca_mean }) => bca_mean))('long list "$name", against scipy', (list) => {
  it('has the BCa intervals, within the noise of resampling', () => {
    const [means, ds] = bootstrap(
      list.values.length,
      (indices) => [mean(take(list.values, indices)), cohensD(take(list.values, indices))],
      20_000,
      new Random('test', list.name),
    ) as [Float64Array, Float64Array];
    const found = {
      mean: bcaInterval(means, list.mean, without(list.values, mean))!,
      d: bcaInterval(ds, list.d, without(list.values, cohensD))!,
    };
    const wanted = { mean: list.bca_mean!, d: list.bca_d! };
    for (const of of ['mean', 'd'] as const) {
      const [low, high] = wanted[of];
      // The end of an interval moves by about 2% of its width from one set of 20,000 resamples to the next.
      const noise = 0.03 * (high - low);
      expect(Math.abs(found[of].low - low)).toBeLessThan(noise);
      expect(Math.abs(found[of].high - high)).toBeLessThan(noise);
    }
  });
});

it('standardises, and finds no difference among equal values whatever rounding says', () => {
  const scores = zScores([1, 2, 4, 5]);
  expect(mean(scores)).toBeCloseTo(0, 12);
  expect(standardDeviation(scores)).toBeCloseTo(1, 12);
  expect(mean([0.1, 0.1, 0.1])).not.toBe(0.1);
  expect(zScores([0.1, 0.1, 0.1])).toEqual([0, 0, 0]);
  expect(zScores([7])).toEqual([0]);
});

describe('Pearson', () => {
  it('equals scipy', () => {
    expect(pearson(fixture.pearson.x, fixture.pearson.y)).toBeCloseTo(fixture.pearson.r, 12);
  });
  it('is undefined for a constant list', () => {
    expect(pearson([1, 1, 1], [1, 2, 3])).toBeNaN();
  });
});

describe('degenerate lists', () => {
  it('has no d and no t-test when all differences are equal', () => {
    expect(cohensD([0, 0, 0])).toBeNaN();
    expect(tTest([0, 0, 0])).toBeUndefined();
    expect(tTest([1])).toBeUndefined();
  });

  it('falls back to percentiles where BCa is undefined', () => {
    const replicates = Float64Array.from({ length: 1000 }, (_, i) => i / 1000);
    const percentiles = percentileInterval(replicates);
    expect(bcaInterval(replicates, -1, [1, 2, 3])).toEqual(percentiles);
    expect(bcaInterval(replicates, 0.5, [2, 2, 2])).toEqual(percentiles);
  });

  it('has no interval when more than a tenth of the replicates are undefined', () => {
    expect(percentileInterval(Float64Array.of(1, 2, Number.NaN, Number.NaN))).toBeUndefined();
  });
});

describe('intervals at their edges', () => {
  it('count half of the replicates that equal the estimate as below it', () => {
    // Half of them below and half of them equal: the bias is that of 3 quarters.
    const replicates = Float64Array.from({ length: 1000 }, (_, i) => (i < 500 ? i / 500 : 1));
    const jackknife = [1, 2, 3];
    const tied = bcaInterval(replicates, 1, jackknife)!;
    // Without acceleration the ends are at Phi(2 z(0.75) +- 1.96) of the replicates: 0.270 and 0.9995.
    expect(tied.low).toBeCloseTo(0.54, 2);
    expect(tied.high).toBe(1);
  });

  it('are made of nine tenths of the replicates, and not of fewer', () => {
    const replicatesWithout = (missing: number) =>
      Float64Array.from({ length: 100 }, (_, i) => (i < missing ? Number.NaN : i));
    expect(percentileInterval(replicatesWithout(10))).toBeDefined();
    expect(percentileInterval(replicatesWithout(11))).toBeUndefined();
    expect(bcaInterval(replicatesWithout(11), 60, [1, 2, 4])).toBeUndefined();
  });
});

describe('Wilcoxon', () => {
  it('is 1 below ten differences other than 0, and a test from ten on', () => {
    const positive = Array.from({ length: 10 }, (_, i) => i + 1);
    expect(wilcoxon(positive.slice(1))).toBe(1);
    expect(wilcoxon([0, 0, ...positive.slice(1)])).toBe(1);
    // All 2^10 signs are as likely, and two of them as extreme.
    expect(wilcoxon(positive)).toBeCloseTo(2 / 1024, 12);
    expect(wilcoxon([0, 0, ...positive])).toBeCloseTo(2 / 1024, 12);
  });
});

describe('bootstrap', () => {
  it('agrees with the enumeration of all resamples', () => {
    const values = [0.1, 0.7, 1.9, 3.2, 3.3];
    const all: number[] = [];
    for (let code = 0; code < 5 ** 5; code++) {
      all.push(mean([0, 1, 2, 3, 4].map((digit) => values[Math.floor(code / 5 ** digit) % 5]!)));
    }
    const [replicates] = bootstrap(5, (indices) => [mean(take(values, indices))], 50_000, new Random('enumeration'));
    const found = percentileInterval(replicates!)!;
    expect(Math.abs(found.low - quantile(all, 0.025))).toBeLessThan(0.05);
    expect(Math.abs(found.high - quantile(all, 0.975))).toBeLessThan(0.05);
    expect(Math.abs(mean([...replicates!]) - mean(values))).toBeLessThan(0.01);
  });

  it('gives the same replicates for the same seed, and others for another', () => {
    const run = (seed: number) => bootstrap(7, (indices) => [indices[0]!], 50, new Random('b', seed));
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });
});

describe('clustered bootstrap', () => {
  it('is the plain one when every case is a cluster', () => {
    const values = [3, 1, 4, 1, 5];
    const statistic = (indices: Int32Array) => [mean(take(values, indices))];
    expect(clusteredBootstrap([[0], [1], [2], [3], [4]], statistic, 100, new Random('c'))).toEqual(
      bootstrap(5, statistic, 100, new Random('c')),
    );
  });

  it('draws whole clusters', () => {
    const clusters = [[0, 1, 2], [3], [4, 5]];
    clusteredBootstrap(
      clusters,
      (indices) => {
        const drawn = [...indices].join();
        expect(drawn).toMatch(/^((0,1,2|3|4,5)(,|$)){3}$/);
        return [0];
      },
      200,
      new Random('clusters'),
    );
  });
});

describe('Fieller', () => {
  it('bounds the ratios that a t-test does not reject', () => {
    const { top, bottom, low, high } = fixture.fieller;
    const found = fiellerInterval(top, bottom)!;
    expect(found.low).toBeCloseTo(low, 9);
    expect(found.high).toBeCloseTo(high, 9);
  });

  it('is undefined when the denominator may be 0', () => {
    expect(fiellerInterval([1, 2, 3], [-1, 0.1, 1])).toBeUndefined();
  });
});

describe('analytic interval of d', () => {
  it('is wider for a larger d', () => {
    // 1.959964 sqrt(1/50 + 4/100)
    const { low, high } = analyticDInterval(2, 50);
    expect([low, high]).toEqual([expect.closeTo(2 - 0.480091, 5), expect.closeTo(2 + 0.480091, 5)]);
    expect(analyticDInterval(0, 50).high).toBeCloseTo(0.277181, 5);
  });

  it('holds the true d in about 95% of samples', () => {
    const random = new Random('coverage');
    const normal = () => Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float());
    let held = 0;
    for (let run = 0; run < 2000; run++) {
      const d = cohensD(Array.from({ length: 60 }, () => 0.4 + normal()));
      const { low, high } = analyticDInterval(d, 60);
      if (low <= 0.4 && 0.4 <= high) held++;
    }
    expect(Math.abs(held / 2000 - 0.95)).toBeLessThan(0.02);
  });
});

describe('Spearman', () => {
  it('equals scipy with ties', () => {
    expect(spearman(fixture.spearman.x, fixture.spearman.y)).toBeCloseTo(fixture.spearman.rho, 12);
  });
});

describe('families of tests', () => {
  it('are corrected as by scipy', () => {
    const { ps, holm: wantedHolm, bh } = fixture.corrections;
    for (const [i, p] of holm(ps).entries()) expect(p).toBeCloseTo(wantedHolm[i]!, 12);
    for (const [i, p] of benjaminiHochberg(ps).entries()) expect(p).toBeCloseTo(bh[i]!, 12);
  });
});

describe('power', () => {
  it('says what the protocol says', () => {
    expect(samplesForEquivalence(0.1)).toBe(857);
    expect(detectableD(500)).toBeCloseTo(0.1253, 4);
  });
});

describe('Bonferroni', () => {
  it('multiplies and stops at 1', () => {
    expect(bonferroni(0.01, 9)).toBeCloseTo(0.09, 12);
    expect(bonferroni(0.2, 9)).toBe(1);
  });
});

describe('trimmed mean', () => {
  it('lies between the extremes and does not mind their size', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 5 }), (values) => {
        const trimmed = trimmedMean(values, 0.2);
        const wild = [...values].sort((a, b) => a - b);
        expect(trimmed).toBeGreaterThanOrEqual(wild[0]! - 1e-6);
        expect(trimmed).toBeLessThanOrEqual(wild.at(-1)! + 1e-6);
        wild[wild.length - 1] = 1e9;
        expect(Math.abs(trimmedMean(wild, 0.2) - trimmed)).toBeLessThan(1e-6);
      }),
    );
  });
});
