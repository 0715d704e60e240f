/** The way of a request through the server: forms, errors, headers, and what every route has in common. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { scoreTexts } from '../../src/scoring/inputs.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { prime } from '../../src/serving/prime.js';
import { score } from '../../src/serving/score.js';
import { served } from '../support/server.js';

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

const DOCUMENTS = [
  { id: 'lamp', text: 'The green lamp costs 24 euros and gives warm light.' },
  { id: 'chair', text: 'The oak chair costs 80 euros.' },
];

it('scores stored documents and texts with the numbers of the library', async () => {
  const { ask, store } = await served(model);
  await prime(model, store, DOCUMENTS);
  const { status, headers, body } = await ask('POST', '/v1/score', {
    items: [
      { id: 'a', document_id: 'lamp', target: '24 euros' },
      { document: DOCUMENTS[1]!.text, query: 'price', target: '80 euros' },
      { id: 'c', document_id: 'none', target: '24 euros' },
    ],
  });
  expect(status).toBe(200);
  const [stored] = await score(model, store, [{ id: 'lamp', target: '24 euros' }]);
  const [text] = await scoreTexts(model, [{ document: DOCUMENTS[1]!.text, query: 'price', target: '80 euros' }], {
    maxTokens: 2048,
  });
  if (!stored || !text || 'code' in stored || 'code' in text) throw new Error('no score');
  expect(body.items[0]).toMatchObject({
    id: 'a',
    cache: { hit: true, key: stored.key },
    num_tokens: stored.tokenNlls.length,
  });
  expect(body.items[0].nll).toBeCloseTo(stored.nll, 5);
  expect(body.items[1]).toMatchObject({ cache: { hit: false, key: null } });
  expect(body.items[1].nll).toBeCloseTo(text.nll, 5);
  expect(body.items[2]).toMatchObject({ id: 'c', error: { code: 'DOCUMENT_MISSING' } });
  expect(headers['x-cache']).toBe('hit=1, miss=2');
  expect(Number(headers['x-inference-time-ms'])).toBeGreaterThan(0);
});

it('says of bad requests what was found and what was expected, by the one table of errors', async () => {
  const { ask, app } = await served(model, { settings: { limits: { body_bytes: 1000, documents: 2 } } });
  const item = { document: 'x', target: 'y' };
  const cases: readonly [unknown, number, string, RegExp][] = [
    [{ items: [] }, 400, 'INPUT_INVALID', /items: expected at least/],
    [{ items: [{ target: 'y' }] }, 400, 'INPUT_INVALID', /items\.0: expected exactly one of document and document_id/],
    [{ items: [{ ...item, colour: 1 }] }, 400, 'INPUT_INVALID', /unknown field "colour"/],
    [{ items: [item, item, item] }, 400, 'INPUT_INVALID', /3 items; this server takes 2/],
    [{ items: [item], model: 'gpt' }, 404, 'MODEL_UNKNOWN', /this server serves/],
    [{ items: [{ ...item, document: 'x'.repeat(2000) }] }, 413, 'BODY_TOO_LARGE', /./],
    [{ items: [item], generation: '2026' }, 400, 'INPUT_INVALID', /has none/],
  ];
  for (const [body, status, code, message] of cases) {
    const answer = await ask('POST', '/v1/score', body);
    expect([answer.status, answer.body.error?.code]).toEqual([status, code]);
    expect(answer.body.error.message).toMatch(message);
  }
  const asText = await app.inject({
    method: 'POST',
    url: '/v1/score',
    payload: 'x',
    headers: { 'content-type': 'text/plain' },
  });
  expect([asText.statusCode, asText.json().error.code]).toEqual([415, 'MEDIA_UNSUPPORTED']);
  const broken = await app.inject({
    method: 'POST',
    url: '/v1/score',
    payload: '{"a":',
    headers: { 'content-type': 'application/json' },
  });
  expect([broken.statusCode, broken.json().error.code]).toEqual([400, 'INPUT_INVALID']);
  const poisoned = await app.inject({
    method: 'POST',
    url: '/v1/score',
    payload: '{"__proto__":{"a":1},"items":[]}',
    headers: { 'content-type': 'application/json' },
  });
  expect([poisoned.statusCode, poisoned.json().error.code]).toEqual([400, 'INPUT_INVALID']);
  expect(await ask('GET', '/v1/nothing')).toMatchObject({ status: 404, body: { error: { code: 'NOT_FOUND' } } });
  expect(await ask('GET', '/%ff')).toMatchObject({ status: 400, body: { error: { code: 'INPUT_INVALID' } } });
});

it('says what it serves, and whether it answers', async () => {
  const { ask, parts } = await served(model);
  expect(await ask('GET', '/health')).toMatchObject({ status: 200, body: { status: 'ok' } });
  expect(await ask('GET', '/ready')).toMatchObject({ status: 200, body: { status: 'ready' } });
  const info = await ask('GET', '/info');
  expect(info.body).toMatchObject({
    model: { name: model.name, built_in: true },
    store: { primed: null, generation: null },
  });
  parts.standing = 'closing';
  expect(await ask('GET', '/ready')).toMatchObject({ status: 503, body: { status: 'closing' } });
});

it('describes its routes as OpenAPI, with the schemas that requests are parsed by', async () => {
  const { app } = await served(model);
  await app.ready();
  const document = app.swagger() as { paths: Record<string, Record<string, unknown>> };
  expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(['/health', '/v1/score']));
  expect(JSON.stringify(document.paths['/v1/score'])).toContain('"document_id"');
});

it('shows its routes on a page that needs nothing else', async () => {
  const { ask } = await served(model);
  const { headers, body } = await ask('GET', '/docs');
  expect(headers['content-type']).toMatch(/^text\/html/);
  expect(body).toContain('<code>items[].document_id</code> (optional)');
  expect(body).not.toMatch(/<script|https?:\/\//);
});

it('says nothing of a defect but that there is one, and the log says the rest', async () => {
  const lines: string[] = [];
  const { ask } = await served(model, {
    callers: () => {
      throw new TypeError('what only a programmer should read');
    },
    log: { write: (line) => lines.push(line) },
  });
  const { status, body } = await ask('GET', '/info');
  expect([status, body.error.code]).toEqual([500, 'INTERNAL']);
  expect(JSON.stringify(body)).not.toContain('programmer');
  expect(lines.join('')).toContain('what only a programmer should read');
});
