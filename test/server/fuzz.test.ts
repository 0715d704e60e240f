/** Hostile requests by the thousand: each is answered by what it asked for or by a code of the one table, and nothing stays behind. */
import v8 from 'node:v8';
import vm from 'node:vm';
import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ERROR_CODES, type ErrorCode } from '../../src/base/errors.js';
import { Random } from '../../src/base/random.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { prime } from '../../src/serving/prime.js';
import { HostileRequests, type Paths } from '../support/hostile-requests.js';
import { served } from '../support/server.js';

const COUNT = Number(process.env.DKV_HOSTILE ?? 800);
/** Kept from one look at memory to the next: what one request may leave for good, times the number of requests, is far more. */
const MAY_GROW_BYTES = 24e6;

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc') as () => void;

function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** What the server may answer to anything: success, the client's own fault, and that the client's own deadline has passed. */
function isExpected(status: number, payload: Buffer): boolean {
  return status < 300 || (status >= 400 && status < 500) || (status === 504 && payload.includes('"deadline_ms"'));
}

it(`answers ${COUNT} hostile requests by the table of errors, and keeps nothing of them`, async () => {
  const { app, store } = await served(model, {
    settings: {
      limits: { body_bytes: 300_000, documents: 20, max_tokens: 64, generated_tokens: 4 },
      deadline: { ms: 20_000 },
    },
  });
  await prime(model, store, [
    { id: 'lamp', text: 'The green lamp costs 24 euros.' },
    { id: 'chair', text: 'The oak chair costs 80 euros.' },
  ]);
  await app.ready();
  const requests = new HostileRequests(app.swagger() as Paths, new Random('hostile', 1));
  const byStatus = new Map<number, number>();
  const wrong: unknown[] = [];
  let before = 0;
  for (let sent = 0; sent < COUNT; sent++) {
    if (sent === Math.floor(COUNT / 2)) before = heapBytes();
    const request = requests.next();
    const answer = await app.inject({
      method: request.method as NonNullable<InjectOptions['method']>,
      url: request.url,
      headers: request.headers,
      payload: request.payload,
    });
    const { statusCode: status, body, headers } = answer;
    byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
    const isError = status >= 400;
    const code =
      isError && request.method !== 'HEAD'
        ? (JSON.parse(body) as { error: { code: string; message: string } }).error
        : undefined;
    const isCoded = !isError || request.method === 'HEAD' || ERROR_CODES[code!.code as ErrorCode]?.status === status;
    const isQuiet =
      !/\n\s+at |node_modules|\/src\/server\//.test(body) || String(headers['content-type']).startsWith('text/html');
    if (!isExpected(status, request.payload) || !isCoded || !isQuiet) {
      wrong.push({
        ...request,
        payload: request.payload.toString('latin1').slice(0, 300),
        status,
        body: body.slice(0, 300),
      });
    }
  }
  expect(wrong.slice(0, 5)).toEqual([]);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  // Both are there: what was understood, and what was refused.
  expect([...byStatus.keys()].filter((status) => status < 300).length).toBeGreaterThan(0);
  expect([...byStatus.keys()].filter((status) => status >= 400).length).toBeGreaterThan(2);
  expect(heapBytes() - before).toBeLessThan(MAY_GROW_BYTES);
  // It still answers, and rightly.
  const { statusCode } = await app.inject({
    method: 'POST',
    url: '/v1/score',
    payload: { items: [{ document_id: 'lamp', target: 'euros' }] },
  });
  expect(statusCode).toBe(200);
});
