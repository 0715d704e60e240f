/** Verdicts on constructed rankings: one relevant document a query, at places that are written down. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { commandLines, verdictLines } from '../../src/cli/verdict.js';
import { type Verdict, verdictOf } from '../../src/serving/verdict.js';
import { independent, partitionBy } from '../../src/stats/dependence.js';
import { inferredMeans, samplingOf, summarizeGains } from '../../src/stats/gains.js';
import type { Scores } from '../../src/stats/ranking.js';
import { compareSystems, type SystemComparison } from '../../src/stats/systems.js';

const GRADES = new Map([['relevant', 1]]);

/** Five documents, the relevant one at this place from 1. */
function scoresOf(place: number): Scores {
  return new Map([1, 2, 3, 4, 5].map((at) => [at === place ? 'relevant' : `other${at}`, -at]));
}

/** @param places per system where the relevant document stands, query by query, repeated up to `queries` */
function verdict(places: Record<string, number[]>, queries = 40, grades = GRADES): Verdict {
  const keys = Array.from({ length: queries }, (_, query) => `query ${query}`);
  const systems = new Map(
    Object.entries(places).map(([name, list]) => [
      name,
      Array.from({ length: queries }, (_, query) => scoresOf(list[query % list.length]!)),
    ]),
  );
  const all = Array.from({ length: queries }, () => grades);
  return verdictOf(compareSystems(systems, all, ['P@1', 'RR'], keys, new Random('verdict')), 'RR');
}

/** @param pairs treatment, baseline, the lower end of the difference's interval, p corrected by Holm */
function compared(
  means: Record<string, number>,
  pairs: readonly (readonly [string, string, number, number])[],
): SystemComparison {
  const [summary] = summarizeGains(
    [[0.1, 0.2, 0.3]],
    samplingOf(independent(3), new Random('resamples')),
    new Random('pairs'),
  ).summaries;
  return {
    measures: [{ name: 'RR', queries: 40, judgedQueries: 40 }],
    systems: Object.entries(means).map(([name, value]) => ({
      name,
      means: [{ value, low: null, high: null }],
      judgedMeans: [value],
    })),
    comparisons: pairs.map(([treatment, baseline, low, holm]) => ({
      treatment,
      baseline,
      differences: [{ ...summary!, mean: { value: means[treatment]! - means[baseline]!, low, high: 1 } }],
      holm: [holm],
    })),
  };
}

const found = ({ best, bestCache, rerank }: Verdict) => [best.system, bestCache.system, rerank];

describe('the verdict', () => {
  it('is not to re-rank where BM25 is shown to be better than the best cache', () => {
    const own = verdict({ bm25: [1, 1, 2], bare: [3, 4, 2, 5], doc_kw: [3, 5, 4] });
    expect(found(own)).toEqual(['bm25', 'bare', 'no']);
    expect(own.best).toMatchObject({ betterThan: ['bare', 'doc_kw'], undecided: [] });
    expect(own.rerankMargin).toMatchObject({ treatment: 'bare', baseline: 'bm25' });
    expect(own.rerankMargin!.difference.high).toBeLessThan(0);
    const lines = verdictLines(own);
    expect(lines[0]).toBe(
      'Best system: bm25, shown to be better than bare and doc_kw (by RR, Holm over 3 comparisons).',
    );
    expect(lines.at(-1)).toMatch(
      /^Do not re-rank with this model: bare, .* highest mean, is worse than bm25: −0\.\d+ \[−0\.\d+, −0\.\d+\] RR, p .* by Holm\.$/,
    );
  });

  it('is to re-rank with what is shown to be better than BM25, with the simpler of equals', () => {
    const own = verdict({ bm25: [3, 4, 2, 5], bare: [1, 2, 1], doc_kw: [1, 1, 2], other: [2, 1, 1, 2] });
    expect(found(own)).toEqual(['bare', 'bare', 'yes']);
    expect(own.best).toMatchObject({ betterThan: ['bm25'], undecided: expect.arrayContaining(['other']) });
    expect(verdictLines(own).at(-1)).toMatch(/^Re-rank with bare, which is better than bm25: \+0\.\d+ \[/);
  });

  it('is for a variant only where it is shown to be better than bare', () => {
    expect(found(verdict({ bm25: [5], bare: [3, 3, 2], doc_kw: [1, 1, 2] }))).toEqual(['doc_kw', 'doc_kw', 'yes']);
    expect(found(verdict({ bare: [3, 3, 2], doc_kw: [1, 1, 2] }))).toEqual(['doc_kw', 'doc_kw', null]);
    const own = verdict({ bare: [1, 3], doc_kw: [3, 1, 1] });
    expect(found(own)).toEqual(['bare', 'bare', null]);
    expect(verdictLines(own)).toEqual([
      'Best system: bare, the simplest: no evidence of a difference from doc_kw (by RR, Holm over 1 comparison).',
      'Best cache: bare, the simplest: no evidence of a difference from doc_kw.',
      'bm25 is not among the systems: whether to re-rank its documents at all is not known.',
    ]);
  });

  it('is followed by the commands that rank and prime by it, unless BM25 is all that is recommended', () => {
    const lines = (own: Verdict) => commandLines(own, ' --store s', ' --store s');
    expect(lines(verdict({ bm25: [5], bare: [3, 3, 2], 'kw(3, it)': [1, 1, 2] }))).toEqual([
      'Rank with it:',
      "  dkv rank --store s --variant 'kw(3, it)'",
      'Prime more documents for it:',
      "  dkv prime --input FILE --store s --surrogate 'kw(3, it)' --no-bare",
    ]);
    expect(lines(verdict({ bare: [1, 3], doc_kw: [3, 1, 1] })).filter((line) => line.startsWith('  '))).toEqual([
      '  dkv rank --store s',
      '  dkv prime --input FILE --store s',
    ]);
    expect(lines(verdict({ bm25: [1, 1, 2], bare: [3, 4, 2, 5] }))).toEqual([]);
    expect(lines(verdict({ bm25: [1, 2, 3], bare: [2, 1, 3, 3, 1] }))).toEqual([]);
  });

  it('takes the best of several variants that are shown to be better', () => {
    const own = verdict({ bm25: [5], bare: [4], one: [2, 2, 1], two: [1, 1, 2], three: [2] });
    expect(found(own)).toEqual(['two', 'two', 'yes']);
    expect(own.best.betterThan).toEqual(['bm25', 'bare', 'one', 'three']);
  });

  it('is for a variant that alone is shown to be better than BM25, though not better than bare', () => {
    const own = verdict({ bm25: [2], bare: [1, 1, 5, 3], doc_kw: [1, 2, 2] });
    expect(own.best.undecided).toEqual(['bare']);
    expect(found(own)).toEqual(['doc_kw', 'doc_kw', 'yes']);
  });

  it('takes an interval above 0 and a corrected p below .05 for evidence, and not one of them', () => {
    const of = (low: number, holm: number) =>
      verdictOf(compared({ bare: 0.5, doc_kw: 0.6 }, [['doc_kw', 'bare', low, holm]]), 'RR').best;
    expect(of(0.01, 0.049)).toMatchObject({ system: 'doc_kw', betterThan: ['bare'] });
    expect(of(0.01, 0.05)).toMatchObject({ system: 'bare', undecided: ['doc_kw'] });
    expect(of(-0.01, 0.001)).toMatchObject({ system: 'bare', undecided: ['doc_kw'] });
  });

  it('takes the highest mean of variants between which there is no evidence', () => {
    const means = { bare: 0.5, a: 0.6, b: 0.7, c: 0.65 };
    const better = ['a', 'b', 'c'].map((name) => [name, 'bare', 0.01, 0.01] as const);
    const level = [
      ['b', 'a', -0.1, 0.4],
      ['c', 'a', -0.1, 0.4],
      ['c', 'b', -0.1, 0.4],
    ] as const;
    const { best } = verdictOf(compared(means, [...better, ...level]), 'RR');
    expect(best).toMatchObject({ system: 'b', betterThan: ['bare'], undecided: ['a', 'c'] });
  });

  it('says that there is no evidence where there is none', () => {
    const own = verdict({ bm25: [1, 2, 3], bare: [2, 1, 3, 3, 1], doc_kw: [3, 2, 1, 1, 2, 3, 2] });
    expect(found(own)).toEqual(['bm25', 'bare', 'undecided']);
    expect(own.best).toMatchObject({ betterThan: [], undecided: ['bare', 'doc_kw'] });
    expect(verdictLines(own).at(-1)).toMatch(
      /^No evidence that re-ranking with this model helps or harms: .* by Holm\. /,
    );
    const same = verdict({ bm25: [1, 2], bare: [1, 2] });
    expect(found(same)).toEqual(['bm25', 'bare', 'undecided']);
    expect(same.best.undecided).toEqual([]);
  });

  it('says how many queries any evidence takes', () => {
    const few = verdict({ bm25: [1], bare: [5], doc_kw: [5] }, 6);
    expect(few).toMatchObject({ comparisons: 3, queries: 6, queriesNeeded: 7, rerank: 'undecided' });
    expect(verdictLines(few).at(-1)).toBe(
      '6 judged queries with a relevant document cannot show any difference between so many systems: it takes 7 at least.',
    );
    expect(found(verdict({ bm25: [1], bare: [5], doc_kw: [5] }, 12))[2]).toBe('no');
  });

  it('says when there is nothing to compare', () => {
    const none = verdict({ bm25: [1], bare: [5] }, 20, new Map([['relevant', 0]]));
    expect(none).toMatchObject({ queries: 0, best: { mean: null }, rerank: 'undecided' });
    expect(verdictLines(none)).toEqual(['No judged query has a relevant document: RR says nothing of these systems.']);
    expect(verdictLines(verdict({ bare: [2] }))).toEqual([
      'bare is the only system: there is nothing to compare it with.',
    ]);
  });
});

it('means have the interval of the means of experiments, with queries of one text as one cluster', () => {
  const places = Array.from({ length: 60 }, (_, query) => 1 + (query % 3));
  const keys = places.map((_, query) => `text ${query % 30}`);
  const systems = new Map([['bare', places.map(scoresOf)]]);
  const all = places.map(() => GRADES);
  const { systems: found } = compareSystems(systems, all, ['RR'], keys, new Random('means'));
  const sampling = samplingOf({ clusters: partitionBy(keys) }, new Random('means'));
  expect(found[0]!.means).toEqual(inferredMeans([places.map((place) => 1 / place)], sampling));
});
