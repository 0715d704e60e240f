/** Documents over HTTP: put, read, deleted, and streamed as JSON lines. */
import { mkdtemp, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { prime } from '../../src/serving/prime.js';
import { score } from '../../src/serving/score.js';
import { openStore } from '../../src/store/open.js';
import { type Served, served } from '../support/server.js';

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dkv-documents-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const LAMP = 'The green lamp costs 24 euros and gives warm light.';
const CHAIR = 'The oak chair costs 80 euros.';

it('primes a document, gives it back, and scores it as the library does', async () => {
  const { ask, store } = await served(model, { settings: { priming: { surrogates: ['lead'] } } });
  const put = await ask('PUT', '/v1/documents/lamp', {
    text: LAMP,
    title: 'Lamp',
    fields: { url: 'https://a.example', deep: { a: [1, null] } },
    source_version: 3,
    valid_until: '2099-01-01T00:00:00+01:00',
  });
  expect(put).toMatchObject({ status: 200, body: { id: 'lamp', status: 'primed' } });
  const { status, body } = await ask('GET', '/v1/documents/lamp');
  expect(status).toBe(200);
  const entry = (await store.entry('lamp'))!;
  expect(body).toMatchObject({
    id: 'lamp',
    fields: { title: 'Lamp', url: 'https://a.example', deep: { a: [1, null] } },
    source_version: 3,
    valid_until: '2098-12-31T23:00:00.000Z',
    text: LAMP,
    primed: { model: model.name, states_precision: 'float32', max_tokens: 2048 },
  });
  expect(Object.keys(body.variants)).toEqual(['bare', 'lead']);
  expect(body.variants.bare).toEqual({
    key: entry.variants.bare,
    rows: (await store.get(entry.variants.bare!))!.states.rows,
    precision: 'float32',
  });
  const item = { target: '24 euros', variant: 'lead' };
  const scored = await ask('POST', '/v1/score', { items: [{ document_id: 'lamp', ...item }] });
  const [own] = await score(model, store, [{ id: 'lamp', ...item }]);
  expect(scored.body.items[0].nll).toBeCloseTo((own as { nll: number }).nll, 5);
});

it('takes a document in place of an older version only', async () => {
  const { ask } = await served(model);
  const put = async (content: object) => {
    const { status, body } = await ask('PUT', '/v1/documents/lamp', content);
    return status === 200 ? body.status : `${status} ${body.error.code}`;
  };
  const outdated = '409 VERSION_OUTDATED';
  expect(await put({ text: LAMP, source_version: 5 })).toBe('primed');
  expect(await put({ text: LAMP, source_version: 5 })).toBe('unchanged');
  expect(await put({ text: CHAIR, source_version: 5 })).toBe(outdated);
  expect(await put({ text: LAMP, title: 'Lamp', source_version: 5 })).toBe(outdated);
  expect(await put({ text: LAMP, valid_until: '2099-01-01T00:00:00Z', source_version: 5 })).toBe(outdated);
  expect(await put({ text: CHAIR, source_version: 4 })).toBe(outdated);
  expect(await put({ text: LAMP, source_version: 6 })).toBe('primed');
  // Without a version the same content keeps it, and other content comes in whatever is there.
  expect(await put({ text: LAMP })).toBe('unchanged');
  expect(await put({ text: CHAIR, source_version: 5 })).toBe(outdated);
  expect(await put({ text: CHAIR })).toBe('primed');
  expect((await ask('GET', '/v1/documents/lamp')).body.source_version).toBeNull();
  expect(await put({ text: LAMP, source_version: 0 })).toBe('primed');
  const remove = async (query: string) => {
    const { status, body } = await ask('DELETE', `/v1/documents/lamp${query}`);
    return status === 200 ? body.status : `${status} ${body.error.code}`;
  };
  expect(await put({ text: LAMP, source_version: 9 })).toBe('primed');
  expect(await remove('?source_version=8')).toBe(outdated);
  expect(await remove('?source_version=x')).toBe('400 INPUT_INVALID');
  expect((await ask('GET', '/v1/documents/lamp')).status).toBe(200);
  expect(await remove('?source_version=9&reason=sold')).toBe('deleted');
  expect(await remove('')).toBe('absent');
  expect(await ask('GET', '/v1/documents/lamp')).toMatchObject({
    status: 404,
    body: { error: { code: 'DOCUMENT_MISSING' } },
  });
});

it('keeps the latest of versions that come together, in whatever order', async () => {
  const { ask } = await served(model);
  const versions = [3, 9, 1, 7, 2, 8, 4];
  const answers = await Promise.all(
    versions.map((version) =>
      ask('PUT', '/v1/documents/lamp', { text: `${LAMP} Version ${version}.`, source_version: version }),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 409, 409, 409, 409, 409]);
  expect((await ask('GET', '/v1/documents/lamp')).body).toMatchObject({
    source_version: 9,
    text: `${LAMP} Version 9.`,
  });
});

it('takes any id that an address can hold', async () => {
  const { ask, store } = await served(model);
  const ids = [
    'a/b',
    '../b',
    '%2F',
    'a b?c#d&e=f',
    'Grün 🌿',
    'x'.repeat(1024),
    '🌿'.repeat(512),
    '__proto__',
    "'\\\n",
  ];
  for (const id of ids) {
    const url = `/v1/documents/${encodeURIComponent(id)}`;
    expect((await ask('PUT', url, { text: LAMP })).body).toEqual({ id, status: 'primed' });
    expect((await ask('GET', url)).body.id).toBe(id);
    expect(await store.entry(id)).toBeDefined();
    expect((await ask('DELETE', url)).body).toEqual({ id, status: 'deleted' });
  }
  for (const id of ['x'.repeat(1025), 'a\0b']) {
    const { status, body } = await ask('PUT', `/v1/documents/${encodeURIComponent(id)}`, { text: LAMP });
    expect([status, body.error.code]).toEqual([400, 'INPUT_INVALID']);
  }
});

it('refuses what no document can be, and says why', async () => {
  const { ask } = await served(model);
  let deep: unknown = 1;
  for (let level = 0; level < 50; level++) deep = [deep];
  const cases: readonly [unknown, RegExp][] = [
    [{ text: ' ' }, /text: expected text/],
    [{}, /text: expected text, found nothing/],
    [{ text: LAMP, source_version: -1 }, /source_version: expected at least 0/],
    [{ text: LAMP, source_version: 1.5 }, /source_version: expected a whole number/],
    [{ text: LAMP, source_version: 2 ** 53 }, /source_version/],
    [{ text: LAMP, valid_until: '2020-01-01T00:00:00Z' }, /valid_until: expected a time to come/],
    [{ text: LAMP, valid_until: 'tomorrow' }, /valid_until: expected a date and time of ISO 8601/],
    [{ text: LAMP, fields: { deep } }, /fields: expected an object of at most 32 levels/],
    [{ text: LAMP, fields: [] }, /fields/],
    [{ text: LAMP, colour: 1 }, /unknown field "colour"/],
  ];
  for (const [content, message] of cases) {
    const { status, body } = await ask('PUT', '/v1/documents/lamp', content);
    expect([status, body.error?.code, body.error?.message]).toEqual([
      400,
      'INPUT_INVALID',
      expect.stringMatching(message),
    ]);
  }
});

it('primes as the store was primed, and refuses a store of another model before any work', async () => {
  const folder = await emptyFolder();
  const before = await openStore(folder);
  await prime(model, before, [{ id: 'old', text: CHAIR }], {
    statesPrecision: 'float16',
    visibility: 'full',
    maxTokens: 100,
  });
  await before.close();
  const { ask, store } = await served(model, {
    store: folder,
    settings: { priming: { states_precision: 'float32', visibility: 'exact' } },
  });
  expect((await ask('PUT', '/v1/documents/lamp', { text: LAMP })).status).toBe(200);
  expect((await ask('GET', '/v1/documents/lamp')).body).toMatchObject({
    variants: { bare: { precision: 'float16' } },
    primed: { states_precision: 'float16', visibility: 'full', max_tokens: 100 },
  });
  const note = (await store.note('primed'))!;
  await store.putNote('primed', { ...note, fingerprint: 'f'.repeat(64) });
  for (const [method, url, body] of [
    ['PUT', '/v1/documents/other', { text: LAMP }],
    ['POST', '/v1/documents', undefined],
  ] as const) {
    const answer = await ask(method, url, body, body ? {} : { 'content-type': 'application/jsonl' });
    expect([answer.status, answer.body.error.code]).toEqual([409, 'STORE_MISMATCH']);
  }
});

async function post(app: Served['app'], payload: string | Buffer, type = 'application/x-ndjson') {
  const answer = await app.inject({ method: 'POST', url: '/v1/documents', payload, headers: { 'content-type': type } });
  const isLines = String(answer.headers['content-type']).startsWith('application/x-ndjson');
  return {
    status: answer.statusCode,
    lines: isLines
      ? answer.body
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line))
      : [],
    body: isLines ? undefined : answer.json(),
  };
}

it('answers each line of a stream in order, and one that is wrong stops no other', async () => {
  const { app, ask } = await served(model, { settings: { limits: { body_bytes: 300 } } });
  const lines = [
    JSON.stringify({ id: 'lamp', text: LAMP, source_version: 2 }),
    '',
    '{"id": "broken"',
    JSON.stringify({ id: 'long', text: 'x'.repeat(300) }),
    JSON.stringify({ id: 'empty', text: '' }),
    JSON.stringify({ id: 'lamp', text: CHAIR, source_version: 1 }),
    '{"id":"proto","text":"x","__proto__":{"a":1}}',
    '{"id":"proto","text":"x","fields":{"__proto__":{"a":1}}}',
    `${JSON.stringify({ id: 'chair', text: CHAIR })}\r`,
    '[1]',
    JSON.stringify({ id: 'chair', text: CHAIR }),
  ].join('\n');
  const { status, lines: results } = await post(
    app,
    Buffer.concat([Buffer.from(`${lines}\n`), Buffer.from('{"id":"\xff"}', 'latin1')]),
  );
  expect(status).toBe(200);
  expect(results.map((one) => [one.line, one.id, one.status ?? one.error.code])).toEqual([
    [1, 'lamp', 'primed'],
    [3, undefined, 'INPUT_INVALID'],
    [4, undefined, 'BODY_TOO_LARGE'],
    [5, 'empty', 'INPUT_INVALID'],
    [6, 'lamp', 'VERSION_OUTDATED'],
    [7, 'proto', 'INPUT_INVALID'],
    [8, 'proto', 'INPUT_INVALID'],
    [9, 'chair', 'primed'],
    [10, undefined, 'INPUT_INVALID'],
    [11, 'chair', 'unchanged'],
    [12, undefined, 'INPUT_INVALID'],
  ]);
  expect((await ask('GET', '/v1/documents/proto')).status).toBe(404);
  expect((await post(app, JSON.stringify({ id: 'a', text: LAMP }), 'application/jsonl')).lines).toHaveLength(1);
  expect(await post(app, '{}', 'application/json')).toMatchObject({ status: 415 });
  expect(await ask('PUT', '/v1/documents/lamp', {}, { 'content-type': 'application/x-ndjson' })).toMatchObject({
    status: 415,
  });
});

/** Begins a stream of documents at a listening server. */
async function streaming({ app }: Served) {
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const sending = request({
    port,
    host: '127.0.0.1',
    method: 'POST',
    path: '/v1/documents',
    headers: { 'content-type': 'application/x-ndjson' },
  });
  sending.on('error', () => undefined);
  const answered = new Promise<IncomingMessage>((resolve) => sending.once('response', resolve));
  return { sending, answered };
}

it('gives results while lines are still coming, and keeps what was primed when the client hangs up', async () => {
  const server = await served(model);
  const { sending, answered } = await streaming(server);
  sending.write(`${JSON.stringify({ id: 'first', text: LAMP })}\n`);
  const answer = await answered;
  const [chunk] = (await answer[Symbol.asyncIterator]().next()).value.toString().split('\n');
  expect(JSON.parse(chunk)).toEqual({ line: 1, id: 'first', status: 'primed' });
  sending.write(`${JSON.stringify({ id: 'second', text: CHAIR })}\n{"id": "half`);
  await expect.poll(() => server.store.entry('second')).toBeDefined();
  sending.destroy();
  expect((await server.ask('GET', '/v1/documents/second')).status).toBe(200);
});

it('takes no more lines while nobody reads the results', async () => {
  const server = await served(model);
  const { sending, answered } = await streaming(server);
  // Each result repeats the id, so that results fill what may wait.
  const line = Buffer.from(`${JSON.stringify({ id: 'i'.repeat(1024), text: '' })}\n`.repeat(1000));
  let written = 0;
  let isFull = false;
  for (let blocks = 0; blocks < 64 && !isFull; blocks++) {
    written += line.length;
    if (sending.write(line)) continue;
    isFull = await Promise.race([
      new Promise<false>((resolve) => sending.once('drain', () => resolve(false))),
      new Promise<true>((resolve) => setTimeout(() => resolve(true), 2000)),
    ]);
  }
  expect(isFull).toBe(true);
  sending.end();
  let results = 0;
  for await (const chunk of await answered) results += chunk.toString().split('\n').length - 1;
  expect(results).toBe(written / (line.length / 1000));
});

it('primes documents that come together in few batches', async () => {
  const { ask, parts } = await served(model);
  let encodes = 0;
  const { engine } = parts.shelf.current.model;
  const encode = engine.encode.bind(engine);
  engine.encode = (items, options) => {
    encodes++;
    return encode(items, options);
  };
  try {
    const ids = Array.from({ length: 64 }, (_, at) => `ad ${at}`);
    const answers = await Promise.all(ids.map((id) => ask('PUT', `/v1/documents/${id}`, { text: `${LAMP} ${id}` })));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(encodes).toBeLessThan(8);
  } finally {
    engine.encode = encode;
  }
});
