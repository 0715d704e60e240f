/** Who may ask a server for what, and how much: keys, scopes and limits on their way through a request. */
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { openAccess } from '../../src/server/access.js';
import { createKey } from '../../src/server/key-changes.js';
import { allRoutes } from '../../src/server/routes/all.js';
import type { KeyLimits } from '../../src/wire/keys.js';
import { temporaryFolder } from '../support/fixtures.js';
import { type Served, served } from '../support/server.js';

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

const SCORE = { items: [{ document: 'The lamp costs 24 euros.', target: '24 euros' }] };
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

/** A server with a file of keys, of which there is one. */
async function guarded(limits: KeyLimits = {}, settings = {}): Promise<Served & { key: string; lines: string[] }> {
  const file = path.join(await temporaryFolder(), 'keys.json');
  const { key } = await createKey(file, { tenant: 'acme', scopes: ['read'], limits });
  const lines: string[] = [];
  const log = { write: (line: string) => void lines.push(line) };
  const server = await served(model, { callers: await openAccess(file), settings, log });
  return { ...server, key: key.reveal(), lines };
}

it('refuses whoever has no key, or a wrong one, before the body is read', async () => {
  const { ask, key, lines } = await guarded();
  const other = `${key.slice(0, -4)}0000`;
  const headers: Record<string, string>[] = [
    {},
    { authorization: key },
    { authorization: `Basic ${Buffer.from(`user:${key}`).toString('base64')}` },
    { authorization: 'Bearer' },
    bearer(other),
    { 'x-api-key': key },
  ];
  for (const own of headers) {
    for (const [method, url] of [
      ['POST', '/v1/score'],
      ['GET', '/info'],
      ['GET', '/v1/nothing'],
    ] as const) {
      const { status, body } = await ask(method, url, method === 'POST' ? { not: 'read' } : undefined, own);
      expect([status, body.error.code]).toEqual([401, 'UNAUTHORIZED']);
      expect(body.error.message).not.toContain(key.slice(17));
    }
  }
  // They say nothing of what is served, and a browser sends no key.
  for (const url of ['/health', '/ready', '/docs', '/openapi.json']) expect((await ask('GET', url)).status).toBe(200);
  for (const scheme of ['Bearer', 'bearer', 'BEARER ']) {
    expect((await ask('GET', '/info', undefined, { authorization: `${scheme} ${key}` })).status).toBe(200);
  }
  expect(lines.join('')).not.toContain(key.slice(17));
  expect(lines.join('')).not.toContain(other.slice(17));
});

it('asks for a wider scope where a route changes something, and says which', async () => {
  const { ask, key, parts } = await guarded();
  const wider = allRoutes(parts).filter(({ scope }) => scope === 'write' || scope === 'admin');
  for (const { method, url, scope } of wider) {
    const { status, body } = await ask(method, url.replace(/:\w+/g, 'x'), undefined, bearer(key));
    expect([url, status, body.error.code]).toEqual([url, 403, 'FORBIDDEN']);
    expect(body.error.message).toContain(`scope ${scope}`);
  }
});

it('lets a key ask for as many pairs as its limit grants, says what is left, and when to come again', async () => {
  const { ask, key } = await guarded({ pairsPerMinute: 3 });
  const two = { items: [...SCORE.items, ...SCORE.items] };
  const first = await ask('POST', '/v1/score', two, bearer(key));
  expect(first.status).toBe(200);
  expect(first.headers).toMatchObject({
    'x-ratelimit-limit-pairs': '3',
    'x-ratelimit-remaining-pairs': '1',
    'x-ratelimit-reset-pairs': expect.stringMatching(/^\d\ds$/),
  });
  const second = await ask('POST', '/v1/score', two, bearer(key));
  expect([second.status, second.body.error.code]).toEqual([429, 'LIMIT_REACHED']);
  expect(Number(second.headers['retry-after'])).toBeGreaterThan(0);
  expect(Number(second.headers['retry-after'])).toBeLessThanOrEqual(20);
  // What asks the model for nothing is not counted.
  expect((await ask('GET', '/info', undefined, bearer(key))).status).toBe(200);
  expect((await ask('POST', '/v1/score', SCORE, bearer(key))).status).toBe(200);
});

it('charges the tokens that the model read, and refuses until a debt is paid', async () => {
  const { ask, key } = await guarded({ tokensPerMinute: 1 });
  const first = await ask('POST', '/v1/score', SCORE, bearer(key));
  expect(first.status).toBe(200);
  expect(first.headers['x-ratelimit-remaining-tokens']).toBe('0');
  const { tokenizer } = model;
  const tokens = tokenizer.encode(SCORE.items[0]!.document).length + tokenizer.encode(SCORE.items[0]!.target).length;
  const second = await ask('POST', '/v1/score', SCORE, bearer(key));
  expect([second.status, second.body.error.code]).toEqual([429, 'LIMIT_REACHED']);
  // A minute a token: at least those of the document and the target, but for the one that was there.
  expect(Number(second.headers['retry-after'])).toBeGreaterThan((tokens - 2) * 60);
});

it('takes nothing for what it cannot do', async () => {
  const { ask, parts } = await served(model, { settings: { limits: { pairs_per_minute: 5 } } });
  const refused = await ask('POST', '/v1/score', { ...SCORE, deadline_ms: 1e-9 });
  expect([refused.status, refused.body.error.code]).toEqual([504, 'DEADLINE_PASSED']);
  expect(refused.headers['x-ratelimit-remaining-pairs']).toBe('5');
  parts.standing = 'closing';
  expect(await ask('POST', '/v1/score', SCORE)).toMatchObject({
    status: 503,
    body: { error: { code: 'SERVER_CLOSING' } },
  });
});

it('counts the pairs of every route that asks the model', async () => {
  const { parts } = await served(model);
  const uncounted = allRoutes(parts).filter(({ tag, pairs }) => tag === 'inference' && !pairs);
  expect(uncounted.map(({ url }) => url)).toEqual([]);
});
