/** Inference on clustered samples against numpy, scipy and statsmodels (tools/reference/make_inference_fixtures.py). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { covariances, satterthwaite } from '../../src/stats/cluster-variance.js';
import {
  connected,
  type Dependence,
  independent,
  intraclassCorrelation,
  partitionBy,
  together,
} from '../../src/stats/dependence.js';
import { mean, standardDeviation } from '../../src/stats/describe.js';
import { equivalence, type Sampling, samplingOf, shareOf, summarizeGains } from '../../src/stats/gains.js';
import type { Interval } from '../../src/stats/interval.js';
import { wilsonInterval } from '../../src/stats/interval.js';
import {
  effectiveSamples,
  inferMeans,
  intervalOfMean,
  pOfMean,
  standardErrorOfMean,
} from '../../src/stats/mean-inference.js';
import { ratioOfMeans } from '../../src/stats/ratio.js';
import { RESAMPLES, Resamples } from '../../src/stats/resamples.js';
import { percentilesOf, resampledRobust, robust, topShare } from '../../src/stats/robust.js';
import { spearmanTest, wilcoxon } from '../../src/stats/significance.js';

interface Case {
  name: string;
  values: number[];
  labels: number[];
  crossed: number[];
  cr1: number;
  two_way: [number, number, number];
  cr2: number;
  freedom: number;
  icc: number;
  trimmed: number;
  robust_d: number;
  bootstrap?: { critical: number; p: number; equivalence: number; trimmed: number[]; robust_d: number[] };
  student?: { p: number; low: number; high: number; equivalence: number };
}

const fixture = JSON.parse(readFileSync(new URL('../fixtures/stats/inference.json', import.meta.url), 'utf8')) as {
  clustered: Case[];
  fieller: { top: number[]; bottom: number[]; labels: number[]; shape: string; roots: number[] }[];
  wilson: { share: number; samples: number; clusters: number; low: number; high: number }[];
  wilcoxon: { values: number[]; p: number }[];
  spearman: { x: number[]; y: number[]; p: number }[];
};

const deviations = (values: readonly number[]) => Float64Array.from(values, (value) => value - mean(values));
const sampling = (labels: readonly number[], name = 'test'): Sampling =>
  samplingOf({ clusters: partitionBy(labels) }, new Random(name));
const inferred = (values: readonly number[], own: Sampling) => inferMeans([values], own.dependence, own.resamples)[0]!;

describe.each(fixture.clustered)('clustered samples "$name"', (known) => {
  const { values, labels } = known;
  const clusters = partitionBy(labels);
  const own = deviations(values);

  it('have the cluster-robust standard errors of statsmodels and of whole matrices', () => {
    const [one] = covariances({ clusters }, values.length, 'CR1');
    expect(Math.sqrt(one!(own, own))).toBeCloseTo(known.cr1, 12);
    const [corrected] = covariances({ clusters }, values.length, 'CR2');
    expect(Math.sqrt(corrected!(own, own))).toBeCloseTo(known.cr2, 12);
    expect(satterthwaite(clusters)).toBeCloseTo(known.freedom, 9);
  });

  it('have the two-way ones, of which the largest is taken', () => {
    const dependence: Dependence = { clusters, crossed: partitionBy(known.crossed) };
    const errors = covariances(dependence, values.length, 'CR1').map((of) => Math.sqrt(of(own, own)));
    const [both, first, second] = known.two_way;
    expect(errors).toEqual([expect.closeTo(first, 12), expect.closeTo(second, 12), expect.closeTo(both, 12)]);
    if (known.bootstrap) expect(standardErrorOfMean(values, dependence)).toBeCloseTo(Math.max(...known.two_way), 12);
  });

  it('are as alike as an analysis of variance says', () => {
    expect(intraclassCorrelation(values, clusters)).toBeCloseTo(known.icc, 12);
  });

  it('have the trimmed mean of scipy, and robust d by its winsorised values', () => {
    expect(robust(values).trimmedMean).toBeCloseTo(known.trimmed, 12);
    expect(robust(values).robustD).toBeCloseTo(known.robust_d, 12);
  });

  it('are tested by a bootstrap, or by Student’s t where they are few', () => {
    const drawn = sampling(labels);
    const found = inferred(values, drawn);
    const equal = equivalence(values, found, 0.8)!;
    if (known.student) {
      expect(pOfMean(found)).toBeCloseTo(known.student.p, 9);
      expect(intervalOfMean(found)!.low).toBeCloseTo(known.student.low, 9);
      expect(intervalOfMean(found)!.high).toBeCloseTo(known.student.high, 9);
      expect(equal).toBeCloseTo(known.student.equivalence, 9);
      return;
    }
    const { critical, p, equivalence: wanted } = known.bootstrap!;
    // Two sets of 10,000 and 100,000 resamples: five standard errors of a share, and what a quantile moves by.
    const noise = (share: number) => 5 * Math.sqrt((share * (1 - share)) / RESAMPLES) + 2 / RESAMPLES;
    expect(Math.abs(pOfMean(found)! - p)).toBeLessThan(noise(p));
    expect(Math.abs(equal - wanted)).toBeLessThan(noise(wanted));
    expect(Math.abs(found.reference!.critical / critical - 1)).toBeLessThan(0.04);
    const [replicates] = resampledRobust([values], drawn.resamples);
    for (const [own, ends] of [
      [replicates!.trimmedMean, known.bootstrap!.trimmed],
      [replicates!.robustD, known.bootstrap!.robust_d],
    ] as const) {
      const { low, high } = percentilesOf(own, drawn.resamples)!;
      const width = ends[1]! - ends[0]!;
      expect(Math.abs(low - ends[0]!)).toBeLessThan(0.04 * width);
      expect(Math.abs(high - ends[1]!)).toBeLessThan(0.04 * width);
    }
  });
});

describe('interval and p of a mean', () => {
  const random = new Random('consistent');
  const heavy = () => (random.float() - 0.5) ** 3 * 20;

  it('never disagree, whatever the data', () => {
    for (let run = 0; run < 12; run++) {
      const values = Array.from({ length: 24 + run }, () => heavy() + 0.4 * random.float());
      const labels = values.map((_, i) => (run % 2 ? i : i % 9));
      const found = inferred(values, sampling(labels, `consistent ${run}`));
      const { low, high } = intervalOfMean(found)!;
      expect(low > 0 || high < 0).toBe(pOfMean(found)! <= 0.05);
    }
  });

  it('know that a sample copied ten times tells no more than once', () => {
    const values = Array.from({ length: 12 }, () => heavy() + 0.5);
    const copies = values.flatMap((value) => Array.from({ length: 10 }, () => value));
    const labels = values.flatMap((_, i) => Array.from({ length: 10 }, () => i));
    const [once, often, blind] = [
      inferred(values, samplingOf(independent(12), new Random('once'))),
      inferred(copies, sampling(labels)),
      inferred(copies, samplingOf(independent(120), new Random('blind'))),
    ];
    expect(pOfMean(often)).toBeCloseTo(pOfMean(once)!, 12);
    expect(pOfMean(blind)!).toBeLessThan(pOfMean(often)! / 5);
    // The usual variance has n - 1 in its denominator.
    expect(effectiveSamples(copies, often.standardError)).toBeCloseTo((12 * 11 * 10) / 119, 9);
    const [summary] = summarizeGains([copies], sampling(labels), new Random('copies')).summaries;
    const [single] = summarizeGains([values], samplingOf(independent(12), random), random).summaries;
    expect(summary!.win.high! - summary!.win.low!).toBeGreaterThan(0.9 * (single!.win.high! - single!.win.low!));
  });

  it('are not given for fewer than six clusters, or where nothing varies', () => {
    const values = [1, 2, 1.5, 3, 0.5, 2.5];
    expect(pOfMean(inferred(values, sampling([0, 1, 2, 3, 4, 4])))).toBeUndefined();
    expect(pOfMean(inferred(values, sampling([0, 1, 2, 3, 4, 5])))).toBeLessThan(0.05);
  });

  it('are wide where one cluster has most of the samples: its mean is nearly that of all', () => {
    const uneven = Array.from({ length: 260 }, (_, i) => (i < 60 ? i : 60));
    const many = uneven.map((_, i) => heavy() + i / 260);
    const width = (own: Sampling) => {
      const { low, high } = intervalOfMean(inferred(many, own))!;
      return high - low;
    };
    expect(width(sampling(uneven))).toBeGreaterThan(3 * width(samplingOf(independent(260), random)));
  });

  it('of equal values are as narrow and as sure as resamples are many; of zeros there is no difference', () => {
    const drawn = samplingOf(independent(30), random);
    const [equal, zero] = summarizeGains([Array(30).fill(0.5), Array(30).fill(0)], drawn, random).summaries;
    expect(equal).toMatchObject({ mean: { low: 0.5, high: 0.5 }, robustD: { value: null }, p: { mean: 1 / 10_000 } });
    expect(zero).toMatchObject({ mean: { low: 0, high: 0 }, d: { value: null }, p: { mean: 1, t: null } });
    expect(equivalence(Array(30).fill(0.5), inferred(Array(30).fill(0.5), drawn), 0.1)).toBeNull();
  });

  it('are the same for the same seed, however often resamples are gone through', () => {
    const values = Array.from({ length: 40 }, heavy);
    const drawn = samplingOf(independent(40), new Random('seed'));
    const first = intervalOfMean(inferred(values, drawn));
    expect(intervalOfMean(inferred(values, drawn))).toEqual(first);
    expect(intervalOfMean(inferred(values, samplingOf(independent(40), new Random('seed'))))).toEqual(first);
    expect(intervalOfMean(inferred(values, samplingOf(independent(40), new Random('other'))))).not.toEqual(first);
  });
});

describe('resamples', () => {
  it('draw as many clusters as there are, each as often as any other', () => {
    const { clusters } = independent(30);
    const resamples = new Resamples(clusters, new Random('draws'), { draws: 2000 });
    const totals = new Float64Array(30);
    resamples.forEach((counts) => {
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(30);
      counts.forEach((count, g) => {
        totals[g]! += count;
      });
    });
    for (const total of totals) expect(Math.abs(total / 2000 - 1)).toBeLessThan(5 / Math.sqrt(2000));
  });

  it('are drawn again where there are too many to keep, and are the same', () => {
    const { clusters } = independent(90);
    const resamples = new Resamples(clusters, new Random('many'), { draws: 300, keptBytes: 90 * 299 });
    const sums = () => {
      const found: number[] = [];
      resamples.forEach((counts, draw) => {
        if (draw % 100 === 0) found.push(counts.reduce((sum, count, g) => sum + count * (g % 97), 0));
      });
      return found;
    };
    const once = sums();
    expect(new Set(once).size).toBe(3);
    expect(sums()).toEqual(once);
  });
});

describe('Fieller’s set', () => {
  it.each(fixture.fieller)('is what Student’s t does not reject: $shape', ({ top, bottom, labels, shape, roots }) => {
    const own = sampling(labels);
    const found = ratioOfMeans(top, bottom, own.dependence, own.resamples)!;
    expect(found.shape).toBe(shape);
    expect(found.value).toBeCloseTo(mean(top) / mean(bottom), 12);
    if (shape === 'all') expect([found.low, found.high]).toEqual([Number.NaN, Number.NaN]);
    else expect([found.low, found.high]).toEqual([expect.closeTo(roots[0]!, 8), expect.closeTo(roots[1]!, 8)]);
  });

  it.each([
    ['clusters for a bootstrap', (i: number) => i % 40, undefined],
    ['few clusters', (i: number) => i % 9, undefined],
    ['crossed partitions', (i: number) => i % 24, (i: number) => i % 30],
  ])('is bounded where the whole is told from 0, and holds 0 where the part is not: %s', (_, label, across) => {
    const indices = Array.from({ length: 120 }, (_, i) => i);
    const dependence = {
      clusters: partitionBy(indices.map(label)),
      ...(across && { crossed: partitionBy(indices.map(across)) }),
    };
    const resamples = new Resamples(dependence.clusters, new Random('agreement'), { draws: 999 });
    const random = new Random('values');
    // A few large values, as NLLs have them: critical values then differ from ratio to ratio.
    const heavy = () => (random.float() - 0.5) / (random.float() + 0.01);
    const seen = new Set<string>();
    for (let trial = 0; trial < 60; trial++) {
      const [shift, tie] = [0.25 * (trial % 6), trial % 3];
      const bottom = indices.map(() => heavy() + shift);
      const top = bottom.map((value) => (tie * value) / 3 + heavy() + shift / 2);
      const [part, whole] = inferMeans([top, bottom], dependence, resamples).map((one) => intervalOfMean(one)!);
      const holdsZero = ({ low, high }: Interval) => low <= 0 && high >= 0;
      const { low, high, shape } = ratioOfMeans(top, bottom, dependence, resamples)!;
      expect(shape === 'interval', `bounded in trial ${trial}`).toBe(!holdsZero(whole!));
      const within = shape === 'all' || (shape === 'interval' ? holdsZero({ low, high }) : low >= 0 || high <= 0);
      expect(within, `0 in trial ${trial}`).toBe(holdsZero(part!));
      seen.add(`${shape} ${within}`);
    }
    expect(seen.size).toBeGreaterThanOrEqual(4);
  });

  it.each([
    [44, false],
    [19, true],
  ])('of trimmed means holds 0 where that of the part does, however small the whole (%d)', (seed, holdsZero) => {
    const random = new Random('trimmed', seed);
    const noise = () => random.float() + random.float() - 1;
    const wholes = Array.from({ length: 12 }, () => 0.35 + noise());
    const lists = [wholes.map(() => -0.3 + noise()), wholes];
    const gains = summarizeGains(lists, samplingOf(independent(12), new Random('draws')), new Random('signs'));
    const [part, whole] = gains.summaries.map(({ trimmedMean }) => trimmedMean);
    // Told from 0, but not in every resample.
    expect(whole!.low).toBeGreaterThan(0);
    expect(Math.min(...gains.replicates[1]!.trimmedMean)).toBeLessThan(0);
    const { shareTrimmed } = shareOf(gains, lists, 0, 1);
    for (const { low, high } of [part!, shareTrimmed]) expect(low! <= 0 && high! >= 0).toBe(holdsZero);
  });

  it('of a list and itself is 1, and of a multiple the multiple', () => {
    const values = fixture.fieller[0]!.bottom;
    const own = samplingOf(independent(values.length), new Random('itself'));
    expect(ratioOfMeans(values, values, own.dependence, own.resamples)).toMatchObject({ value: 1, low: 1, high: 1 });
    const tripled = values.map((value) => 3 * value);
    const found = ratioOfMeans(tripled, values, own.dependence, own.resamples)!;
    expect([found.low, found.high]).toEqual([expect.closeTo(3, 12), expect.closeTo(3, 12)]);
  });

  it('stands beside the ratio of trimmed means, which there is none of where the whole may be 0', () => {
    const { top, bottom } = fixture.fieller[0]!;
    const lists = [top, bottom, bottom.map((value, i) => (i % 2 ? value : -value))];
    const gains = summarizeGains(lists, samplingOf(independent(top.length), new Random('share')), new Random('signs'));
    const { share, shareTrimmed } = shareOf(gains, lists, 0, 1);
    expect(share.shape).toBe('interval');
    expect(shareTrimmed.value).toBeCloseTo(robust(top).trimmedMean / robust(bottom).trimmedMean, 12);
    expect(shareTrimmed.low!).toBeLessThan(shareTrimmed.value!);
    expect(shareTrimmed.high!).toBeGreaterThan(shareTrimmed.value!);
    expect(shareOf(gains, lists, 0, 2)).toMatchObject({ shareTrimmed: { value: null } });
    expect(shareOf(gains, lists, 0, 2).share.shape).not.toBe('interval');
  });
});

describe('which samples depend on each other', () => {
  it('by two partitions: what hangs together, in any order', () => {
    const a = [[0, 1], [2], [3], [4, 5]];
    const b = [[0], [1, 2], [3], [4], [5]];
    expect(connected(a, b, 6)).toEqual([[0, 1, 2], [3], [4, 5]]);
  });

  it('is two-way where a component is more than a twentieth, unless one partition lies in the other', () => {
    const pairs = Array.from({ length: 100 }, (_, i) => [i, i + 100]);
    const kinds = partitionBy(Array.from({ length: 200 }, (_, i) => i % 9));
    const { clusters, crossed } = together(pairs, kinds, 200);
    expect(clusters).toBe(kinds);
    expect(crossed).toBe(pairs);
    expect(together(independent(200).clusters, kinds, 200)).toEqual({ clusters: kinds });
    // Each pair with one neighbour: components of four, which is a fiftieth.
    const neighbours = partitionBy(Array.from({ length: 200 }, (_, i) => (i < 100 ? Math.floor(i / 2) : `${i}`)));
    const { clusters: four, crossed: none } = together(pairs, neighbours, 200);
    expect(four).toHaveLength(50);
    expect(none).toBeUndefined();
  });
});

describe('Wilson’s interval', () => {
  it.each(fixture.wilson)('is what a score test with t does not reject: $share of $samples', (known) => {
    const { low, high } = wilsonInterval(known.share, known.samples, known.clusters);
    expect(low).toBeCloseTo(known.low, 9);
    expect(high).toBeCloseTo(known.high, 9);
  });
});

describe('rank tests', () => {
  it.each(fixture.wilcoxon)('Wilcoxon’s p is scipy’s also where it is tiny: $p', ({ values, p }) => {
    expect(p).toBeGreaterThan(0);
    expect(Math.abs(wilcoxon(values) / p - 1)).toBeLessThan(1e-9);
  });

  it.each(fixture.spearman)('Spearman’s p is over all orders, or by t: $p', ({ x, y, p }) => {
    expect(spearmanTest(x, y)).toBeCloseTo(p, 9);
    expect(spearmanTest(x.slice(0, 2), y.slice(0, 2))).toBeUndefined();
    expect(spearmanTest(x, Array(x.length).fill(1))).toBeUndefined();
  });
});

describe('the trimmed mean and robust d', () => {
  it('do not mind the size of extremes, and are those of the middle', () => {
    const values = Array.from({ length: 40 }, (_, i) => i);
    const wild = values.map((value) => (value === 39 ? 1e9 : value));
    expect(robust(wild)).toEqual(robust(values));
    expect(robust(values).trimmedMean).toBeCloseTo(19.5, 12);
    expect(robust([5]).trimmedMean).toBe(5);
    expect(robust(Array(10).fill(0.3)).robustD).toBeNaN();
  });

  it('robust d of normal data is d', () => {
    const random = new Random('normal');
    const normal = () => Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float());
    const values = Array.from({ length: 20_000 }, () => 0.5 + normal());
    expect(robust(values).robustD).toBeCloseTo(mean(values) / standardDeviation(values), 1);
  });

  it('in a resample count a cluster as often as it is drawn', () => {
    const { values, labels } = fixture.clustered[0]!;
    const { resamples } = sampling(labels);
    const [found] = resampledRobust([values], resamples);
    resamples.forEach((counts, draw) => {
      if (draw % 1000 > 0) return;
      const drawn = resamples.clusters.flatMap((cluster, g) =>
        Array.from({ length: counts[g]! }, () => cluster.map((index) => values[index]!)).flat(),
      );
      const direct = robust(drawn);
      expect(found!.trimmedMean[draw]).toBeCloseTo(direct.trimmedMean, 12);
      expect(found!.robustD[draw]).toBeCloseTo(direct.robustD, 9);
    });
  });
});

it('the share in the 25 largest is of the sum, by distance from 0', () => {
  const even = Array.from({ length: 100 }, () => 1);
  expect(topShare(even)).toBeCloseTo(0.25, 12);
  const one = even.map((value, i) => (i === 50 ? -301 : value));
  expect(topShare(one)).toBeCloseTo((-301 + 24) / (-301 + 99), 12);
  expect(topShare(even.slice(0, 25))).toBeUndefined();
  expect(topShare(Array(30).fill(0))).toBeUndefined();
});
