/** Experiments for models whose inputs lack a segment: what is left out, what is left, and what is refused. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { hiddenBos } from '../../src/experiments/catalogue/hidden-bos.js';
import { positionsOrContent } from '../../src/experiments/catalogue/positions-or-content.js';
import { EXPERIMENTS } from '../../src/experiments/catalogue/registry.js';
import { defineExperiment, parseExperiment } from '../../src/experiments/declaration/define.js';
import { conditionsFor, refusalOf } from '../../src/experiments/plan/conditions.js';
import { withoutPrompts } from '../../src/experiments/plan/prompts.js';
import { SELF_WRITER } from '../../src/llm/self-writer.js';
import { SEGMENTS, type Segment } from '../../src/priming/input.js';
import { readSummary } from '../../src/runs/run-folder.js';
import { USUAL_SEGMENTS } from '../../src/runs/schema/configuration.js';
import type { Experiment, ExperimentDeclaration } from '../../src/runs/schema/experiment.js';

/** All segments but these. */
const without = (...segments: Segment[]) => new Set(SEGMENTS.filter((segment) => !segments.includes(segment)));

describe('the experiments that there are', () => {
  it('are run whole with all segments', () => {
    for (const experiment of Object.values(EXPERIMENTS)) {
      expect(conditionsFor(experiment, without())).toEqual({ experiment: withoutStandIns(experiment), leftOut: [] });
    }
  });

  it('are what they were to the models that there were before, so that runs go on', async () => {
    const results = path.resolve(import.meta.dirname, '../../results/built-in');
    for (const id of await readdir(results)) {
      // The research's figures stood in records before they had a file of their own.
      const { writer, experiment: recorded } = (await readSummary(path.join(results, id))).record.configuration;
      // Arms and outcomes are asked for with the commands of some.
      const { authors: _authors, outcomes: _outcomes, ...experiment } = recorded;
      const { arms } = recorded;
      const declared = arms ? parseExperiment({ ...EXPERIMENTS[id]!, arms }) : EXPERIMENTS[id]!;
      const now = conditionsFor(declared, new Set(USUAL_SEGMENTS));
      expect((writer === SELF_WRITER ? withoutPrompts(now) : now).experiment, id).toEqual(experiment);
    }
  });

  it('need BOS and the line break in one of them only, and can be run without them', () => {
    const partial = (...segments: Segment[]) =>
      Object.values(EXPERIMENTS)
        .filter((experiment) => conditionsFor(experiment, without(...segments)).leftOut.length > 0)
        .map(({ id }) => id);
    for (const segment of ['bos', 'separator'] as const) expect(partial(segment)).toEqual(['bos']);
    expect(partial('bos', 'separator')).toEqual(['bos']);
    expect(partial('eos')).toEqual([]);
  });

  it('do not move rows of a model with learned positions and ask for the same numbers', () => {
    const names = (shape: { absolutePositions?: true }) =>
      conditionsFor(hiddenBos, without(), shape).experiment.identities.map(({ name }) => name.replace(/^.*: /, ''));
    const unseen = 'an unseen prefix is none';
    expect(new Set(names({ absolutePositions: true }))).toEqual(new Set([unseen]));
    expect(new Set(names({})).size).toBe(3);
  });

  it('hide from the document whatever stands before it, also by way of the end of text', () => {
    const blocked = (experiment: Experiment, name: string) =>
      experiment.conditions.find((condition) => condition.name === name)?.blocked;
    const columns = ['bos', 'prefix'];
    expect(blocked(positionsOrContent, 'blocked_d')).toEqual([{ rows: ['separator', 'document', 'eos'], columns }]);
    for (const { conditions } of [positionsOrContent, hiddenBos]) {
      for (const { rows } of conditions.flatMap((condition) => condition.blocked ?? [])) {
        if (rows.includes('document')) expect(rows).toContain('eos');
      }
    }
    // A record says what was computed: a model without an end of text has none in its masks, as before there were such models.
    const { experiment } = conditionsFor(positionsOrContent, without('eos'));
    expect(blocked(experiment, 'blocked_d')).toEqual([{ rows: ['separator', 'document'], columns }]);
    expect(blocked(experiment, 'blocked_published')).toEqual([{ rows: ['rest'], columns: ['counted'] }]);
    expect(blocked(conditionsFor(hiddenBos, without('bos', 'separator')).experiment, 'oracle M4:D')).toEqual([
      { rows: ['document', 'eos'], columns: ['prefix'] },
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
    const asked = prefixes.slice(0, 3).flatMap((prefix) => [`${prefix} E2:BD, query`, `${prefix} {B0,D2}, query`]);
    const bare = ['E0:BD', 'E1:BD', 'E0:BD, a row less'].flatMap((name) => [name, `${name}, query`]);
    expect([...names].sort()).toEqual([...bare, 'E1:BND', 'E4:ND', ...prefixes.flatMap(perPrefix), ...asked].sort());
    expect(experiment.conditions.map(({ name }) => name)).toEqual(
      hiddenBos.conditions.map(({ name }) => name).filter((name) => !names.includes(name)),
    );
    expect(experiment.comparisons).toEqual(withoutStandIns(hiddenBos).comparisons);
    const oracle = experiment.contrasts.find(({ title }) => title === 'oracle')!;
    // The total and what it is compared with BOS in view have no cells; what is left is a share of nothing.
    expect(oracle.contrasts).toEqual([
      { name: 'W', terms: { 'E0:D': 1, 'E1:D': -1 } },
      { name: 'P0', terms: { 'E1:D': 1, 'oracle E2:D': -1 } },
      { name: 'V', terms: { 'oracle E2:D': 1, 'oracle E2:ND': -1 } },
      { name: 'S', terms: { 'random_matched E2:D': 1, 'oracle E2:D': -1 } },
    ]);
    expect(oracle.family).toEqual(['W', 'P0', 'V']);
    expect(experiment.identities.map(({ right }) => right)).toEqual(Array(5).fill('E1:D, 8 words'));
    expect(defineExperiment(experiment)).toEqual(experiment);
  });

  it('on a T5, with neither BOS nor a line break, ask of bos what is left: the primed document against the bare one', () => {
    const { experiment, leftOut } = conditionsFor(hiddenBos, without('bos', 'separator'));
    const prefixes = ['oracle', 'doc_kw', 'random_matched', 'the', 'random1'];
    const unseen = 'M1, positions of E1, 8 words';
    const cells = ['E2:D', 'E2:PD', 'M1:D', 'M2:D', 'M3:D', 'M4:D', unseen, 'published'];
    const judged = prefixes.slice(0, 3);
    expect(experiment.conditions.map(({ name }) => name).sort()).toEqual(
      [
        ...['E0:D', 'E0:D, query', 'E0:D, 8 words', 'bare'],
        ...prefixes.flatMap((prefix) => cells.map((cell) => `${prefix} ${cell}`)),
        ...judged.map((prefix) => `${prefix} E2:D, query`),
      ].sort(),
    );
    expect(leftOut).toHaveLength(hiddenBos.conditions.length - experiment.conditions.length);
    expect(new Set(leftOut.map(({ reason }) => reason))).toEqual(
      new Set(
        ['no BOS', 'no line break', 'no BOS and no line break'].map((which) => `inputs of this model have ${which}`),
      ),
    );
    expect(experiment.primary).toEqual({ treatment: 'doc_kw E2:D', baseline: 'E0:D' });
    expect(experiment.comparisons).toEqual([
      ...prefixes.map((prefix) => ({ treatment: `${prefix} E2:D`, baseline: 'E0:D', oracle: 'oracle E2:D' })),
      ...prefixes.map((prefix) => ({
        treatment: `${prefix} published`,
        baseline: 'bare',
        oracle: 'oracle published',
        family: 'published',
      })),
    ]);
    // Priming is what remains, with either prompt, and its verdict.
    const remaining = experiment.contrasts.map(({ title, verdict, contrasts }) => [
      title,
      verdict,
      contrasts.map(({ name }) => name).join(),
    ]);
    expect(remaining).toEqual([
      ...['oracle', 'doc_kw'].map((prefix) => [prefix, 'query not in the decoder', 'P0,S']),
      ['random_matched', 'query not in the decoder', 'P0'],
      ...['the', 'random1'].map((prefix) => [prefix, undefined, 'P0']),
      ...['oracle', 'doc_kw'].map((prefix) => [`${prefix}, query in the decoder`, 'query in the decoder', 'P0,S']),
      ['random_matched, query in the decoder', 'query in the decoder', 'P0'],
      ['Meaning', undefined, 'semantic'],
    ]);
    expect(experiment.contrasts[0]!.contrasts[0]!.terms).toEqual({ 'E0:D': 1, 'oracle E2:D': -1 });
    expect(experiment.identities.map(({ left, right }) => [left, right])).toEqual(
      prefixes.map((prefix) => [`${prefix} ${unseen}`, 'E0:D, 8 words']),
    );
    expect(defineExperiment(experiment)).toEqual(experiment);
  });
});

/** As they are computed where no baseline is missing. */
function withoutStandIns(experiment: Experiment): Experiment {
  const plain = <T extends object>(one: T): T =>
    Object.assign({ ...one }, { otherwise: undefined, relative: undefined });
  return {
    ...experiment,
    comparisons: experiment.comparisons.map(plain),
    contrasts: experiment.contrasts.map((group) => ({ ...group, contrasts: group.contrasts.map(plain) })),
    identities: experiment.identities.map(plain),
  };
}

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

  it('takes the terms that stand in for those of a contrast that is left out', () => {
    const contrasts = [
      {
        title: 'one',
        contrasts: [
          { name: 'x', terms: { oracle: 1, a: -1 }, otherwise: { bare: 1, a: -1 } },
          { name: 'y', terms: { oracle: 1, a: -1 } },
        ],
      },
    ];
    const asked = declared({ contrasts });
    const left = (...segments: Segment[]) =>
      conditionsFor(asked, without(...segments)).experiment.contrasts[0]!.contrasts;
    expect(left()).toEqual([
      { name: 'x', terms: { oracle: 1, a: -1 } },
      { name: 'y', terms: { oracle: 1, a: -1 } },
    ]);
    expect(left('bos')).toEqual([{ name: 'x', terms: { bare: 1, a: -1 } }]);
    const wrong = [{ title: 'one', contrasts: [{ name: 'x', terms: { a: 1 }, otherwise: { bear: 1 } }] }];
    expect(() => declared({ contrasts: wrong })).toThrow('there is no condition "bear"');
  });

  it('takes the baseline that stands in for one that is left out, and is refused where that is left out too', () => {
    const comparisons = [{ treatment: 'a', baseline: 'oracle', otherwise: 'bare' }];
    const asked = declared({ comparisons, primary: { treatment: 'a', baseline: 'oracle' } });
    expect(conditionsFor(asked, without()).experiment).toMatchObject({
      primary: { treatment: 'a', baseline: 'oracle' },
      comparisons: [{ treatment: 'a', baseline: 'oracle' }],
    });
    expect(conditionsFor(asked, without('bos')).experiment).toMatchObject({
      primary: { treatment: 'a', baseline: 'bare' },
      comparisons: [{ treatment: 'a', baseline: 'bare' }],
    });
    const shown = { name: 'bare', visibility: ['separator' as const] };
    const [, ...others] = asked.conditions;
    const neither = defineExperiment({ ...asked, conditions: [shown, ...others] });
    expect(() => conditionsFor(neither, without('bos', 'separator'))).toThrow(
      expect.objectContaining({
        code: 'INPUT_INVALID',
        message: expect.stringMatching(
          /^Experiment mine cannot .* its primary comparison, a against bare, needs the condition "bare", and inputs of this model have no line break\./,
        ),
      }),
    );
    expect(() => declared({ comparisons: [{ treatment: 'a', baseline: 'bare', otherwise: 'bear' }] })).toThrow(
      'there is no condition "bear"',
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

describe('experiments where the model at hand writes', () => {
  const asking = (comparisons: ExperimentDeclaration['comparisons'], ...surrogates: (string | undefined)[]) =>
    conditionsFor(
      defineExperiment({
        id: 'asking',
        title: 'Asked',
        question: 'What is written?',
        conditions: surrogates.map((surrogate, at) => ({
          name: `c${at}`,
          ...(surrogate !== undefined && { surrogate }),
          visibility: 'exact',
        })),
        comparisons,
      }),
      without(),
    );

  it('leave out what differs by a prompt alone, and keep what is declared twice without one', () => {
    const all = [
      undefined,
      undefined,
      'llm:need',
      'self',
      'llm:question*2',
      'llm:prompt=a*b',
      'scramble(llm:prompt=c)',
      'llm:need*2',
      'join(self, llm:prompt=x)',
      'join(self, llm:keywords)',
    ];
    const { experiment, leftOut } = withoutPrompts(asking([{ treatment: 'c5', baseline: 'c0' }], ...all));
    // The one of the experiment's own question stays.
    expect(experiment.conditions.map(({ name }) => name)).toEqual(['c0', 'c1', 'c3', 'c4', 'c5', 'c6', 'c8']);
    expect(leftOut.map(({ condition }) => condition)).toEqual(['c2', 'c7', 'c9']);
    const { experiment: written } = withoutPrompts(conditionsFor(EXPERIMENTS.exp05!, without()));
    const prefixes = ['oracle', 'need', 'template', 'random'].flatMap((name) => [name, `${name}_x4`]);
    expect(new Set(written.conditions.map(({ name }) => name.replace(/_(full|published|d)$/, '')))).toEqual(
      new Set(['bare', ...prefixes, 'scrambled_need_x4']),
    );
    expect(withoutPrompts(conditionsFor(EXPERIMENTS.exp02!, without())).leftOut).toEqual([]);
  });

  it('are refused where prompts are what is compared', () => {
    const prompts = asking([{ treatment: 'c1', baseline: 'c0' }], 'llm:need', 'llm:question');
    expect(() => withoutPrompts(prompts)).toThrow(
      expect.objectContaining({
        code: 'INPUT_INVALID',
        message: expect.stringContaining('c1 against c0, is one of prompts'),
      }),
    );
  });
});

const NAMES = { bos: 'no BOS', separator: 'no line break', eos: 'no EOS' };

function mask(rows: readonly string[], columns: readonly string[]) {
  return { blocked: [{ rows, columns }] };
}
