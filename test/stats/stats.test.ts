import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { intraclassCorrelation, partitionBy } from '../../src/stats/dependence.js';
import {
  cohensD,
  mean,
  median,
  pearson,
  quantile,
  spearman,
  standardDeviation,
  zScores,
} from '../../src/stats/describe.js';
import { analyticDInterval, bootstrap, percentileInterval, wilsonInterval } from '../../src/stats/interval.js';
import { detectableD, samplesForEquivalence } from '../../src/stats/power.js';
import { robust } from '../../src/stats/robust.js';
import { benjaminiHochberg, bonferroni, holm, signFlipTest, tTest, wilcoxon } from '../../src/stats/significance.js';

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
  sign_flip_p: number;
  wins: number;
  wilson: [number, number];
}

const fixture = JSON.parse(readFileSync(new URL('../fixtures/stats/scipy.json', import.meta.url), 'utf8')) as {
  lists: ListCase[];
  pearson: { x: number[]; y: number[]; r: number };
  spearman: { x: number[]; y: number[]; rho: number };
  corrections: { ps: number[]; holm: number[]; bh: number[] };
};

const take = (values: readonly number[], indices: Int32Array) => Array.from(indices, (i) => values[i]!);

describe.each(fixture.lists)('list "$name", against scipy', (list) => {
  it('describes it', () => {
    expect(mean(list.values)).toBeCloseTo(list.mean, 12);
    expect(standardDeviation(list.values)).toBeCloseTo(list.sd, 12);
    expect(median(list.values)).toBeCloseTo(list.median, 12);
    expect(robust(list.values).trimmedMean).toBeCloseTo(list.trimmed, 12);
    expect(cohensD(list.values)).toBeCloseTo(list.d, 12);
    for (const [q, value] of Object.entries(list.quantiles))
      expect(quantile(list.values, Number(q))).toBeCloseTo(value, 12);
  });

  it('tests it against 0', () => {
    expect(Math.abs(tTest(list.values)! / list.t_p - 1)).toBeLessThan(1e-9);
    expect(Math.abs(wilcoxon(list.values) / list.wilcoxon_p - 1)).toBeLessThan(1e-9);
  });

  it('tests it by flipping signs, within the noise of 20,000 permutations', () => {
    const p = signFlipTest(list.values, 20_000, new Random('flip', list.name));
    const noise = 5 * Math.sqrt((list.sign_flip_p * (1 - list.sign_flip_p)) / 20_000) + 1 / 20_000;
    expect(Math.abs(p - list.sign_flip_p)).toBeLessThan(noise);
  });

  it('has the Wilson interval of its share above 0, by t for few samples', () => {
    // With as many clusters as make t a normal quantile it is scipy's.
    const { low, high } = wilsonInterval(list.wins / list.values.length, list.values.length, 1e9);
    expect(low).toBeCloseTo(list.wilson[0], 7);
    expect(high).toBeCloseTo(list.wilson[1], 7);
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
    // The mean of nine of them is another number.
    expect(pearson(Array(9).fill(0.1), [1, 2, 3, 4, 5, 6, 7, 8, 9])).toBeNaN();
    expect(pearson([1, 2, 3, 4], [0.1, 0.1, (0.1 + 0.1 + 0.1) / 3, 0.1])).toBeNaN();
    expect(spearman([1, 2, 3, 4], [0.1, 0.1, (0.1 + 0.1 + 0.1) / 3, 0.1])).toBeNaN();
  });
});

describe('degenerate lists', () => {
  it('has no d and no t-test when all differences are equal', () => {
    expect(cohensD([0, 0, 0])).toBeNaN();
    expect(cohensD(Array(9).fill(0.1))).toBeNaN();
    expect(standardDeviation(Array(9).fill(0.1))).toBe(0);
    expect(tTest(Array(9).fill(0.1))).toBe(0);
    expect(intraclassCorrelation(Array(9).fill(0.1), partitionBy([0, 0, 0, 1, 1, 1, 2, 2, 2]))).toBeNaN();
    expect(tTest([0, 0, 0])).toBeUndefined();
    expect(tTest([1])).toBeUndefined();
  });

  it('has no interval when more than a tenth of the replicates are undefined', () => {
    expect(percentileInterval(Float64Array.of(1, 2, Number.NaN, Number.NaN))).toBeUndefined();
  });
});

describe('intervals at their edges', () => {
  it('are made of nine tenths of the replicates, and not of fewer', () => {
    const replicatesWithout = (missing: number) =>
      Float64Array.from({ length: 100 }, (_, i) => (i < missing ? Number.NaN : i));
    expect(percentileInterval(replicatesWithout(10))).toBeDefined();
    expect(percentileInterval(replicatesWithout(11))).toBeUndefined();
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
        const trimmed = robust(values).trimmedMean;
        const wild = [...values].sort((a, b) => a - b);
        expect(trimmed).toBeGreaterThanOrEqual(wild[0]! - 1e-6);
        expect(trimmed).toBeLessThanOrEqual(wild.at(-1)! + 1e-6);
        wild[wild.length - 1] = 1e9;
        expect(Math.abs(robust(wild).trimmedMean - trimmed)).toBeLessThan(1e-6);
      }),
    );
  });
});
