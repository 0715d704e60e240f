/** Rerank through the server: the numbers of `rank`, in every dialect, whole or in part, in time or by a fallback. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { adworldPools } from '../../src/adworld/pools.js';
import { DkvError } from '../../src/base/errors.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { relevanceOf, writeCalibration } from '../../src/serving/calibration.js';
import { prime } from '../../src/serving/prime.js';
import type { PrimeOptions } from '../../src/serving/prime-options.js';
import { readProvenance } from '../../src/serving/provenance.js';
import { type RankOptions, rank } from '../../src/serving/rank.js';
import type { RankedQuery } from '../../src/serving/ranked-query.js';
import type { Store } from '../../src/store/store.js';
import { countingModel } from '../support/counting-model.js';
import { flipped, lmdbDamager } from '../support/damage.js';
import { documentsOf } from '../support/primed-store.js';
import { type ServedOptions, served } from '../support/server.js';

const [pool] = adworldPools({ split: 'test', count: 1 });
const { query, candidates } = pool!;
const documents = documentsOf([pool!]);
const ids = candidates.map(({ id }) => id);
const textOf = new Map(documents.map(({ id, text }) => [id, text]));
const byId = ids.map((id, at) => ({ id, first_stage_score: -at }));
const PRIORS = ['a lamp for the desk', 'cheap shoes', 'what does it cost?'];

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

async function primed(primeOptions: PrimeOptions = {}, options: ServedOptions = {}) {
  const own = await served(model, options);
  const withFields = documents.map((document, at) => ({
    ...document,
    fields: { place: at, shop: { city: at % 2 === 0 ? 'Berlin' : 'Rome' } },
  }));
  await prime(model, own.store, withFields, { surrogates: [], ...primeOptions });
  return own;
}

async function ranked(store: Store, options: RankOptions = {}, answer?: string): Promise<RankedQuery> {
  const asked = {
    id: 'q',
    text: query,
    answer,
    candidates: byId.map((own) => ({ id: own.id, firstStage: own.first_stage_score })),
  };
  for await (const own of rank(model, store, [asked], options)) return own;
  throw new Error('no ranking');
}

interface Result {
  readonly index: number;
  readonly relevance_score: number;
  readonly nll: number | null;
  readonly score: number;
}

describe('documents by id', () => {
  it('have the order and the numbers of rank, digit by digit', async () => {
    const { ask, store } = await primed({ priorQueries: PRIORS, surrogates: ['kw5'] });
    const cases: readonly [object, RankOptions, string, string?][] = [
      [{}, {}, 'model'],
      [{ variant: 'kw5' }, { variant: 'kw5' }, 'model'],
      [{ prior: true }, { prior: true }, 'model_and_prior'],
      [{ interpolate: 0.3 }, { interpolate: 0.3 }, 'model_and_first_stage'],
      [{ objective: 'answer-likelihood', answer: 'yes' }, { objective: 'answer-likelihood' }, 'model', 'yes'],
      [
        { objective: 'relevance', relevance: { relevant_token: ' a', irrelevant_token: ' b' } },
        { objective: 'relevance', relevance: { relevantToken: ' a', irrelevantToken: ' b' } },
        'model',
      ],
      [
        { objective: 'relevance', relevance: { relevant_token: ' a' } },
        { objective: 'relevance', relevance: { relevantToken: ' a' } },
        'model',
      ],
    ];
    for (const [body, options, orderedBy, answer] of cases) {
      const { status, body: got } = await ask('POST', '/v1/rerank', { query, documents: byId, ...body });
      expect(status, JSON.stringify(got)).toBe(200);
      const { documents: wanted } = await ranked(store, options, answer);
      expect(got.results.map(({ index, score, nll }: Result) => ({ id: ids[index], score, nll }))).toEqual(
        wanted.map(({ id, score, nll }) => ({ id, score, nll })),
      );
      expect(got).toMatchObject({ ordered_by: orderedBy, calibrated: false, left_out: [], model: model.name });
      for (const { relevance_score, nll, score } of got.results as Result[]) {
        expect(relevance_score).toBe(nll === null ? 1 / (1 + Math.exp(-score)) : Math.exp(0 - nll));
      }
    }
  });

  it('have calibrated relevance where there is a calibration of exactly this scoring', async () => {
    const { ask, store } = await primed();
    const calibration = { x: [-6, -2], y: [0.1, 0.9], queries: 3, documents: 9 };
    const scoring = { variant: 'bare', objective: 'query-likelihood', references: null } as const;
    await writeCalibration(store, (await readProvenance(store))!, scoring, calibration);
    const { body } = await ask('POST', '/v2/rerank', { query, documents: byId });
    const { documents: wanted } = await ranked(store);
    expect(body.calibrated).toBe(true);
    expect(body.results.map((own: Result) => own.relevance_score)).toEqual(wanted.map((own) => own.relevanceScore));
    expect(body.results[0].relevance_score).toBe(relevanceOf(calibration, body.results[0].score));
    const mixed = await ask('POST', '/v2/rerank', { query, documents: byId, interpolate: 0.5 });
    expect(mixed.body.calibrated).toBe(false);
    const cut = await ask('POST', '/v2/rerank', { query, documents: [documents[0]!.text], max_tokens_per_doc: 8 });
    expect(cut.body.calibrated).toBe(false);
    const whole = await ask('POST', '/v2/rerank', { query, documents: [documents[0]!.text] });
    expect(whole.body.calibrated).toBe(true);
  });

  it('are answered as often as they are named, and named where they are left out', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'dkv-rerank-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const { ask, store } = await primed({}, { store: folder });
    const [a, b, c, d, e] = ids as [string, string, string, string, string];
    await store.deleteDocument(b);
    await prime(model, store, [{ id: 'gone', text: 'It is over soon.' }], { surrogates: [], ttlMs: 1 });
    const entry = (await store.entry(c))!;
    await lmdbDamager(folder).record(entry.variants.bare!, flipped);
    const record = (await store.get((await store.entry(d))!.variants.bare!))!;
    const { states } = record;
    const huge = {
      ...record,
      tokenIds: record.tokenIds.with(1, 5),
      states: { ...states, data: states.data.map(() => 3e38) },
    };
    await store.putDocument('huge', { bare: huge });
    await store.putDocument('other', { bare: { ...record, fingerprint: 'a'.repeat(64) } });
    await store.putDocument('unknown', { bare: record }, { metadata: { fields: { place: 99 } } });
    const named = [a, b, 'none', 'gone', c, 'huge', 'other', a, 'unknown', e].map((id) => ({ id }));
    const { status, headers, body } = await ask('POST', '/v1/rerank', {
      query,
      documents: named,
      filter: { place: { lt: 50 } },
    });
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body.left_out.map(({ index, code }: { index: number; code: string }) => [index, code])).toEqual([
      [1, 'DOCUMENT_MISSING'],
      [2, 'DOCUMENT_MISSING'],
      [3, 'DOCUMENT_MISSING'],
      [4, 'STORE_DAMAGED'],
      [5, 'FILTERED'],
      [6, 'FILTERED'],
      [8, 'FILTERED'],
    ]);
    expect(body.left_out[1]).toMatchObject({ id: 'none', message: expect.stringContaining('"none"') });
    expect(body.results.map(({ index }: Result) => index).sort()).toEqual([0, 7, 9]);
    const twice = body.results.filter(({ index }: Result) => index === 0 || index === 7);
    expect(twice[0].nll).toBe(twice[1].nll);
    expect(headers['x-cache']).toBe('hit=3, miss=7');
    const rest = await ask('POST', '/v1/rerank', {
      query,
      documents: [{ id: 'huge' }, { id: 'other' }, { id: a }, ' '],
    });
    expect(rest.body.left_out.map(({ code }: { code: string }) => code)).toEqual([
      'NUMBERS_NOT_FINITE',
      'STORE_MISMATCH',
      'INPUT_INVALID',
    ]);
    const prior = await ask('POST', '/v1/rerank', { query, documents: [{ id: a }], prior: true });
    expect([prior.status, prior.body.error.code]).toEqual([400, 'INPUT_INVALID']);
    const none = await ask('POST', '/v1/rerank', { query, documents: [{ id: 'none' }] });
    expect([none.status, none.body.results]).toEqual([200, []]);
  });

  it('are filtered by their fields, before they are scored', async () => {
    const { ask } = await primed();
    const cities = await ask('POST', '/v1/rerank', {
      query,
      documents: byId,
      filter: { 'shop.city': 'Rome', place: { lte: 3 } },
    });
    expect(cities.body.results.map(({ index }: Result) => index).sort()).toEqual([1, 3]);
    expect(cities.body.left_out[0]).toMatchObject({
      index: 0,
      code: 'FILTERED',
      message: expect.stringContaining('"shop.city"'),
    });
  });
});

describe('texts', () => {
  it('have the scores of the same documents by id, as the store keeps its states', async () => {
    for (const statesPrecision of ['float16', 'int8'] as const) {
      const { ask } = await primed({ statesPrecision, surrogates: ['kw5'] });
      for (const variant of ['bare', 'kw5']) {
        const mixed = ids.slice(0, 4).flatMap((id) => [{ id }, textOf.get(id)!]);
        const { body, headers } = await ask('POST', '/v1/rerank', { query, variant, documents: mixed });
        const nllOf = new Map(body.results.map(({ index, nll }: Result) => [index, nll]));
        for (let at = 0; at < 8; at += 2) expect(nllOf.get(at)).toBeCloseTo(nllOf.get(at + 1) as number, 5);
        expect(headers['x-cache']).toBe('hit=4, miss=4');
        expect(body.usage.total_tokens).toBeGreaterThan(8);
      }
    }
  });

  it('need no store that anything was primed into, and no more than the text', async () => {
    const { ask } = await served(model);
    const texts = documents.map(({ text }) => text);
    const { body } = await ask('POST', '/v1/rerank', {
      query,
      documents: texts.map((text) => ({ text })),
      top_n: 2,
      return_documents: true,
    });
    expect(body.results).toHaveLength(2);
    expect(body.results[0].document).toEqual({ text: texts[body.results[0].index] });
    const missing = await ask('POST', '/v1/rerank', { query, documents: byId });
    expect(missing.body.left_out.map(({ code }: { code: string }) => code)).toEqual(ids.map(() => 'DOCUMENT_MISSING'));
    for (const variant of ['oracle', 'column:title', 'llm:general', 'nothing-like-that']) {
      const { status, body } = await ask('POST', '/v1/rerank', { query, documents: texts, variant });
      expect([variant, status, body.error?.code]).toEqual([variant, 400, 'INPUT_INVALID']);
    }
  });

  it('of text-embeddings-inference get its list', async () => {
    const { ask } = await primed();
    const texts = ids.map((id) => textOf.get(id)!);
    const { body: ours } = await ask('POST', '/v1/rerank', { query, documents: texts });
    const { status, body, headers } = await ask('POST', '/rerank', {
      query,
      texts,
      truncate: true,
      truncation_direction: 'Right',
    });
    expect(status).toBe(200);
    expect(body).toEqual(ours.results.map(({ index, relevance_score }: Result) => ({ index, score: relevance_score })));
    expect(headers['x-decision-id']).toMatch(/^[\da-f-]{36}$/);
    const raw = await ask('POST', '/rerank', { query, texts, raw_scores: true, return_text: true });
    expect(raw.body[0]).toEqual({
      index: ours.results[0].index,
      score: ours.results[0].score,
      text: texts[ours.results[0].index],
    });
    const { ask: ofShort } = await served(model, { settings: { limits: { max_tokens: 16 } } });
    const long = 'a lamp and a chair '.repeat(10);
    expect(await ofShort('POST', '/rerank', { query, texts: [long] })).toMatchObject({ status: 200 });
    for (const more of [{ truncate: false }, { truncation_direction: 'left' }]) {
      const refused = await ofShort('POST', '/rerank', { query, texts: ['short', long], ...more });
      expect(refused).toMatchObject({
        status: 413,
        body: { error: { code: 'INPUT_TOO_LONG', message: expect.stringMatching(/^texts\.1: /) } },
      });
    }
    const empty = await ask('POST', '/rerank', { query, texts: ['short', ''] });
    expect(empty).toMatchObject({ status: 400, body: { error: { code: 'INPUT_INVALID' } } });
  });
});

it('answers as Cohere does, with documents where they are wanted', async () => {
  const { ask } = await primed();
  for (const [url, version] of [
    ['/v1/rerank', '1'],
    ['/v2/rerank', '2'],
  ] as const) {
    const { body, headers } = await ask('POST', url, {
      ...{ model: 'directed-kvcache', query, documents: [...byId, 'a text'], top_n: 3, return_documents: true },
      ...{ rank_fields: ['text'], max_chunks_per_doc: 10, max_tokens_per_doc: 4096, priority: 0 },
    });
    expect(body.results).toHaveLength(3);
    const [{ index, document }] = body.results;
    expect(document).toEqual(
      index < ids.length ? { id: ids[index], text: textOf.get(ids[index]!) } : { text: 'a text' },
    );
    expect(body.meta).toEqual({ api_version: { version }, billed_units: { search_units: 1 } });
    expect(body.id).toBe(body.decision_id);
    expect(headers['x-decision-id']).toBe(body.id);
    expect(Number(headers['x-inference-time-ms'])).toBeGreaterThan(0);
    expect(headers['x-queue-time-ms']).toMatch(/^\d+\.\d$/);
  }
});

it('refuses what makes no sense, by name', async () => {
  const { ask } = await primed({}, { settings: { limits: { documents: 20 } } });
  const texts = ['one', 'two'];
  const cases: readonly [object, RegExp][] = [
    [{ query }, /documents/],
    [{ query, documents: [] }, /documents: expected at least 1/],
    [{ query, documents: texts, texts }, /texts/],
    [{ query: ' ', documents: texts }, /query is empty/],
    [{ query, documents: texts, colour: 1 }, /unknown field "colour"/],
    [{ query, documents: [{ id: 'a', text: 'b' }] }, /documents\.0/],
    [{ query, documents: Array(21).fill('x') }, /21 documents; this server takes 20/],
    [{ query, texts: Array(21).fill('x') }, /21 texts; this server takes 20/],
    [{ query, documents: texts, interpolate: 0.5 }, /first_stage_score of every document, and documents\.0/],
    [{ query, documents: texts, prior: true }, /documents\.0 is a text/],
    [{ query, documents: texts, filter: { a: 1 } }, /documents\.0 is a text/],
    [{ query, documents: byId, filter: { a: {} } }, /filter on "a" is empty/],
    [{ query, documents: byId, filter: { a: { near: 1 } } }, /filter/],
    [{ query, documents: texts, fallback: 'first_stage' }, /first_stage needs/],
    [{ query, documents: [...byId, 'x'], fallback: 'prior' }, /documents\.8 is a text/],
    [{ query, documents: byId, fallback: 'bm25' }, /deadline\.bm25/],
    [{ query, documents: [...byId, 'x'], fallback: 'bm25' }, /texts alone/],
    [{ query, documents: texts, answer: 'yes' }, /answer/],
    [{ query, documents: texts, objective: 'answer-likelihood' }, /answer/],
    [{ query, documents: texts, objective: 'relevance' }, /relevant/],
    [{ query, documents: texts, rank_fields: ['title'] }, /rank_fields/],
    [{ query, documents: texts, generation: '2026' }, /has none/],
    [{ query, documents: ['\ud800'] }, /surrogate pair/],
  ];
  for (const [body, message] of cases) {
    const { status, body: got } = await ask('POST', '/v1/rerank', body);
    expect([JSON.stringify(body).slice(0, 120), status, got.error?.code]).toEqual([
      JSON.stringify(body).slice(0, 120),
      400,
      'INPUT_INVALID',
    ]);
    expect(got.error.message).toMatch(message);
  }
  const other = await ask('POST', '/v1/rerank', { query, documents: texts, model: 'rerank-v3.5' });
  expect([other.status, other.body.error.code]).toEqual([404, 'MODEL_UNKNOWN']);
});

describe('a deadline that passes', () => {
  /** Bulk work before which a bulk request waits for longer than any deadline here. */
  async function busy(work: () => Promise<void>): Promise<void> {
    const text = 'the green lamp costs 24 euros and gives warm light '.repeat(90);
    const { tokenizer, engine } = model;
    const tokenIds = tokenizer.encode(text);
    const ended = new AbortController();
    const long = engine.encode(
      Array.from({ length: 200 }, () => ({ tokenIds })),
      { priority: 'bulk', signal: ended.signal },
    );
    try {
      await work();
    } finally {
      ended.abort();
      await long.catch(() => undefined);
    }
  }

  it('is answered by the fallback that is wanted, or with 504', async () => {
    const { ask, parts, store } = await primed({ priorQueries: PRIORS }, { settings: { deadline: { bm25: true } } });
    await parts.indexes!.make(parts.shelf.current, '');
    const priors = await Promise.all(
      ids.map(async (id) => (await store.entry(id))!.metadata.priors as { bare: number }),
    );
    await store.deleteDocument(ids[7]!);
    const late = { query, documents: byId, deadline_ms: 60, priority: 1 };
    await busy(async () => {
      for (const deadlineMs of [60, 1e-6]) {
        const [first, prior, bm25, texts, filtered, none, noneOfTexts, tei] = await Promise.all([
          ask('POST', '/v1/rerank', { ...late, deadline_ms: deadlineMs }),
          ask('POST', '/v1/rerank', { ...late, deadline_ms: deadlineMs, fallback: 'prior' }),
          ask('POST', '/v1/rerank', { ...late, deadline_ms: deadlineMs, fallback: 'bm25' }),
          ask('POST', '/v1/rerank', {
            ...late,
            deadline_ms: deadlineMs,
            fallback: 'bm25',
            documents: ids.map((id) => textOf.get(id)!),
          }),
          ask('POST', '/v1/rerank', { ...late, deadline_ms: deadlineMs, filter: { place: { gte: 5 } } }),
          ask('POST', '/v1/rerank', { ...late, deadline_ms: deadlineMs, fallback: 'none' }),
          ask('POST', '/v1/rerank', { ...late, deadline_ms: deadlineMs, documents: ['one', 'two'] }),
          ask('POST', '/v1/rerank', {
            ...late,
            deadline_ms: deadlineMs,
            documents: [{ id: 'none' }],
            fallback: 'prior',
          }),
        ]);
        const orderOf = ({ body }: { body: { results: readonly Result[] } }) => body.results.map(({ index }) => index);
        expect(first).toMatchObject({
          status: 200,
          body: { degraded: true, reason: 'DEADLINE_PASSED', ordered_by: 'first_stage', calibrated: false },
        });
        expect(orderOf(first!)).toEqual([0, 1, 2, 3, 4, 5, 6]);
        expect(first!.body.results.map((own: Result) => own.score)).toEqual(
          [0, -1, -2, -3, -4, -5, -6].map((own) => own + 0),
        );
        expect(first!.body.results[0]).toMatchObject({ relevance_score: 1, nll: null });
        expect(first!.body.results.at(-1).relevance_score).toBe(0);
        expect(first!.body.left_out).toMatchObject([{ index: 7, code: 'DOCUMENT_MISSING' }]);
        const byPrior = [0, 1, 2, 3, 4, 5, 6].sort((a, b) => priors[a]!.bare - priors[b]!.bare);
        expect([prior!.body.ordered_by, orderOf(prior!)]).toEqual(['prior', byPrior]);
        expect([bm25!.body.ordered_by, bm25!.body.results.length, bm25!.body.left_out[0].index]).toEqual([
          'bm25',
          7,
          7,
        ]);
        expect([texts!.body.ordered_by, texts!.body.results.length]).toEqual(['bm25', 8]);
        expect(orderOf(filtered!)).toEqual([5, 6]);
        for (const refused of [none, noneOfTexts])
          expect(refused).toMatchObject({ status: 504, body: { error: { code: 'DEADLINE_PASSED' } } });
        expect(tei).toMatchObject({ status: 200, body: { results: [], left_out: [{ code: 'DOCUMENT_MISSING' }] } });
      }
    });
  });

  it('leaves the scores that are there beside the order of the fallback', async () => {
    const small = await loadModel(undefined, { batchMs: 1e-6 });
    onTestFinished(() => small.close());
    const score = small.engine.score.bind(small.engine);
    // Each candidate makes a batch of its own; when the second is answered the time is over.
    small.engine.score = (items, options) =>
      score(items, {
        ...options,
        onProgress: (done, total) => {
          const since = performance.now();
          if (done === 2 && options?.deadlineMs) while (performance.now() - since < options.deadlineMs + 5);
          options?.onProgress?.(done, total);
        },
      });
    const { ask, store } = await served(small);
    await prime(small, store, documents, { surrogates: [] });
    const { body } = await ask('POST', '/v1/rerank', { query, documents: byId, deadline_ms: 300 });
    expect(body).toMatchObject({ degraded: true, reason: 'DEADLINE_PASSED', ordered_by: 'first_stage', left_out: [] });
    expect(body.results.map(({ index }: Result) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    const { documents: wanted } = await ranked(store);
    const there = (body.results as Result[]).filter(({ nll }) => nll !== null);
    expect([there.length > 0, there.length < 8]).toEqual([true, true]);
    for (const { index, nll } of there) expect(nll).toBeCloseTo(wanted.find(({ id }) => id === ids[index])!.nll!, 5);
  });

  it('is told like a broken engine, and anything else is the request’s error', async () => {
    const broken = countingModel(model);
    let failure = new DkvError('ENGINE_FAILED', 'It broke.');
    broken.engine.score = () => Promise.reject(failure);
    const { ask, store } = await served(broken);
    await prime(broken, store, documents, { surrogates: [] });
    const { status, body } = await ask('POST', '/v1/rerank', { query, documents: byId });
    expect(status).toBe(200);
    expect(body).toMatchObject({ degraded: true, reason: 'ENGINE_FAILED' });
    const bare = await ask('POST', '/v1/rerank', { query, documents: ids.map((id) => ({ id })) });
    expect([bare.status, bare.body.error.code]).toEqual([500, 'ENGINE_FAILED']);
    failure = new DkvError('ENGINE_BUSY', 'It is full.');
    const { status: busy, headers } = await ask('POST', '/v1/rerank', { query, documents: byId });
    expect([busy, headers['retry-after']]).toEqual([429, '1']);
  });
});
