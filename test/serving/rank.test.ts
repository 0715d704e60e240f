/** Rankings from a store, with the built-in model. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { adworldAnswerPools, adworldPools } from '../../src/adworld/pools.js';
import { DkvError } from '../../src/base/errors.js';
import type { PhaseTimes } from '../../src/engine/engine.js';
import { scoreTexts, type TextScore } from '../../src/scoring/inputs.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { writeCalibration } from '../../src/serving/calibration.js';
import { parseDocumentMetadata } from '../../src/serving/document-metadata.js';
import { prime } from '../../src/serving/prime.js';
import { provenanceOf, readProvenance, writeProvenance } from '../../src/serving/provenance.js';
import { type RankOptions, rank } from '../../src/serving/rank.js';
import type { QueryToRank, RankedQuery } from '../../src/serving/ranked-query.js';
import { referenceQueriesOf, writeReferenceQueries } from '../../src/serving/reference-queries.js';
import { mean } from '../../src/stats/describe.js';
import { measure } from '../../src/stats/ranking.js';
import { InProcessBackend } from '../../src/store/backends/in-process.js';
import { DirectedStore } from '../../src/store/directed-store.js';
import { openStore } from '../../src/store/open.js';
import { slotOf } from '../../src/store/records/entry.js';
import { type DocumentEntry, NOTES, type Store } from '../../src/store/store.js';
import { documentsOf, primedStore } from '../support/primed-store.js';
import { watched } from '../support/watched-backend.js';

const pools = adworldPools({ split: 'test', count: 12 });
const documents = documentsOf(pools);
const textOf = new Map(documents.map(({ id, text }) => [id, text]));
const queries: QueryToRank[] = pools.map(({ id, query, candidates }) => ({
  id,
  text: query,
  candidates: candidates.map(({ id }, at) => ({ id, firstStage: -at })),
}));
const [first] = queries as [QueryToRank];

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

async function all(store: Store, asked: readonly QueryToRank[], options?: RankOptions): Promise<RankedQuery[]> {
  const rankings: RankedQuery[] = [];
  for await (const ranking of rank(model, store, asked, options)) rankings.push(ranking);
  return rankings;
}

const ofFirst = documents.filter(({ id }) => first.candidates.some((own) => own.id === id));

describe('rank', () => {
  it('orders candidates by the likelihood of the query that scoreTexts gives', async () => {
    const store = await primedStore(model, documents);
    const rankings = await all(store, queries);
    expect(rankings.map(({ id }) => id)).toEqual(queries.map(({ id }) => id));
    for (const [q, { documents: ranked, missing }] of rankings.entries()) {
      const { text, candidates } = queries[q]!;
      expect(missing).toEqual([]);
      expect(new Set(ranked.map(({ id }) => id))).toEqual(new Set(candidates.map(({ id }) => id)));
      const texts = await scoreTexts(
        model,
        ranked.map(({ id }) => ({ document: textOf.get(id)!, target: text })),
        { maxTokens: 2048 },
      );
      for (const [i, { score, nll, nllSum, tokens }] of ranked.entries()) {
        expect(nll).toBeCloseTo((texts[i] as TextScore).nll, 5);
        expect(score).toBe(-nll!);
        expect(nllSum).toBeCloseTo(nll! * tokens, 5);
      }
      // One target for all: sum and mean give the same order.
      const bySum = [...ranked].sort((a, b) => a.nllSum! - b.nllSum!);
      expect(bySum.map(({ id }) => id)).toEqual(ranked.map(({ id }) => id));
    }
    const auc = rankings.map(({ documents }, q) =>
      measure('AUC(rel=2)').of(
        new Map(documents.map(({ id, score }) => [id, score])),
        new Map(pools[q]!.candidates.map(({ id, grade }) => [id, grade])),
      ),
    );
    // The model knows what is asked for.
    expect(mean(auc.map((value) => value!))).toBeGreaterThan(0.7);
  });

  it('scores answers after the query', async () => {
    const answered = adworldAnswerPools({ split: 'test', count: 2, candidates: 4 });
    const store = await primedStore(model, documentsOf(answered));
    const asked = answered.map(({ id, query, answer, candidates }) => ({ id, text: query, answer, candidates }));
    const rankings = await all(store, asked, { objective: 'answer-likelihood' });
    for (const [q, { documents: ranked }] of rankings.entries()) {
      const { query, answer, candidates } = answered[q]!;
      const texts = await scoreTexts(
        model,
        ranked.map(({ id }) => ({
          document: candidates.find((one) => one.id === id)!.document,
          query,
          target: answer!,
        })),
        { maxTokens: 2048 },
      );
      expect(ranked.map(({ nll }) => nll!.toFixed(4))).toEqual(texts.map((text) => (text as TextScore).nll.toFixed(4)));
    }
    await expect(all(store, [{ ...asked[0]!, answer: undefined }], { objective: 'answer-likelihood' })).rejects.toThrow(
      /has no answer, and the objective answer-likelihood scores answers/,
    );
  });

  it('takes priors off, and refuses documents without one', async () => {
    const liked = first.candidates[3]!.id;
    const store = await primedStore(model, ofFirst, { priorQueries: ['any lamp'] });
    const entry = (await store.entry(liked))!;
    const { priors, ...metadata } = parseDocumentMetadata(liked, entry.metadata);
    const own = new Map<string, number>();
    for (const { id } of ofFirst)
      own.set(id, parseDocumentMetadata(id, (await store.entry(id))!.metadata).priors!.bare!);
    expect(own.get(liked)).toBe(priors!.bare);
    // As if it made any query unlikely.
    own.set(liked, 50);
    await store.putDocument(liked, entry.variants, {
      metadata: { ...metadata, priors: { bare: 50 } },
    });
    const [plain] = await all(store, [first]);
    const [less] = await all(store, [first], { prior: true });
    const nllOf = new Map(plain!.documents.map(({ id, nll }) => [id, nll!]));
    for (const { id, score, nll } of less!.documents) {
      expect(nll).toBeCloseTo(nllOf.get(id)!, 9);
      expect(score).toBeCloseTo(own.get(id)! - nll!, 9);
    }
    expect(less!.documents[0]!.id).toBe(liked);
    await expect(all(await primedStore(model, ofFirst), [first], { prior: true })).rejects.toThrow(
      /its documents have no priors\. Prime with reference queries/,
    );
    const { priorDigest: _, ...bare } = metadata;
    await store.putDocument(liked, entry.variants, { metadata: bare });
    await expect(all(store, [first], { prior: true })).rejects.toThrow(/has no prior of the variant "bare"/);
    await writeReferenceQueries(store, referenceQueriesOf(['other queries']));
    await expect(all(store, [first], { prior: true })).rejects.toThrow(/a prior by other reference queries/);
    await expect(all(store, [first], { prior: true, objective: 'answer-likelihood' })).rejects.toThrow(/prior/);
  });

  it('mixes with the first stage in standard deviations of the query’s candidates', async () => {
    const store = await primedStore(model, ofFirst);
    const order = async (query: QueryToRank, interpolate?: number) =>
      (await all(store, [query], interpolate === undefined ? {} : { interpolate }))[0]!.documents.map(({ id }) => id);
    const stage = first.candidates.map(({ id }) => id);
    const own = await order(first);
    expect(own).not.toEqual(stage);
    expect(await order(first, 1)).toEqual(stage);
    expect(await order(first, 0)).toEqual(own);
    const constant = { ...first, candidates: first.candidates.map(({ id }) => ({ id, firstStage: 7 })) };
    expect(await order(constant, 0.5)).toEqual(own);
    const [half] = await all(store, [first], { interpolate: 0.25 });
    const z = (values: number[]) => {
      const center = mean(values);
      const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - center) ** 2, 0) / (values.length - 1));
      return values.map((value) => (value - center) / deviation);
    };
    const ours = z(half!.documents.map(({ nll }) => -nll!));
    const theirs = z(half!.documents.map(({ firstStage }) => firstStage!));
    for (const [i, { score }] of half!.documents.entries()) {
      expect(score).toBeCloseTo(0.25 * theirs[i]! + 0.75 * ours[i]!, 9);
    }
    await expect(order({ ...first, candidates: [{ id: stage[0]! }] }, 0.5)).rejects.toThrow(/no first-stage score/);
    expect(await order({ ...first, candidates: first.candidates.slice(0, 1) }, 0.5)).toEqual(stage.slice(0, 1));
  });

  it('tells how many candidates are missing before it starts, or puts them last, or leaves them out', async () => {
    const store = await primedStore(model, ofFirst);
    const [, ...gone] = first.candidates;
    for (const { id } of gone.slice(0, 2)) await store.deleteDocument(id);
    const names = gone.slice(0, 2).map(({ id }) => id);
    await expect(all(store, [first])).rejects.toMatchObject({
      code: 'DOCUMENT_MISSING',
      message: expect.stringMatching(
        new RegExp(`no "bare" cache of 2 of 8 candidates: "${names[0]}", "${names[1]}"\\.`),
      ),
    });
    const [last] = await all(store, [first], { onMissing: 'last' });
    expect(last!.missing).toEqual(names);
    expect(new Set(last!.documents.slice(-2).map(({ id }) => id))).toEqual(new Set(names));
    expect(last!.documents.at(-1)).toMatchObject({ nll: null, nllSum: null });
    expect(last!.documents.at(-1)!.score).toBeLessThan(last!.documents.at(-3)!.score);
    const [skipped] = await all(store, [first], { onMissing: 'skip' });
    expect(skipped!.missing).toEqual(names);
    expect(skipped!.documents.map(({ id }) => id)).toEqual(last!.documents.slice(0, 6).map(({ id }) => id));
    const [none] = await all(store, [{ ...first, candidates: [{ id: 'a' }, { id: 'b' }] }], { onMissing: 'last' });
    expect(none!.documents.map(({ id }) => id)).toEqual(['b', 'a']);
  });

  it('costs one read of the entry and one of the record for each candidate', async () => {
    const calls: [string, unknown][] = [];
    const store = new DirectedStore(watched(new InProcessBackend(Number.POSITIVE_INFINITY), calls), '');
    onTestFinished(() => store.close());
    await prime(model, store, ofFirst, { surrogates: [] });
    const notes = new Set(NOTES.map((name) => slotOf(name, 'notes:')));
    calls.length = 0;
    const [ranking] = await all(store, [first, { ...first, id: 'again', text: 'garden chairs' }]);
    expect(ranking!.documents).toHaveLength(8);
    const read = (name: string) => calls.flatMap(([own, names]) => (own === name ? (names as string[]) : []));
    const entries = read('readSlots').filter((slot) => !notes.has(slot));
    expect(entries.sort()).toEqual(ofFirst.map(({ id }) => slotOf(id, '')).sort());
    const keys = (await store.entries(ofFirst.map(({ id }) => id))).map(
      (entry) => (entry as DocumentEntry).variants.bare,
    );
    expect(read('read').sort()).toEqual([...keys].sort());
    expect(new Set(calls.map(([name]) => name))).toEqual(new Set(['readSlots', 'read']));
    expect(await store.stats()).toMatchObject({ hits: 8, misses: 0 });
  });

  it('passes a deadline on to the engine', async () => {
    const store = await primedStore(model, ofFirst);
    await expect(all(store, [first], { deadlineMs: 0 })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    // Of a bulk request something else comes first.
    const long = all(
      store,
      Array.from({ length: 30 }, (_, at) => ({ ...first, id: `${at}` })),
    );
    const late = all(store, [first], { priority: 'bulk', deadlineMs: 1 });
    await expect(late).rejects.toMatchObject({ code: 'DEADLINE_PASSED' });
    expect(await long).toHaveLength(30);
  });

  it('ranks what was begun by the deadline and names the rest, where late candidates are dropped', async () => {
    const small = await loadModel(undefined, { batchMs: 1e-6 });
    onTestFinished(() => small.close());
    const store = await primedStore(model, ofFirst);
    const [whole] = await all(store, [first]);
    const score = small.engine.score.bind(small.engine);
    let begun = 0;
    // Each candidate makes a batch of its own; when the second is answered the time is over.
    small.engine.score = (items, options) =>
      score(items, {
        ...options,
        onProgress: (done, total) => {
          begun = done;
          const since = performance.now();
          if (done === 2) while (performance.now() - since < options!.deadlineMs! + 5);
          options?.onProgress?.(done, total);
        },
      });
    const phases: PhaseTimes[] = [];
    const options = { deadlineMs: 300, dropLate: true, onPhases: (times: PhaseTimes) => phases.push(times) };
    const rankings: RankedQuery[] = [];
    for await (const own of rank({ ...small, engine: small.engine }, store, [first], options)) rankings.push(own);
    const [{ documents: ranked, late, rejected, missing }] = rankings as [RankedQuery];
    expect([rejected, missing]).toEqual([[], []]);
    expect(ranked).toHaveLength(begun);
    expect([begun < 8, late.length]).toEqual([true, 8 - begun]);
    expect([...ranked.map(({ id }) => id), ...late].sort()).toEqual(first.candidates.map(({ id }) => id).sort());
    const scoreOf = new Map(whole!.documents.map(({ id, score }) => [id, score]));
    for (const { id, score } of ranked) expect(score).toBeCloseTo(scoreOf.get(id)!, 5);
    expect(phases).toHaveLength(1);
    expect(phases[0]!.decoding).toBeGreaterThan(0);
    // Nothing in time is nothing to rank.
    await expect(all(store, [first], { deadlineMs: 1e-6, dropLate: true })).rejects.toMatchObject({
      code: 'DEADLINE_PASSED',
    });
  });

  it('tells the phases of all of its requests together, once', async () => {
    const store = await primedStore(model, ofFirst);
    const many = Array.from({ length: 40 }, (_, at) => ({ ...first, id: `${at}` }));
    const phases: PhaseTimes[] = [];
    const asked = vi.spyOn(model.engine, 'score');
    onTestFinished(() => asked.mockRestore());
    await all(store, many, { onPhases: (times) => phases.push(times) });
    expect(asked.mock.calls.length).toBeGreaterThan(1);
    expect(phases).toHaveLength(1);
    expect(Math.min(phases[0]!.tokenising, phases[0]!.decoding)).toBeGreaterThan(0);
  });

  it('takes an evicted record for a missing one, though its id is there', async () => {
    const small = await primedStore(model, ofFirst, { maxBytes: 300_000 });
    const { records } = await small.stats();
    expect(records).toBeGreaterThan(0);
    expect(records).toBeLessThan(8);
    expect(await small.entry(first.candidates[0]!.id)).toBeDefined();
    await expect(all(small, [first])).rejects.toThrow(`of ${8 - records} of 8 candidates`);
    // More than are scored together are looked at before anything is scored.
    const many = Array.from({ length: 40 }, (_, at) => ({ ...first, id: `${at}` }));
    await expect(all(small, many)).rejects.toThrow(`of ${8 - records} of 8 candidates`);
    const [skipped] = await all(small, [first], { onMissing: 'skip' });
    expect(skipped!.documents).toHaveLength(records);
  });

  it('refuses a store of another model, an empty one, and what cannot be asked', async () => {
    const store = await primedStore(model, ofFirst);
    const primed = (await readProvenance(store))!;
    await expect(all(store, [first], { variant: 'doc_kw' })).rejects.toMatchObject({ code: 'DOCUMENT_MISSING' });
    await expect(all(store, [{ ...first, text: ' ' }])).rejects.toThrow(/is empty/);
    await expect(all(store, [{ ...first, candidates: [...first.candidates, first.candidates[0]!] }])).rejects.toThrow(
      /twice/,
    );
    await expect(all(store, [first], { interpolate: 2 })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await expect(all(store, [first], { variants: 'bare' } as RankOptions)).rejects.toThrow(/variants/);
    for (const change of [{ fingerprint: 'c'.repeat(64), model: 'other' }, { modelPrecision: 'bfloat16' }]) {
      await writeProvenance(store, { ...primed, ...change });
      await expect(all(store, [first])).rejects.toMatchObject({ code: 'STORE_MISMATCH' });
    }
    // The note is right, a record is another model's: caught when it is read.
    const other = await primedStore({ ...model, fingerprint: 'd'.repeat(64) }, ofFirst.slice(0, 1));
    const [{ id }] = first.candidates as [{ id: string }];
    await store.putDocument(id, { bare: (await other.getDocument(id, 'bare'))!.record });
    await writeProvenance(store, primed);
    await expect(all(store, [first])).rejects.toMatchObject({ code: 'STORE_MISMATCH' });
    const empty = await openStore('memory:');
    await expect(all(empty, [first])).rejects.toThrow(/nothing was primed into this store/);
    await empty.close();
    await expect(all(await primedStore(model, []), [first])).rejects.toMatchObject({ code: 'DOCUMENT_MISSING' });
  });

  it('gives relevance scores by the calibration for exactly this scoring', async () => {
    const store = await primedStore(model, ofFirst);
    const primed = provenanceOf(model, { statesPrecision: 'float32', visibility: 'exact', maxTokens: 2048 });
    const own = { variant: 'bare', objective: 'query-likelihood', references: null } as const;
    const [before] = await all(store, [first]);
    expect(before!.documents[0]).not.toHaveProperty('relevanceScore');
    await expect(all(store, [first], { calibration: true })).rejects.toThrow(
      /no calibration.*dkv evaluate --calibrate/,
    );
    const scores = before!.documents.map(({ score }) => score);
    const calibration = { x: [Math.min(...scores), Math.max(...scores)], y: [0.1, 0.9], queries: 1, documents: 8 };
    for (const [changed, scoring] of [
      [{ statesPrecision: 'int8' as const }, own],
      [{ fingerprint: 'c'.repeat(64) }, own],
      [{ modelPrecision: 'bfloat16' }, own],
      [{}, { ...own, variant: 'doc_kw' }],
      [{}, { ...own, references: 'e'.repeat(64) }],
      [{}, { ...own, objective: 'answer-likelihood' as const }],
    ] as const) {
      await writeCalibration(store, { ...primed, ...changed }, scoring, calibration);
    }
    expect((await all(store, [first]))[0]).toEqual(before);
    await writeCalibration(store, primed, own, calibration);
    const [after] = await all(store, [first]);
    const relevance = after!.documents.map(({ relevanceScore }) => relevanceScore!);
    expect(relevance[0]).toBeCloseTo(0.9, 9);
    expect(relevance.at(-1)).toBeCloseTo(0.1, 9);
    expect(relevance).toEqual([...relevance].sort((a, b) => b - a));
    const [without] = await all(store, [first], { calibration: false });
    expect(without).toEqual(before);
    await expect(all(store, [first], { calibration: true, interpolate: 0.5 })).rejects.toThrow(/interpolation/);
  });

  it('gives the same whatever it is asked for together, tells how far it is, and stops when told to', async () => {
    const store = await primedStore(model, documents);
    const wide = { id: 'wide', text: 'garden chairs', candidates: documents.map(({ id }) => ({ id })) };
    const asked = [...queries, wide, ...queries.map((query) => ({ ...query, id: `${query.id} again` }))];
    const seen: number[] = [];
    const together = await all(store, asked, { onProgress: (done, total) => seen.push(done / total) });
    expect(seen.at(-1)).toBe(1);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(together.map(({ id }) => id)).toEqual(asked.map(({ id }) => id));
    const [alone] = await all(store, [wide]);
    const nlls = (ranking: RankedQuery) => new Map(ranking.documents.map(({ id, nll }) => [id, nll!]));
    for (const [id, nll] of nlls(together[queries.length]!)) expect(nlls(alone!).get(id)).toBeCloseTo(nll, 5);
    const controller = new AbortController();
    const rankings = rank(model, store, asked, { signal: controller.signal });
    expect((await rankings.next()).value).toMatchObject({ id: first.id });
    controller.abort();
    await expect(
      (async () => {
        for await (const _ of rankings);
      })(),
    ).rejects.toSatisfy((error) => error instanceof DkvError && error.code === 'CANCELLED');
  });
});
