/** Experiments for models whose inputs lack a segment: what is left out, what is left, and what is refused. */
import { describe, expect, it } from 'vitest';
import { hiddenBos } from '../../src/experiments/catalogue/hidden-bos.js';
import { positionsOrContent } from '../../src/experiments/catalogue/positions-or-content.js';
import { EXPERIMENTS } from '../../src/experiments/catalogue/registry.js';
import { defineExperiment } from '../../src/experiments/declaration/define.js';
import { conditionsFor, refusalOf } from '../../src/experiments/plan/conditions.js';
import { SEGMENTS, type Segment } from '../../src/priming/input.js';
import type { ExperimentDeclaration } from '../../src/runs/schema/experiment.js';

/** All segments but these. */
const without = (...segments: Segment[]) => new Set(SEGMENTS.filter((segment) => !segments.includes(segment)));

describe('the experiments that there are', () => {
  it('are run whole with all segments', () => {
    for (const experiment of Object.values(EXPERIMENTS)) {
      expect(conditionsFor(experiment, without())).toEqual({ experiment, leftOut: [] });
      expect(conditionsFor(experiment, without()).experiment).toBe(experiment);
    }
  });

  it('need BOS and the line break in one of them only', () => {
    for (const segment of ['bos', 'separator'] as const) {
      const partial = Object.values(EXPERIMENTS).filter((experiment) => {
        if (refusalOf(experiment, without(segment))) return true;
        return conditionsFor(experiment, without(segment)).experiment !== experiment;
      });
      expect(partial.map(({ id }) => id)).toEqual(['bos']);
    }
    expect(Object.values(EXPERIMENTS).filter((one) => conditionsFor(one, without('eos')).experiment !== one)).toEqual(
      [],
    );
    // What stands before the document is hidden from it, whatever that is.
    expect(positionsOrContent.conditions.find(({ name }) => name === 'blocked_d')?.blocked).toEqual([
      { rows: ['separator', 'document'], columns: ['bos', 'prefix'] },
    ]);
  });

  it('leave out what is about BOS where there is none, and stay whole', () => {
    const { experiment, leftOut } = conditionsFor(hiddenBos, without('bos'));
    const names = leftOut.map(({ condition }) => condition);
    expect(new Set(leftOut.map(({ reason }) => reason))).toEqual(new Set(['inputs of this model have no BOS']));
    const perPrefix = (prefix: string) => [
      ...['BD', 'BND', 'BPND'].map((cell) => `${prefix} E2:${cell}`),
      ...['M1', 'M2', 'M3', 'M4'].map((mask) => `${prefix} ${mask}:BD`),
      ...['{B0,D2}', '{B2,D0}', 'shifted'].map((cell) => `${prefix} ${cell}`),
    ];
    const prefixes = ['oracle', 'doc_kw', 'random_matched', 'the', 'random1'];
    expect([...names].sort()).toEqual(['E0:BD', 'E1:BD', 'E1:BND', 'E4:ND', ...prefixes.flatMap(perPrefix)].sort());
    expect(experiment.conditions.map(({ name }) => name)).toEqual(
      hiddenBos.conditions.map(({ name }) => name).filter((name) => !names.includes(name)),
    );
    expect(experiment.comparisons).toEqual(hiddenBos.comparisons);
    const oracle = experiment.contrasts.find(({ title }) => title === 'oracle')!;
    // The total and what it is compared with BOS in view have no cells; what is left is a share of nothing.
    expect(oracle.contrasts).toEqual([
      { name: 'W', terms: { 'E0:D': 1, 'E1:D': -1 } },
      { name: 'P0', terms: { 'E1:D': 1, 'oracle E2:D': -1 } },
      { name: 'V', terms: { 'oracle E2:D': 1, 'oracle E2:ND': -1 } },
    ]);
    expect(oracle.family).toEqual(['W', 'P0', 'V']);
    expect(experiment.identities.map(({ right }) => right)).toEqual(Array(5).fill('E1:D'));
    expect(defineExperiment(experiment)).toEqual(experiment);
  });

  it('are refused where their primary comparison needs what is not there', () => {
    expect(() => conditionsFor(hiddenBos, without('separator'))).toThrow(
      expect.objectContaining({
        code: 'INPUT_INVALID',
        message: expect.stringMatching(
          /^Experiment bos cannot .* its primary comparison, doc_kw E2:D against E1:D, needs the condition "E1:D", and inputs of this model have no line break\./,
        ),
      }),
    );
  });
});

describe('a declaration', () => {
  const declared = (more: Partial<ExperimentDeclaration> = {}) =>
    defineExperiment({
      id: 'mine',
      title: 'Mine',
      question: 'What?',
      conditions: [
        { name: 'bare', visibility: 'exact' },
        { name: 'oracle', surrogate: 'oracle', visibility: ['bos', 'document'] },
        { name: 'a', surrogate: 'doc_kw', visibility: 'exact' },
        { name: 'b', surrogate: 'para', visibility: ['prefix', 'document'] },
        { name: 'c', surrogate: 'lead', visibility: 'published' },
      ],
      comparisons: [
        { treatment: 'a', baseline: 'bare', oracle: 'oracle', family: 'all' },
        { treatment: 'b', baseline: 'bare' },
        { treatment: 'c', baseline: 'bare' },
        { treatment: 'oracle', baseline: 'bare' },
      ],
      ...more,
    });

  it('loses what a condition takes part in, and no more', () => {
    const point = (x: number, treatment: string) => ({ x, treatment, baseline: 'bare' });
    const { experiment } = conditionsFor(
      declared({
        curves: [
          { title: 'both', axis: 'x', series: [{ name: 'a', points: [point(1, 'a'), point(2, 'oracle')] }] },
          { title: 'none', axis: 'x', series: [{ name: 'o', points: [point(1, 'oracle')] }] },
        ],
        orders: [
          { title: 'four', treatments: ['oracle', 'a', 'b', 'c'], baseline: 'bare' },
          { title: 'three', treatments: ['oracle', 'a', 'b'], baseline: 'bare' },
        ],
        selections: [
          { title: 'two', treatments: ['oracle', 'a', 'b'], baseline: 'bare' },
          { title: 'one', treatments: ['oracle', 'a'], baseline: 'bare' },
          { title: 'no baseline', treatments: ['a', 'b'], baseline: 'oracle' },
        ],
        identities: [
          { name: 'left', left: 'oracle', right: 'a' },
          { name: 'kept', left: 'a', right: 'b' },
        ],
        contrasts: [{ title: 'gone', contrasts: [{ name: 'x', terms: { oracle: 1, a: -1 } }] }],
      }),
      without('bos'),
    );
    expect(experiment.comparisons).toEqual([
      { treatment: 'a', baseline: 'bare', family: 'all' },
      { treatment: 'b', baseline: 'bare' },
      { treatment: 'c', baseline: 'bare' },
    ]);
    expect(experiment.curves).toEqual([{ title: 'both', axis: 'x', series: [{ name: 'a', points: [point(1, 'a')] }] }]);
    expect(experiment.orders).toEqual([{ title: 'four', treatments: ['a', 'b', 'c'], baseline: 'bare' }]);
    expect(experiment.selections).toEqual([{ title: 'two', treatments: ['a', 'b'], baseline: 'bare' }]);
    expect(experiment.identities.map(({ name }) => name)).toEqual(['kept']);
    expect(experiment.contrasts).toEqual([]);
    expect(defineExperiment(experiment)).toEqual(experiment);
  });

  it.each([
    ['shows BOS of another encode', { also: [{ visibility: ['bos'] }] }, ['bos']],
    ['leaves BOS out', { bos: false }, ['bos']],
    ['puts a line break before the document', { separator: true }, ['separator']],
    ['shows the end of text', { visibility: ['document', 'eos'] }, ['eos']],
    ['shows the line break', { visibility: ['separator', 'document'] }, ['separator']],
    ['hides the prefix from the line break alone', mask(['separator'], ['prefix']), ['separator']],
    ['hides the prefix from BOS and line break', mask(['bos', 'separator'], ['prefix']), ['bos', 'separator']],
    ['hides BOS alone', mask(['document'], ['bos']), ['bos']],
    ['hides BOS and the prefix', mask(['document'], ['bos', 'prefix']), []],
    ['hides what the published mask hides', mask(['rest'], ['counted']), []],
    ['moves the document', { positions: 'after_prefix' }, []],
  ] as const)('with a condition that %s needs it', (_, change, needed) => {
    const changed = { name: 'changed', surrogate: 'doc_kw', visibility: 'exact', ...change } as const;
    const experiment = declared({
      conditions: [{ name: 'bare', visibility: 'exact' }, changed as ExperimentDeclaration['conditions'][number]],
      comparisons: [],
    });
    const all = without();
    expect(conditionsFor(experiment, all).leftOut).toEqual([]);
    const { leftOut } = conditionsFor(experiment, without(...needed));
    expect(leftOut.map(({ condition }) => condition)).toEqual(needed.length > 0 ? ['changed'] : []);
    expect(leftOut[0]?.reason ?? '').toBe(
      needed.length === 0 ? '' : `inputs of this model have ${needed.map((segment) => NAMES[segment]).join(' and ')}`,
    );
  });

  it('is refused for its first comparison where none is named, for the bounds of a probe, and with nothing left', () => {
    const shown = { name: 'oracle', surrogate: 'oracle', visibility: ['bos' as const] };
    const comparisons = [{ treatment: 'oracle', baseline: 'bare' }];
    expect(() => conditionsFor(declared({ comparisons }), without('bos'))).toThrow('oracle against bare');
    expect(() => conditionsFor(declared({ unit: 'probe', comparisons: [] }), without('bos'))).toThrow(
      'a probe needs the condition "oracle"',
    );
    const alone = declared({ conditions: [shown, { ...shown, name: 'again' }], comparisons: [] });
    expect(() => conditionsFor(alone, without('bos'))).toThrow('it needs the condition "oracle"');
    expect(refusalOf(alone, without('separator'))).toBeUndefined();
  });
});

const NAMES = { bos: 'no BOS', separator: 'no line break', eos: 'no EOS' };

function mask(rows: readonly string[], columns: readonly string[]) {
  return { blocked: [{ rows, columns }] };
}
