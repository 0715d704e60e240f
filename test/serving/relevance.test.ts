/** One-token relevance: of a T5 as transformers has it, of stored documents, and as a full cross-encoder. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adworldPools } from '../../src/adworld/pools.js';
import type { Qrels } from '../../src/datasets/trec.js';
import { allRows } from '../../src/engine/engine.js';
import { scoreTexts, type TextScore } from '../../src/scoring/inputs.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { bm25Of } from '../../src/serving/bm25.js';
import { crossEncoderScores, textsOf } from '../../src/serving/cross-encoder.js';
import { evaluate } from '../../src/serving/evaluate.js';
import { scoredBy } from '../../src/serving/objectives.js';
import { type RankOptions, rank } from '../../src/serving/rank.js';
import type { QueryToRank, RankedQuery } from '../../src/serving/ranked-query.js';
import { filled, type Relevance, relevanceTokens } from '../../src/serving/relevance.js';
import type { Store } from '../../src/store/store.js';
import { countingModel, total } from '../support/counting-model.js';
import { FAMILY_FIXTURES } from '../support/fixtures.js';
import { documentsOf, primedStore } from '../support/primed-store.js';
import { TOLERANCES } from '../support/reference.js';

async function ranked(
  model: Model,
  store: Store,
  queries: readonly QueryToRank[],
  options: RankOptions,
): Promise<RankedQuery[]> {
  const rankings: RankedQuery[] = [];
  for await (const ranking of rank(model, store, queries, options)) rankings.push(ranking);
  return rankings;
}

describe('of a T5', () => {
  interface First {
    readonly logits: readonly [number, number];
    readonly log_probability: number;
  }
  interface Case {
    readonly query: string;
    readonly document: string;
    readonly encoder_ids: readonly number[];
    readonly cross: First;
    readonly cached: First;
  }
  const folder = path.join(FAMILY_FIXTURES.T5ForConditionalGeneration!, 'text');
  const { relevant, irrelevant, tokens, cases } = JSON.parse(
    readFileSync(path.join(folder, 'relevance.json'), 'utf8'),
  ) as { relevant: string; irrelevant: string; tokens: number[]; cases: Case[] };
  const odds: Relevance = { relevantToken: relevant, irrelevantToken: irrelevant };
  const limits = { visibility: 'exact', maxTokens: 512 } as const;

  let model: Model;
  beforeAll(async () => {
    model = await loadModel(folder);
  });
  afterAll(() => model.close());

  const queries = cases.map(
    ({ query }, i): QueryToRank => ({ id: `q${i}`, text: query, candidates: [{ id: `d${i}` }] }),
  );
  const texts = new Map(cases.map(({ document }, i) => [`d${i}`, document]));
  const expected = (which: 'cross' | 'cached', asked: Relevance) =>
    cases.map((own) => {
      const { logits, log_probability } = own[which];
      return asked.irrelevantToken === undefined ? log_probability : logits[0] - logits[1];
    });

  it.each([odds, { relevantToken: relevant }])('is what transformers computes: %j', async (asked) => {
    expect([...relevanceTokens(model.tokenizer, odds).tokens]).toEqual(tokens);
    const scored = scoredBy(model, 'relevance', asked);
    const { scores } = await crossEncoderScores(model, queries, texts, scored, limits);
    const store = await primedStore(
      model,
      [...texts].map(([id, text]) => ({ id, text })),
    );
    const rankings = await ranked(model, store, queries, { objective: 'relevance', relevance: asked });
    for (const [i, { cross, cached, encoder_ids, ...texts }] of cases.entries()) {
      expect([...model.tokenizer.encodeFramed(filled(scored.relevance!.said.template, texts))]).toEqual(encoder_ids);
      expect(cross.logits).not.toEqual(cached.logits);
      const [ofPair] = [...scores[i]!.values()];
      const { score, nll, nllSum, tokens } = rankings[i]!.documents[0]!;
      expect(Math.abs(ofPair! - expected('cross', asked)[i]!)).toBeLessThan(TOLERANCES['log-probabilities']);
      expect(Math.abs(score - expected('cached', asked)[i]!)).toBeLessThan(TOLERANCES['log-probabilities']);
      const isOdds = asked.irrelevantToken !== undefined;
      expect({ nll, nllSum, tokens }).toEqual(
        isOdds ? { nll: null, nllSum: null, tokens: 1 } : { nll: -score, nllSum: -score, tokens: 1 },
      );
    }
  });

  it('reads of a long document what there is room for, and the end of its template', async () => {
    const { query } = cases[0]!;
    const long = `${cases[0]!.document} 👩‍👧 `.repeat(40);
    const counting = countingModel(model);
    const asked = [{ ...queries[0]!, candidates: [{ id: 'long' }] }];
    const scored = scoredBy(model, 'relevance', odds);
    const cut = { ...limits, maxTokens: 128 };
    const { scores } = await crossEncoderScores(counting, asked, new Map([['long', long]]), scored, cut);
    expect(counting.rows[0]).toBeLessThanOrEqual(128);
    expect(counting.rows[0]).toBeGreaterThan(120);
    // The longest beginning that fits gives the same number; one that has room for more does not.
    const score = scores[0]!.get('long');
    const beginnings = Array.from({ length: 300 }, (_, end) => long.slice(0, end)).filter((text) =>
      text.isWellFormed(),
    );
    const fitting = beginnings.filter(
      (document) =>
        model.tokenizer.encodeFramed(filled(scored.relevance!.said.template, { query, document })).length <= 128,
    );
    const own = new Map([['long', fitting.at(-1)!]]);
    expect((await crossEncoderScores(model, asked, own, scored, limits)).scores[0]!.get('long')).toBe(score);
    await expect(
      crossEncoderScores(model, asked, new Map([['long', long]]), scored, { ...limits, maxTokens: 30 }),
    ).rejects.toMatchObject({ code: 'INPUT_TOO_LONG', message: expect.stringContaining('What does the lamp cost?') });
  });

  it('shows the pieces of a word that is not one token', () => {
    const of = (relevance: Relevance) => () => scoredBy(model, 'relevance', relevance);
    expect(of({ relevantToken: 'true' })).toThrow(
      '"true" is 4: "t" (id 24), "r" (id 16), "u" (id 33), "e" (id 4). Name a word',
    );
    expect(of({ relevantToken: relevant, irrelevantToken: '\u200b' })).toThrow(
      'The irrelevant token has to be one token',
    );
    expect(of({ relevantToken: relevant, irrelevantToken: ` ${relevant}` })).toThrow(`are the same of this model`);
    expect(of({ ...odds, prompt: 'Relevant:' })).toThrow('expected a text with {query} in it, found "Relevant:"');
    expect(of({ ...odds, template: '{query}' })).toThrow('expected a text with {query} and {document} in it');
    expect(() => scoredBy(model, 'relevance', undefined)).toThrow('--relevant-token');
    expect(() => scoredBy(model, 'query-likelihood', odds)).toThrow('the objective is query-likelihood');
  });
});

it('puts texts into a template as they are', () => {
  const texts = { query: 'a {document} $& $1', document: '{query}' };
  expect(filled('Q: {query} D: {document} {other}', texts)).toBe('Q: a {document} $& $1 D: {query} {other}');
});

describe('of the built-in model', () => {
  const pools = adworldPools({ split: 'test', count: 3 });
  const documents = documentsOf(pools);
  const queries: QueryToRank[] = pools.map(({ id, query, candidates }) => ({ id, text: query, candidates }));
  const qrels: Qrels = new Map(
    pools.map(({ id, candidates }) => [id, new Map(candidates.map(({ id, grade }) => [id, grade]))]),
  );
  const relevance: Relevance = { relevantToken: ' lamp', irrelevantToken: ' no' };
  const textOf = new Map(documents.map(({ id, text }) => [id, text]));

  let model: Model;
  beforeAll(async () => {
    model = await loadModel();
  });
  afterAll(() => model.close());

  it('is the difference of the NLLs of the two words after the prompt', async () => {
    const store = await primedStore(model, documents);
    const { tokens } = relevanceTokens(model.tokenizer, relevance);
    const asked = { ...relevance, prompt: 'Is {query} it?' };
    for (const { id, documents: own } of await ranked(model, store, queries, {
      objective: 'relevance',
      relevance: asked,
    })) {
      const query = queries.find((one) => one.id === id)!;
      const prompt = model.tokenizer.encode(`Is ${query.text} it?`);
      for (const { id: document, score } of own) {
        const { record } = (await store.getDocument(document, 'bare'))!;
        const memory = [allRows(record.states)];
        const [[yes], [no]] = (await model.engine.score(
          Array.from(tokens, (token) => ({ memory, prompt, target: Int32Array.of(token) })),
        )) as [Float32Array, Float32Array];
        expect(Math.abs(score - (no! - yes!))).toBeLessThan(1e-4);
      }
    }
  });

  it('has calibrations of its own, for each pair of words and each prompt', async () => {
    const store = await primedStore(model, documents);
    const found = await evaluate(model, store, queries, qrels, { objective: 'relevance', relevance, calibrate: true });
    expect(found.relevance).toMatchObject({ ...relevance, prompt: 'Query: {query} Relevant:' });
    const { brier } = found.calibrations[0]!;
    // Of odds, not of a likelihood: no number above 1 is a probability.
    expect(brier!.raw).toBeLessThanOrEqual(1);
    const by = (other: Partial<Relevance>) =>
      ranked(model, store, queries.slice(0, 1), { objective: 'relevance', relevance: { ...relevance, ...other } });
    expect((await by({}))[0]!.documents[0]).toHaveProperty('relevanceScore');
    for (const other of [{ irrelevantToken: undefined }, { relevantToken: ' the' }, { prompt: '{query}' }]) {
      expect((await by(other))[0]!.documents[0]).not.toHaveProperty('relevanceScore');
    }
    await expect(
      evaluate(model, store, queries, qrels, { objective: 'relevance', relevance, prior: true }),
    ).rejects.toThrow('it cannot be taken off relevance');
  });

  it('has an upper bound in the same table, which costs an encoder pass for each candidate and is not recommended', async () => {
    const store = await primedStore(model, documents, { surrogates: ['static:lamp'] });
    const counting = countingModel(model);
    const seen: number[] = [];
    const bm25 = await bm25Of(store);
    const found = await evaluate(counting, store, queries, qrels, {
      objective: 'relevance',
      relevance,
      upperBound: true,
      bm25,
      onProgress: (done, all) => seen.push(done / all),
    });
    expect(total(counting.encoded)).toBe(24);
    expect(found.systems.map(({ name, encoderPasses }) => [name, encoderPasses])).toEqual([
      ['bm25', { perQuery: 0, perDocument: 0 }],
      ['bare', { perQuery: 0, perDocument: 1 }],
      ['static:lamp', { perQuery: 0, perDocument: 1 }],
      ['cross-encoder', { perQuery: 8, perDocument: 0 }],
    ]);
    expect(found.comparisons).toHaveLength(6);
    expect(found.verdict.comparisons).toBe(6);
    const { best, bestCache, rerankMargin } = found.verdict;
    for (const named of [best, bestCache].flatMap(({ system, betterThan, undecided }) => [
      system,
      ...betterThan,
      ...undecided,
    ])) {
      expect(named).not.toBe('cross-encoder');
    }
    expect(rerankMargin!.treatment).not.toBe('cross-encoder');
    expect([seen.at(-1), ...seen]).toEqual([1, ...[...seen].sort((a, b) => a - b)]);
    const without = await evaluate(model, store, queries, qrels, { objective: 'relevance', relevance, bm25 });
    expect(without.systems.map(({ means, judgedMeans }) => [means[0]!.value, judgedMeans])).toEqual(
      found.systems.slice(0, 3).map(({ means, judgedMeans }) => [means[0]!.value, judgedMeans]),
    );
  });

  it('is for likelihoods the oracle: the query in front of the document', async () => {
    const answered = queries.slice(0, 2).map((query) => ({ ...query, answer: 'a lamp for 20 euros' }));
    for (const objective of ['query-likelihood', 'answer-likelihood'] as const) {
      const limits = { visibility: 'exact', maxTokens: 2048 } as const;
      const scored = scoredBy(model, objective, undefined);
      const { scores } = await crossEncoderScores(model, answered, textOf, scored, limits);
      for (const [q, { text, answer, candidates }] of answered.entries()) {
        const own = await scoreTexts(
          model,
          candidates.map(({ id }) => ({
            document: textOf.get(id)!,
            prefix: text,
            ...(objective === 'query-likelihood' ? { target: text } : { query: text, target: answer }),
          })),
          { maxTokens: limits.maxTokens },
        );
        for (const [i, { id }] of candidates.entries()) {
          expect(scores[q]!.get(id)).toBeCloseTo(-(own[i] as TextScore).nll, 5);
        }
      }
    }
  });

  it('stops when told to, and says which document has no text', async () => {
    const store = await primedStore(model, documents);
    const controller = new AbortController();
    const stopped = evaluate(model, store, queries, qrels, {
      upperBound: true,
      signal: controller.signal,
      onProgress: (done, all) => done >= all / 2 && controller.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' });
    const textless = await primedStore(model, documents, { keepText: false });
    await expect(evaluate(model, textless, queries, qrels, { upperBound: true })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining(
        `${JSON.stringify(queries[0]!.candidates[0]!.id)} in ${textless.location} was stored without its text`,
      ),
    });
    await expect(textsOf(store, ['nowhere'])).rejects.toMatchObject({ code: 'DOCUMENT_MISSING' });
  });
});
