/** The client against the server itself. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DkvApiError, DkvClient } from '../../src/client/index.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { served } from '../support/server.js';

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

it('puts, reads, ranks, scores and deletes', async () => {
  const { app, ask } = await served(model);
  const baseUrl = await app.listen({ host: '127.0.0.1', port: 0 });
  const dkv = new DkvClient({ baseUrl });
  expect(await dkv.ready()).toEqual({ status: 'ready' });
  expect((await dkv.info()).model).toMatchObject({ name: model.name, fingerprint: model.fingerprint });
  expect(await dkv.documents.put('a/lamp', { text: 'The green lamp costs 24 euros.', fields: { price: 24 } })).toEqual({
    id: 'a/lamp',
    status: 'primed',
  });
  const many = Array.from({ length: 300 }, (_, at) => ({
    id: `d${at}`,
    text: at === 7 ? ' ' : `Chair number ${at % 3}.`,
  }));
  const results = [];
  for await (const result of dkv.documents.putMany(many)) results.push(result);
  expect(results.map(({ line }) => line)).toEqual(many.map((_, at) => at + 1));
  for (const [at, result] of results.entries()) {
    if (at === 7) expect(result).toMatchObject({ id: 'd7', error: { code: 'INPUT_INVALID' } });
    else expect(result).toEqual({ line: at + 1, id: `d${at}`, status: 'primed' });
  }
  expect(await dkv.documents.get('a/lamp')).toMatchObject({ id: 'a/lamp', fields: { price: 24 } });
  const body = { query: 'a lamp', documents: [{ id: 'd1' }, { id: 'a/lamp' }, 'Another lamp.'], top_n: 2 };
  const { results: ranked, decision_id } = await dkv.rerank(body);
  expect(decision_id).toMatch(/./);
  expect(ranked).toEqual((await ask('POST', '/v1/rerank', body)).body.results);
  const { items } = await dkv.score({
    items: [
      { document_id: 'a/lamp', target: '24 euros' },
      { document_id: 'none', target: 'x' },
    ],
  });
  expect(items[0]).toMatchObject({ num_tokens: expect.any(Number), cache: { hit: true } });
  expect(items[1]).toMatchObject({ error: { code: 'DOCUMENT_MISSING' } });
  const written = { document_id: 'a/lamp', prompt: 'The lamp costs', max_tokens: 6, temperature: 0 };
  const { choices, usage } = await dkv.complete(written);
  const parts = [];
  for await (const part of dkv.completeInParts({ ...written, stream_options: { include_usage: true } }))
    parts.push(part);
  expect(parts.map((part) => part.choices[0]?.text ?? '').join('')).toBe(choices[0]!.text);
  expect(parts.at(-1)!.usage).toEqual(usage);
  await expect(dkv.completeInParts({ ...written, document_id: 'none' }).next()).rejects.toMatchObject({ status: 404 });
  expect(await dkv.documents.delete('a/lamp', { reason: 'sold' })).toEqual({ id: 'a/lamp', status: 'deleted' });
  const gone = await dkv.documents.get('a/lamp').catch((error: unknown) => error);
  expect(gone).toBeInstanceOf(DkvApiError);
  expect(gone).toMatchObject({ code: 'DOCUMENT_MISSING', status: 404, retryAfter: undefined });
});
