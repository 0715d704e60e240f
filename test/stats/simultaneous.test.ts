/** Intervals that hold several means at once. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { independent, partitionBy } from '../../src/stats/dependence.js';
import { mean } from '../../src/stats/describe.js';
import { normalQuantile, tQuantile } from '../../src/stats/distributions.js';
import { samplingOf, summarizeGains } from '../../src/stats/gains.js';
import { inferMeans } from '../../src/stats/mean-inference.js';
import { Resamples } from '../../src/stats/resamples.js';
import { robust } from '../../src/stats/robust.js';
import { simultaneousMeans } from '../../src/stats/simultaneous.js';

const random = new Random('simultaneous');
const normal = () => Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float());
const normals = (size: number) => Array.from({ length: size }, normal);

describe('simultaneous intervals', () => {
  it('of one mean are those of its test', () => {
    const list = normals(60).map((value) => value + 0.3);
    const sampling = samplingOf(independent(60), new Random('draws'));
    const { critical, means } = simultaneousMeans([list], sampling, 0.95);
    const [inference] = inferMeans([list], sampling.dependence, sampling.resamples);
    expect(critical).toBe(inference!.reference!.critical);
    expect(means[0]!.standardError).toBe(inference!.standardError);
    const { summaries } = summarizeGains([list], sampling, new Random('signs'));
    expect(means[0]!.mean).toEqual(summaries[0]!.mean);
  });

  it('have by brute force the largest |t*| of each resample', () => {
    const clusters = partitionBy(Array.from({ length: 50 }, (_, i) => i % 25));
    const lists = [normals(50), normals(50).map((value) => value ** 3), normals(50)];
    const sampling = {
      dependence: { clusters },
      resamples: new Resamples(clusters, new Random('few'), { draws: 999 }),
    };
    const largest: number[] = [];
    const trimmed: number[][] = [];
    sampling.resamples.forEach((counts) => {
      const drawn = clusters.flatMap((cluster, g) => Array.from({ length: counts[g]! }, () => cluster));
      trimmed.push(lists.map((list) => robust(drawn.flat().map((i) => list[i]!)).trimmedMean));
      largest.push(Math.max(...lists.map((list) => tOf(list, drawn))));
    });
    const { critical, means } = simultaneousMeans(lists, sampling, 0.99);
    expect(critical).toBeCloseTo(largest.sort((a, b) => a - b)[989]!, 10);
    const centers = lists.map((list) => robust(list).trimmedMean);
    const errors = lists.map((_, l) => deviation(trimmed.map((own) => own[l]!)));
    const off = trimmed.map((own) => Math.max(...own.map((value, l) => Math.abs(value - centers[l]!) / errors[l]!)));
    const reach = off.sort((a, b) => a - b)[989]!;
    for (const [l, { trimmedMean }] of means.entries()) {
      expect(trimmedMean.value).toBeCloseTo(centers[l]!, 12);
      expect(trimmedMean.high! - trimmedMean.value!).toBeCloseTo(reach * errors[l]!, 10);
    }
  });

  it('reach farther for more means, as far as independent normal ones ask for', () => {
    const lists = Array.from({ length: 17 }, () => normals(200));
    const dependence = independent(200);
    const resamples = new Resamples(dependence.clusters, new Random('many'), { draws: 1999 });
    const sampling = { dependence, resamples };
    const [one, all] = [lists.slice(0, 1), lists].map((own) => simultaneousMeans(own, sampling, 0.99).critical!);
    const sidak = normalQuantile(1 - (1 - 0.99 ** (1 / 17)) / 2);
    expect(one).toBeLessThan(all!);
    expect(all).toBeGreaterThan(0.9 * sidak);
    expect(all).toBeLessThan(1.15 * sidak);
    // The same list again asks for no more.
    expect(simultaneousMeans([...lists, lists[0]!], sampling, 0.99).critical).toBe(all);
  });

  it('of few clusters are Student’s by Bonferroni, and of fewer there are none', () => {
    const lists = [normals(12), normals(12)];
    const of = (clusters: number) => {
      const own = partitionBy(Array.from({ length: 12 }, (_, i) => i % clusters));
      return simultaneousMeans(lists, samplingOf({ clusters: own }, new Random('few')), 0.99);
    };
    expect(of(12).critical).toBeCloseTo(tQuantile(1 - 0.01 / 4, 11), 8);
    expect(of(4)).toMatchObject({ critical: null, means: [{ mean: { low: null, high: null } }, {}] });
    expect(of(4).means[0]!.trimmedMean).toMatchObject({ low: null, high: null });
  });

  it('of what does not vary are points', () => {
    const sampling = samplingOf(independent(30), new Random('none'));
    const { means } = simultaneousMeans([normals(30), Array(30).fill(0)], sampling, 0.99);
    expect(means[1]).toEqual({
      mean: { value: 0, low: 0, high: 0 },
      trimmedMean: { value: 0, low: 0, high: 0 },
      standardError: 0,
    });
  });
});

/** |t*| of drawn clusters, around the mean of the whole list, with their own CR1 standard error. */
function tOf(list: readonly number[], drawn: readonly (readonly number[])[]): number {
  const center = mean(list);
  const own = mean(drawn.flat().map((i) => list[i]! - center));
  const sums = drawn.map((cluster) => cluster.reduce((sum, i) => sum + list[i]! - center - own, 0));
  const squares = sums.reduce((sum, value) => sum + value ** 2, 0);
  const error = Math.sqrt((drawn.length / (drawn.length - 1)) * squares) / drawn.flat().length;
  return Math.abs(own) / error;
}

function deviation(values: readonly number[]): number {
  const center = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1));
}
