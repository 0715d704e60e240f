/** What an attack on the server has found, one test each. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { prime } from '../../src/serving/prime.js';
import { served } from '../support/server.js';

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

const DOCUMENTS = [
  { id: 'lamp', text: 'The green lamp costs 24 euros.' },
  { id: 'chair', text: 'The oak chair costs 80 euros.' },
];

it('lets no request have the decoder read more than the server allows, by whichever way', async () => {
  const { ask, store } = await served(model, { settings: { limits: { decoder_tokens: 100 } } });
  await prime(model, store, DOCUMENTS);
  const long = 'lamp '.repeat(200);
  const scored = await ask('POST', '/v1/score', {
    items: [
      { document_id: 'lamp', target: long },
      { document_id: 'lamp', target: 'lamp' },
    ],
  });
  expect(scored.body.items[0].error.code).toBe('INPUT_TOO_LONG');
  expect(scored.body.items[1].nll).toBeGreaterThan(0);
  const ranked = await ask('POST', '/v1/rerank', { query: long, documents: [{ id: 'lamp' }, 'A text.'] });
  expect(ranked.body.left_out.map(({ code }: { code: string }) => code)).toEqual(['INPUT_TOO_LONG', 'INPUT_TOO_LONG']);
  expect(await ask('POST', '/v1/completions', { document_id: 'lamp', prompt: long, max_tokens: 2 })).toMatchObject({
    status: 413,
    body: { error: { code: 'INPUT_TOO_LONG' } },
  });
  // What nobody would cut into tokens is refused by its length.
  expect(
    await ask('POST', '/v1/score', { items: [{ document_id: 'lamp', target: 'x'.repeat(50_001) }] }),
  ).toMatchObject({ status: 400 });
});

it('charges no pairs for requests that it refuses', async () => {
  const { ask, store } = await served(model, { settings: { limits: { pairs_per_minute: 5, documents: 3 } } });
  await prime(model, store, DOCUMENTS);
  const four = { query: 'lamp', documents: ['a', 'b', 'c', 'd'] };
  for (let i = 0; i < 3; i++) expect((await ask('POST', '/v1/rerank', four)).status).toBe(400);
  expect((await ask('POST', '/v1/rerank', { query: ' ', documents: [{ id: 'lamp' }] })).status).toBe(400);
  const { status, headers } = await ask('POST', '/v1/rerank', {
    query: 'lamp',
    documents: [{ id: 'lamp' }, { id: 'chair' }],
  });
  expect([status, headers['x-ratelimit-remaining-pairs']]).toEqual([200, '3']);
});

it('looks at the deadline while it cuts texts into tokens', async () => {
  const { ask } = await served(model, { settings: { limits: { documents: 1000 } } });
  const documents = Array.from({ length: 1000 }, (_, i) => ({
    text: `${i} ${'The lamp costs 24 euros. '.repeat(20)}`,
    first_stage_score: i,
  }));
  const { status, body } = await ask('POST', '/v1/rerank', { query: 'lamp', documents, deadline_ms: 20 });
  expect(status).toBe(200);
  expect(body).toMatchObject({ degraded: true, reason: 'DEADLINE_PASSED' });
  expect(body.results[0].index).toBe(999);
});

it('says nothing of relevance where a fallback knows nothing', async () => {
  const { ask } = await served(model);
  const documents = ['a lamp', 'a chair'].map((text) => ({ text, first_stage_score: 3 }));
  const { body } = await ask('POST', '/v1/rerank', { query: 'lamp', documents, deadline_ms: 0.001 });
  expect(body.results.map((own: { relevance_score: number }) => own.relevance_score)).toEqual([0, 0]);
});

it('reads bodies of UTF-8 as they are, and no others', async () => {
  const { app } = await served(model);
  const send = async (payload: Buffer, headers: Record<string, string>) => {
    const { statusCode, body } = await app.inject({ method: 'POST', url: '/v1/score', payload, headers });
    return [statusCode, JSON.parse(body).error?.code];
  };
  const sound = Buffer.from('{"items":[{"document":"a","target":"b"}]}');
  const broken = Buffer.concat([
    Buffer.from('{"items":[{"document":"a'),
    Buffer.from([0xff, 0xfe]),
    Buffer.from('","target":"b"}]}'),
  ]);
  expect(await send(sound, { 'content-type': 'application/json; charset=utf-8' })).toEqual([200, undefined]);
  expect(await send(broken, { 'content-type': 'application/json' })).toEqual([400, 'INPUT_INVALID']);
  expect(await send(sound, { 'content-type': 'application/json; charset=utf-16' })).toEqual([415, 'MEDIA_UNSUPPORTED']);
  expect(await send(sound, { 'content-type': 'application/json', 'content-encoding': 'gzip' })).toEqual([
    415,
    'MEDIA_UNSUPPORTED',
  ]);
});

it('primes a stream whole though the queue of its engine is short', async () => {
  const slow = await loadModel(undefined, { queueItems: 8 });
  const { app } = await served(slow);
  const lines = Array.from({ length: 60 }, (_, i) =>
    JSON.stringify({ id: `d${i}`, text: `The lamp number ${i}.` }),
  ).join('\n');
  const answer = await app.inject({
    method: 'POST',
    url: '/v1/documents',
    payload: lines,
    headers: { 'content-type': 'application/x-ndjson' },
  });
  const results = answer.body
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(results.filter(({ error }) => error)).toEqual([]);
  expect(results).toHaveLength(60);
  await slow.close();
});

it('takes the title of a document once', async () => {
  const { ask } = await served(model);
  const body = { text: 'A lamp.', title: 'T', fields: { title: 'F' } };
  expect(await ask('PUT', '/v1/documents/a', body)).toMatchObject({
    status: 400,
    body: { error: { code: 'INPUT_INVALID' } },
  });
});

it('primes a document with the variants that the store has, so that it loses none', async () => {
  const { ask, store } = await served(model);
  await prime(model, store, DOCUMENTS, { surrogates: ['doc_kw'] });
  expect((await ask('PUT', '/v1/documents/lamp', { text: 'The red lamp costs 30 euros.' })).status).toBe(200);
  expect(Object.keys((await ask('GET', '/v1/documents/lamp')).body.variants).sort()).toEqual(['bare', 'doc_kw']);
  const { body } = await ask('POST', '/v1/rerank', { query: 'lamp', documents: [{ id: 'lamp' }], variant: 'dockw' });
  expect(body.left_out[0].message).toContain('What it has is bare, doc_kw.');
});
