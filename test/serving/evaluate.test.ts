/** Comparisons of variants on judged queries, with the built-in model. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adworldPools } from '../../src/adworld/pools.js';
import type { Qrels } from '../../src/datasets/trec.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { bm25Of } from '../../src/serving/bm25.js';
import { candidatesFrom, parseCandidates } from '../../src/serving/candidates.js';
import { type Evaluation, evaluate } from '../../src/serving/evaluate.js';
import { rank } from '../../src/serving/rank.js';
import type { QueryToRank } from '../../src/serving/ranked-query.js';
import { mean } from '../../src/stats/describe.js';
import { measure } from '../../src/stats/ranking.js';
import { documentsOf, primedStore } from '../support/primed-store.js';

const pools = adworldPools({ split: 'test', count: 16 });
const documents = documentsOf(pools);
const qrels: Qrels = new Map(
  pools.map(({ id, candidates }) => [id, new Map(candidates.map(({ id, grade }) => [id, grade]))]),
);
const texts = pools.map(({ id, query }) => ({ id, text: query }));
const queries: QueryToRank[] = pools.map(({ id, query, candidates }) => ({ id, text: query, candidates }));

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

const meanValue = ({ measures, systems }: Evaluation, system: string, name: string) =>
  systems.find((own) => own.name === system)!.means[measures.findIndex((own) => own.name === name)]!.value!;

describe('evaluate', () => {
  it('recommends bare when a variant is the same', async () => {
    const store = await primedStore(model, documents);
    for (const { id } of documents) {
      const { variants, metadata } = (await store.entry(id))!;
      await store.putDocument(id, { ...variants, same: variants.bare! }, { metadata });
    }
    const bm25 = await bm25Of(store);
    const found = await evaluate(model, store, queries, qrels, { bm25 });
    expect(found).toMatchObject({ queries: 16, candidates: 128, missing: [], primary: 'nDCG@10' });
    expect(found.verdict.bestCache).toMatchObject({ system: 'bare', betterThan: [], undecided: [] });
    expect(found.unranked).toEqual({ withoutCandidates: [], notAsked: [] });
    expect(found.systems.map(({ name }) => name)).toEqual(['bm25', 'bare', 'same']);
    const own = found.comparisons.find(({ treatment, baseline }) => treatment === 'same' && baseline === 'bare');
    expect(own!.differences[0]!.mean).toEqual({ value: 0, low: 0, high: 0 });
    expect(own!.holm[0]).toBe(1);
    expect(found.comparisons.map(({ treatment, baseline }) => [treatment, baseline])).toEqual([
      ['bare', 'bm25'],
      ['same', 'bm25'],
      ['same', 'bare'],
    ]);
    // The means are those of the rankings themselves.
    const { of } = measure('nDCG@10');
    const values: number[] = [];
    for await (const { id, documents } of rank(model, store, queries)) {
      values.push(of(new Map(documents.map(({ id, score }) => [id, score])), qrels.get(id)!)!);
    }
    expect(meanValue(found, 'bare', 'nDCG@10')).toBeCloseTo(mean(values), 12);
    const ofBm25 = queries.map(({ text, candidates }, q) => {
      const ids = candidates.map(({ id }) => id);
      const scores = bm25.score(text, ids);
      return of(new Map(ids.map((id, i) => [id, scores[i]!])), qrels.get(queries[q]!.id)!)!;
    });
    expect(meanValue(found, 'bm25', 'nDCG@10')).toBeCloseTo(mean(ofBm25), 12);
    expect(await evaluate(model, store, queries, qrels, { bm25 })).toEqual(found);
  });

  it('recommends a variant that is clearly better, and calibrates both', async () => {
    // As if the bare caches were of other documents, and the variant's of the right ones.
    const store = await primedStore(model, documents);
    const entries = await Promise.all(documents.map(({ id }) => store.entry(id)));
    for (const [at, entry] of entries.entries()) {
      const { bare: good } = entry!.variants;
      const { bare: wrong } = entries[(at + 13) % entries.length]!.variants;
      await store.putDocument(entry!.id, { bare: wrong!, good: good! }, { metadata: entry!.metadata });
    }
    const found = await evaluate(model, store, queries, qrels, { calibrate: true, measures: ['AP(rel=2)', 'AUC'] });
    expect(found.verdict).toMatchObject({ best: { system: 'good', betterThan: ['bare'] }, rerank: null });
    expect(found.comparisons[0]!.differences[0]!.mean.low).toBeGreaterThan(0);
    expect(found.measures.map(({ name }) => name)).toEqual(['AP(rel=2)', 'AUC']);
    expect(found.systems.map(({ name }) => name)).toEqual(['bare', 'good']);
    const [bad, good] = found.calibrations;
    expect(good!.brier!.calibrated).toBeLessThan(bad!.brier!.calibrated);
    for await (const { documents } of rank(model, store, queries.slice(0, 3), { variant: 'good', calibration: true })) {
      const relevance = documents.map(({ relevanceScore }) => relevanceScore!);
      expect(relevance).toEqual([...relevance].sort((a, b) => b - a));
      expect([relevance[0]! <= 1, relevance.at(-1)! >= 0]).toEqual([true, true]);
    }
    // The other way round bare is better, and stays.
    for (const entry of entries) {
      const { bare, good } = (await store.entry(entry!.id))!.variants;
      await store.putDocument(entry!.id, { bare: good!, other: bare! }, { metadata: entry!.metadata });
    }
    const against = await evaluate(model, store, queries, qrels);
    expect(against.comparisons[0]!.differences[0]!.mean.high).toBeLessThan(0);
    expect(against.verdict.bestCache).toMatchObject({ system: 'bare', betterThan: ['other'] });
  });

  it('wants the same candidates for all, or leaves them out for all', async () => {
    const few = documents.slice(0, 40);
    const store = await primedStore(model, few, { surrogates: ['static:lamp'] });
    const { variants } = (await store.entry(few[0]!.id))!;
    await store.putDocument(few[0]!.id, { bare: variants.bare! });
    const own = queries.slice(0, 5);
    await expect(evaluate(model, store, own, qrels)).rejects.toThrow(
      `no "static:lamp" cache of 1 of 40 candidates: "${few[0]!.id}"`,
    );
    const found = await evaluate(model, store, own, qrels, { onMissing: 'skip' });
    expect(found).toMatchObject({ candidates: 39, missing: [few[0]!.id] });
    const only = await evaluate(model, store, own, qrels, { variants: [] });
    expect(only).toMatchObject({ candidates: 40, systems: [{ name: 'bare' }] });
  });

  it('counts 0 for judged queries that were not ranked, in both means, and names them', async () => {
    const store = await primedStore(model, documents.slice(0, 24));
    const [first, second, third] = queries as [QueryToRank, QueryToRank, QueryToRank];
    const asked = [first, second, { ...third, candidates: [] }];
    const nothing = new Map([[second.candidates[0]!.id, 0]]);
    const own: Qrels = new Map([...qrels].slice(0, 4)).set(second.id, nothing);
    const measures = ['nDCG@10', 'AUC'];
    const found = await evaluate(model, store, asked, own, { measures });
    expect(found).toMatchObject({
      queries: 2,
      unranked: { withoutCandidates: [third.id], notAsked: [queries[3]!.id] },
      measures: [
        { name: 'nDCG@10', queries: 3, judgedQueries: 4 },
        { name: 'AUC', queries: 1, judgedQueries: 4 },
      ],
    });
    const alone = await evaluate(model, store, [first], new Map([[first.id, own.get(first.id)!]]), { measures });
    const value = meanValue(alone, 'bare', 'nDCG@10');
    expect(meanValue(found, 'bare', 'nDCG@10')).toBeCloseTo(value / 3, 12);
    expect(found.systems[0]!.judgedMeans).toEqual([expect.closeTo(value / 4, 12), null]);
  });

  it('refuses judgements of other queries and measures that there are none of', async () => {
    const store = await primedStore(model, documents.slice(0, 8));
    await expect(evaluate(model, store, queries.slice(0, 1), new Map())).rejects.toThrow(/None of the 1 queries/);
    await expect(evaluate(model, store, queries.slice(0, 1), qrels, { measures: ['NDCG'] })).rejects.toThrow(
      /no measure "NDCG"/,
    );
  });
});

describe('candidates', () => {
  it('by BM25 hold what was judged as well, with BM25’s scores', async () => {
    const store = await primedStore(model, documents);
    const lists = await candidatesFrom('bm25:5', store, texts, { qrels });
    const index = await bm25Of(store);
    for (const { id, text } of texts) {
      const list = lists.get(id)!;
      const judged = [...qrels.get(id)!.keys()];
      expect(new Set(list.map((one) => one.id))).toEqual(
        new Set([...index.search(text, 5).map((one) => one.id), ...judged]),
      );
      expect(list.map(({ firstStage }) => firstStage)).toEqual(
        index.score(
          text,
          list.map((one) => one.id),
        ),
      );
    }
    const alone = await candidatesFrom('bm25', store, texts, { bm25: index });
    expect(alone.get(texts[0]!.id)).toEqual(
      index.search(texts[0]!.text, 100).map(({ id, score }) => ({ id, firstStage: score })),
    );
    const all = await candidatesFrom('all', store, texts);
    expect(all.get(texts[0]!.id)).toHaveLength(documents.length);
    await expect(candidatesFrom('judged', store, texts)).rejects.toThrow(/--qrels/);
    const judgedOnly = await candidatesFrom('judged', store, texts, { qrels });
    expect(judgedOnly.get(texts[0]!.id)!.map(({ id }) => id)).toEqual([...qrels.get(texts[0]!.id)!.keys()]);
  });

  it.each([
    ['q1 Q0 d1 1 0.5 run\nq1 Q0 d2 2 0.25 run\n', { d1: 0.5, d2: 0.25 }],
    ['q1 0 d1 3\nq1 0 d2 0\n', { d1: undefined, d2: undefined }],
    ['query-id\tcorpus-id\tscore\nq1\td1\t3\n', { d1: undefined }],
    ['q1\td1\nq1\td2\nq1\td1\n', { d1: undefined, d2: undefined }],
    ['qid\tdocid\n\nq1\td1\n', { d1: undefined }],
  ])('are read from %j', (text, wanted) => {
    expect(parseCandidates(text, 'file')).toEqual(new Map([['q1', new Map(Object.entries(wanted))]]));
  });

  it.each([
    ['q1 d1 0.5\n', 'file, line 1: expected "qid 0 docid grade"'],
    ['q1\td1\nq1\td2\t5\n', 'file, line 2: expected "qid docid", found "q1\td2\t5"'],
    ['', 'found ""'],
    ['one\n', 'found "one"'],
  ])('are not read from %j', (text, message) => {
    expect(() => parseCandidates(text, 'file')).toThrow(message);
  });

  it('by BM25 need the texts', async () => {
    const store = await primedStore(model, documents.slice(0, 3), { keepText: false });
    await expect(candidatesFrom('bm25', store, texts)).rejects.toThrow(/was stored without its text/);
  });
});
