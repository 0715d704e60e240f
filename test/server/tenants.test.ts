/**
 * Tenants of one store see nothing of each other, over all routes: whatever one of them asks, the answer is the same whether the other one has documents or not, and
 * what it changes is its own.
 */
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import type { Caller } from '../../src/server/caller.js';
import { allRoutes } from '../../src/server/routes/all.js';
import { prime } from '../../src/serving/prime.js';
import { openStore } from '../../src/store/open.js';
import { temporaryFolder } from '../support/fixtures.js';
import { type Answered, type Served, served } from '../support/server.js';

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

const OWN = [
  { id: 'lamp', text: 'The green lamp costs 24 euros.' },
  { id: 'chair', text: 'The oak chair costs 80 euros.' },
];
/** One id is in both, with other texts. */
const OTHERS = [
  { id: 'lamp', text: 'A secret lamp of somebody else.' },
  { id: 'table', text: 'A secret table.' },
];
const IDS = ['lamp', 'chair', 'table', 'none'];

const scope = 'admin' as const;
const CALLERS: Readonly<Record<string, Caller>> = {
  own: { keyId: 'aaaaaaaaaaaa', tenant: 'own', tenantSalt: 'own', scope },
  other: { keyId: 'bbbbbbbbbbbb', tenant: 'other', tenantSalt: 'other', scope },
};
const as = (tenant: string) => ({ authorization: tenant });

interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

const id = fc.constantFrom(...IDS);
const text = fc.constantFrom('A new lamp.', 'The green lamp costs 24 euros.', 'A secret table.');
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const document = id.map((own) => `/v1/documents/${own}`);
const item = fc.oneof(
  fc.record({ document_id: id, target: text, variant: optional(fc.constantFrom('bare', 'doc_kw')) }),
  fc.record({ document: text, target: text }),
);

const ranked = fc.record(
  {
    query: text,
    documents: fc.array(fc.oneof(text, fc.record({ id }), fc.record({ text })), { minLength: 1, maxLength: 3 }),
    return_documents: fc.boolean(),
    prior: fc.boolean(),
  },
  { requiredKeys: ['query', 'documents'] },
);
const reranked = (url: string) => {
  const texts = fc.record({ query: text, texts: fc.array(text, { minLength: 1, maxLength: 2 }) });
  return fc.record({ url: fc.constant(url), body: fc.oneof({ arbitrary: ranked, weight: 3 }, texts) });
};

/** Requests of each route that knows tenants, by method and address. */
const REQUESTS: Readonly<Record<string, fc.Arbitrary<Omit<Request, 'method'>>>> = {
  'GET /info': fc.constant({ url: '/info' }),
  'POST /v1/score': fc.record({
    url: fc.constant('/v1/score'),
    body: fc.record({ items: fc.array(item, { minLength: 1, maxLength: 3 }) }),
  }),
  'POST /v1/rerank': reranked('/v1/rerank'),
  'POST /v2/rerank': reranked('/v2/rerank'),
  'POST /rerank': reranked('/rerank'),
  'POST /v1/completions': fc.record({
    url: fc.constant('/v1/completions'),
    body: fc.oneof(
      fc.record({ prompt: text, document_id: id, max_tokens: fc.constant(2), temperature: fc.constant(0) }),
      fc.record({ prompt: text, document: text, max_tokens: fc.constant(2), temperature: fc.constant(0) }),
    ),
  }),
  'PUT /v1/documents/:id': fc.record({
    url: document,
    body: fc.record({ text, source_version: optional(fc.nat(3)) }, { requiredKeys: ['text'] }),
  }),
  'GET /v1/documents/:id': fc.record({ url: document }),
  'DELETE /v1/documents/:id': fc.record({ url: document }),
  'POST /v1/documents': fc.record({
    url: fc.constant('/v1/documents'),
    body: fc.record({ id, text }),
    headers: fc.constant({ 'content-type': 'application/jsonl' }),
  }),
};
/** What is the same for all and asks no store, or is for whoever runs the server. */
const OF_ALL = ['GET /health', 'GET /ready', 'GET /metrics', 'GET /admin/aliases', 'POST /admin/aliases/:name'];

async function world(hasOthers: boolean): Promise<Served> {
  const folder = path.join(await temporaryFolder(), 'store');
  const fill = async (tenantSalt: string, documents: typeof OWN) => {
    const store = await openStore(folder, { tenantSalt });
    await prime(model, store, documents);
    await store.close();
  };
  await fill('own', OWN);
  if (hasOthers) await fill('other', OTHERS);
  return served(model, { store: folder, callers: (authorization) => CALLERS[authorization ?? '']! });
}

const asked = (server: Served, { method, url, body, headers }: Request, tenant: string) =>
  server.ask(method, url, body, { ...headers, ...as(tenant) });

/** What an answer says, without what differs between any two of them: ids of answers, times, and the folder of the store. */
function said({ status, body, headers }: Answered): unknown {
  const volatile = new Set(['id', 'decision_id', 'uptime_seconds', 'created']);
  const whole: Record<string, unknown> = typeof body === 'object' && body !== null ? body : { body };
  const rest = Object.entries(whole).filter(([name]) => !volatile.has(name));
  const text = JSON.stringify({ status, cache: headers['x-cache'], ...Object.fromEntries(rest) });
  return JSON.parse(text.replace(/[^" ]*dkv-test-\w+/g, ''));
}

/** Everything that a tenant can see of its documents. */
async function seen(server: Served, tenant: string): Promise<unknown> {
  const items = IDS.map((document_id) => ({ document_id, target: 'euros' }));
  return said(await asked(server, { method: 'POST', url: '/v1/score', body: { items } }, tenant));
}

it('has requests of every route', async () => {
  const { parts } = await served(model);
  const routes = allRoutes(parts).map(({ method, url }) => `${method} ${url}`);
  expect(routes.filter((route) => REQUESTS[route] === undefined && !OF_ALL.includes(route))).toEqual([]);
});

it('answers a tenant as if there were no other', async () => {
  const [alone, shared] = [await world(false), await world(true)];
  const others = await seen(shared, 'other');
  const { parts } = alone;
  const routes = allRoutes(parts).flatMap(({ method, url }) => {
    const made = REQUESTS[`${method} ${url}`];
    return made ? [made.map((rest): Request => ({ method, ...rest }))] : [];
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(...routes), { minLength: 1, maxLength: 4 }), async (requests) => {
      for (const request of requests) {
        const [first, second] = [await asked(alone, request, 'own'), await asked(shared, request, 'own')];
        expect(said(second)).toEqual(said(first));
        expect(JSON.stringify(second.body)).not.toContain('somebody else');
      }
    }),
    { numRuns: 30 },
  );
  // Nor has anything of the other's changed.
  expect(await seen(shared, 'other')).toEqual(others);
  expect(JSON.stringify(others)).toContain('"hit":true');
});
