import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openPools } from '../../src/datasets/open.js';
import { hiddenBos } from '../../src/experiments/catalogue/hidden-bos.js';
import { EXPERIMENTS } from '../../src/experiments/catalogue/registry.js';
import { defineExperiment } from '../../src/experiments/declaration/define.js';
import { surrogate } from '../../src/priming/surrogate.js';
import type { Experiment } from '../../src/runs/schema/experiment.js';

/** N, and how many comparisons the research corrects for, where it says so. */
const PROTOCOL: Record<string, { n: number; family?: number }> = {
  exp33b: { n: 200 },
  exp01: { n: 200 },
  exp02: { n: 500, family: 8 },
  exp2b: { n: 500 },
  exp03: { n: 400, family: 18 },
  exp03b: { n: 400, family: 49 },
  exp3d: { n: 500 },
  exp3e: { n: 500 },
  exp3f: { n: 500, family: 19 },
  exp04a: { n: 400, family: 5 },
  exp04b: { n: 400, family: 5 },
  exp04c: { n: 400 },
  exp05: { n: 500, family: 13 },
  exp06: { n: 500 },
  exp07: { n: 500 },
  bos: { n: 1000 },
  'v4-01': { n: 500 },
  'v4-02': { n: 500 },
  'v4-03': { n: 500 },
  'v4-04': { n: 500 },
  'v4-09': { n: 500 },
  'v4-10': { n: 500 },
};

const familySize = ({ comparisons }: Experiment, family: string) =>
  comparisons.filter((comparison) => comparison.family === family).length;

describe('the research’s experiments', () => {
  it('are all there, with their N and families', () => {
    expect(Object.keys(EXPERIMENTS).sort()).toEqual(Object.keys(PROTOCOL).sort());
    for (const [id, { n, family }] of Object.entries(PROTOCOL)) {
      const experiment = EXPERIMENTS[id]!;
      expect(experiment.protocol.samples, id).toBe(n);
      if (family !== undefined) expect(familySize(experiment, 'published'), id).toBe(family);
    }
  });

  it('are run under their own names, and the plan of experiments has them all', () => {
    const plan = readFileSync(new URL('../../docs/experiment-plan.md', import.meta.url), 'utf8');
    const rows = [...plan.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, names]) => [...names!.matchAll(/`(.+?)`/g)]);
    for (const [name, { id }] of Object.entries(EXPERIMENTS)) expect(id).toBe(name);
    expect(rows.map(([, name]) => name).sort()).toEqual(Object.keys(EXPERIMENTS).sort());
  });

  it('compare like with like: what is hidden exactly with the bare document alone', () => {
    for (const { id, comparisons, conditions } of Object.values(EXPERIMENTS)) {
      const visibility = (name: string) => conditions.find((condition) => condition.name === name)!.visibility;
      const document = (name: string) => conditions.find((condition) => condition.name === name)!.document;
      for (const { treatment, baseline } of comparisons) {
        // The arm without a document asks what the document itself is worth.
        const isOfDocument = document(baseline) === 'none';
        if (!isOfDocument) expect(document(baseline), `${id}: ${treatment}`).toEqual(document(treatment));
        if (visibility(treatment) === 'exact') expect(visibility(baseline), `${id}: ${treatment}`).toBe('exact');
      }
    }
  });

  it('have no gain that weighs more on one side', () => {
    for (const { id, contrasts } of Object.values(EXPERIMENTS)) {
      for (const { terms, name } of contrasts.flatMap((group) => group.contrasts)) {
        const sum = Object.values(terms).reduce((a, b) => a + b, 0);
        expect(Math.abs(sum), `${id}: ${name}`).toBeLessThan(1e-12);
      }
    }
  });

  it('measure rankings by nDCG@10 beside the research’s measures, and screen 04B as it does', () => {
    for (const { id, unit, measures } of Object.values(EXPERIMENTS)) {
      if (unit === 'pool') expect(measures, id).toEqual(expect.arrayContaining(['AUC', 'nDCG@10']));
    }
    expect(EXPERIMENTS.exp04b!.screening).toEqual({ measure: 'AUC', least: 0.55, pools: 20 });
  });

  it('rank other pools of AdWorld in 04C than in 04B', async () => {
    const drawn = async (id: 'exp04b' | 'exp04c') => {
      const { seed } = EXPERIMENTS[id]!;
      const { pools } = await openPools('adworld', { count: 8, seed });
      return pools.flatMap(({ query, candidates }) => [query, ...candidates.map(({ document }) => document)]);
    };
    const [products, others] = [await drawn('exp04b'), await drawn('exp04c')];
    const documents = new Set(products.filter((_, i) => i % 9 > 0));
    expect(others.filter((text, i) => i % 9 > 0 && documents.has(text))).toEqual([]);
    expect(others.filter((text, i) => i % 9 === 0 && products[i] === text)).toEqual([]);
  });

  it('use surrogates that there are', () => {
    for (const { conditions } of Object.values(EXPERIMENTS)) {
      for (const { surrogate: specification } of conditions) if (specification) surrogate(specification);
    }
  });
});

describe('experiment bos', () => {
  const group = hiddenBos.contrasts.find(({ title }) => title === 'oracle')!;
  const terms = (name: string) => group.contrasts.find((contrast) => contrast.name === name)!.terms;
  const sum = (...names: string[]) => {
    const total: Record<string, number> = {};
    for (const name of names) {
      for (const [cell, weight] of Object.entries(terms(name))) total[cell] = (total[cell] ?? 0) + weight;
    }
    return Object.fromEntries(Object.entries(total).filter(([, weight]) => Math.abs(weight) > 1e-12));
  };

  it('takes the total apart without rest', () => {
    expect(sum('H', 'W', 'P0', 'V')).toEqual(terms('T'));
    const shapley = sum('Shapley: BOS hidden', 'Shapley: document primed', 'Shapley: line break visible');
    expect(Object.keys(shapley).sort()).toEqual(Object.keys(terms('Shapley: total')).sort());
    for (const [cell, weight] of Object.entries(shapley))
      expect(weight).toBeCloseTo(terms('Shapley: total')[cell]!, 12);
  });

  it('has the protocol’s cells for every prefix', () => {
    const names = hiddenBos.conditions.map(({ name }) => name);
    for (const prefix of ['oracle', 'doc_kw', 'random_matched', 'the', 'random1']) {
      for (const cell of ['D', 'BD', 'ND', 'BND', 'BPND', 'PD']) expect(names).toContain(`${prefix} E2:${cell}`);
      for (const mask of ['M1', 'M2', 'M3', 'M4']) {
        for (const cell of ['D', 'BD', 'ND']) expect(names).toContain(`${prefix} ${mask}:${cell}`);
      }
      for (const cells of ['{B0,D2}', '{B2,D0}', '{N1,D2}', '{N2,D1}']) expect(names).toContain(`${prefix} ${cells}`);
    }
    expect(names).toEqual(expect.arrayContaining(['E0:BD', 'E0:D', 'E1:D', 'E1:BD', 'E1:ND', 'E1:BND', 'E4:ND']));
  });
});

describe('a declaration', () => {
  const base = {
    id: 'mine',
    title: 'Mine',
    question: 'What?',
    conditions: [
      { name: 'bare', visibility: 'full' as const },
      { name: 'primed', surrogate: 'doc_kw', visibility: 'exact' as const },
    ],
    comparisons: [{ treatment: 'primed', baseline: 'bare' }],
  };

  it('gets defaults', () => {
    expect(defineExperiment(base)).toMatchObject({
      unit: 'sample',
      seed: 42,
      prompt: 'none',
      target: 'answer',
      protocol: { samples: 500, dataset: 'ms-marco', max_tokens: 2048 },
    });
  });

  it('is refused with the field, or the name that is not there', () => {
    const wrong: [object, string][] = [
      [
        { conditions: [{ name: 'bare', visibility: 'everything' }] },
        'conditions.0.visibility: expected "full", "published"',
      ],
      [{ conditions: [...base.conditions, base.conditions[0]] }, 'the same name'],
      [{ comparisons: [{ treatment: 'primd', baseline: 'bare' }] }, 'no condition "primd"; there are: bare, primed'],
      [{ primary: { treatment: 'bare', baseline: 'primed' } }, 'no comparison has the two'],
      [{ surprise: 1 }, 'surprise'],
      [{ measures: ['nDGC@10'] }, 'There is no measure "nDGC@10"'],
      [{ screening: { measure: 'AUC', least: 0.55 } }, 'a screening is of pools'],
      [
        { contrasts: [{ title: 'a', contrasts: [{ name: 'x', terms: { bare: 1 }, share_of: 'y' }] }] },
        'none that is called "y"',
      ],
    ];
    for (const [change, message] of wrong) {
      expect(() => defineExperiment({ ...base, ...change }), message).toThrow(message);
    }
  });
});
