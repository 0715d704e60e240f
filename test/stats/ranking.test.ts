import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MEASURE_KINDS, measure, measured, rank } from '../../src/stats/ranking.js';

interface Case {
  readonly id: string;
  readonly grades: Record<string, number>;
  readonly scores: Record<string, number>;
  readonly measures: Record<string, number>;
}
const { cases, means }: { cases: Case[]; means: Record<string, number> } = JSON.parse(
  readFileSync(new URL('../fixtures/stats/ranking.json', import.meta.url), 'utf8'),
);
const names = [...new Set(cases.flatMap(({ measures }) => Object.keys(measures)))];

describe('measures of rankings, against ir_measures and scipy', () => {
  it('has fixtures of every kind', () => {
    expect(names).toHaveLength(19);
  });

  it('has them for every measure that there is, and the message and the guide name it', () => {
    const kinds = new Set(names.map((name) => /^[A-Za-z]+/.exec(name)![0]));
    expect([...kinds].sort()).toEqual([...MEASURE_KINDS].sort());
    const guide = readFileSync(new URL('../../docs/ranking.md', import.meta.url), 'utf8');
    for (const kind of kinds) {
      expect(() => measure('none')).toThrow(new RegExp(`[ ]${kind}[@(,]`));
      expect(guide).toMatch(new RegExp(`\`${kind}[@\`]`));
    }
  });

  it.each(names)('%s', (name) => {
    let compared = 0;
    for (const { id, grades, scores, measures } of cases) {
      const found = measure(name).of(new Map(Object.entries(scores)), new Map(Object.entries(grades)));
      const wanted = measures[name];
      // The reference gives 0 where there is nothing to find, and nothing where nothing was retrieved.
      if (found === undefined) expect([id, wanted ?? 0]).toEqual([id, 0]);
      else {
        expect(Math.abs(found - (wanted ?? 0)), id).toBeLessThan(1e-9);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(25);
  });

  it.each(Object.keys(means))('the mean of %s over all judged queries', (name) => {
    const scores = cases.map(({ scores }) => new Map(Object.entries(scores)));
    const grades = cases.map(({ grades }) => new Map(Object.entries(grades)));
    const { judged, withRelevant } = measured(measure(name), scores, grades);
    expect(judged).toHaveLength(80);
    expect(judged!.reduce((a, b) => a + b) / 80).toBeCloseTo(means[name]!, 9);
    // The others have nothing to find: a mean without them is higher.
    expect(withRelevant.length).toBeLessThan(80);
    expect(withRelevant.filter((value) => value > 0)).toEqual(judged!.filter((value) => value > 0));
  });

  it('takes grades below 0 as 0, whatever the gain', () => {
    const grades = new Map([
      ['d1', 2],
      ['d2', 0],
      ['d3', -1],
    ]);
    const scores = new Map([
      ['d3', 3],
      ['d1', 2],
      ['d2', 1],
    ]);
    // ir_measures has .8155 for the mean of this query and one that is 1.
    expect((measure('nDCG@10').of(scores, grades)! + 1) / 2).toBeCloseTo(0.8155, 4);
    for (const name of ['nDCG', 'nDCG(gain=exponential)', 'nDCG(gain=esci)']) {
      expect(measure(name).of(scores, grades)).toBeCloseTo(1 / Math.log2(3), 12);
      expect(measure(name).of(scores, new Map([['d3', -1]]))).toBeUndefined();
    }
  });

  it.each([
    ['RR', 1 / 3, 0],
    ['Success', 1, 0],
    ['P', 1 / 3, 0],
    ['AP', 1 / 6, 0],
    ['nDCG', 0.5 / (1 + 1 / Math.log2(3)), 0],
  ])('looks at no more than the cutoff: %s', (name, atThree, atTwo) => {
    const ranked = new Map([1, 2, 3, 4].map((place) => [`d${place}`, -place]));
    // The third of the ranking, and one that was not retrieved.
    const grades = new Map([
      ['d3', 1],
      ['elsewhere', 1],
    ]);
    expect(measure(`${name}@3`).of(ranked, grades)).toBeCloseTo(atThree, 12);
    expect(measure(`${name}@2`).of(ranked, grades)).toBe(atTwo);
  });

  it('refuses scores and gains that are no numbers', () => {
    const scores = new Map([['a', Number.NaN]]);
    expect(() => measure('RR').of(scores, new Map([['a', 1]]))).toThrow('The score of "a" is not a number');
    expect(() => measure('nDCG(gain=exponential)').of(new Map([['a', 1]]), new Map([['a', 1024]]))).toThrow(
      /gain of the grade 1024 is too large/,
    );
  });

  it('of AUC has no value over all judged queries', () => {
    expect(measured(measure('AUC'), [new Map()], [new Map([['a', 1]])])).toEqual({
      withRelevant: [],
      places: [],
      judged: undefined,
    });
  });

  it.each([
    'nDCG@0',
    'ndcg@10',
    'P',
    'AUC@3',
    'RR(gain=linear)',
    'nDCG(rel=2)',
    'nDCG(gain=cubic)',
    '',
    'AP(rel=x)',
    'AP(rel=0)',
  ])('refuses "%s"', (name) => {
    expect(() => measure(name)).toThrow(/There is no measure/);
  });
});

describe('ties', () => {
  it('go by document id, descending, whatever the order of the input', () => {
    const scores = { a: 1, c: 1, b: 1, é: 1, z: 2 };
    const entries = Object.entries(scores);
    expect(rank(new Map(entries))).toEqual(['z', 'é', 'c', 'b', 'a']);
    expect(rank(new Map(entries.reverse()))).toEqual(['z', 'é', 'c', 'b', 'a']);
  });

  it('are what single precision cannot tell apart', () => {
    expect(
      rank(
        new Map([
          ['a', 0.1 + 1e-12],
          ['b', 0.1],
        ]),
      ),
    ).toEqual(['b', 'a']);
  });
});
