/** What is kept of requests: metrics, lines of the log and traces. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { METRICS, metricsMarkdown } from '../../src/server/metric-table.js';
import { watchServed } from '../../src/server/served-metrics.js';
import { traceOf, traceparentOf } from '../../src/server/trace.js';
import { prime } from '../../src/serving/prime.js';
import { type Served, served } from '../support/server.js';

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

/** The values of a metric, by its labels as they are printed. */
async function valuesOf({ ask }: Served, name: string): Promise<Record<string, number>> {
  const { body } = await ask('GET', '/metrics');
  const lines = [...String(body).matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)].filter(([, own]) => own === name);
  return Object.fromEntries(lines.map(([, , labels = '', value]) => [labels, Number(value)]));
}

const SECRETS = ['the secret lamp', 'what does it cost', 'ad-secret'];

describe('metrics', () => {
  it('are those of the table, which the page for the engineer on call has (npm run formats)', async () => {
    const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/on-call.md'), 'utf8');
    expect(page).toContain(`<!-- metrics -->\n\n${metricsMarkdown()}\n\n<!-- end of metrics -->`);
    const { ask } = await served(model);
    const { headers, body } = await ask('GET', '/metrics');
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    const told = [...String(body).matchAll(/^# HELP (\w+) (.*)\n# TYPE \1 (\w+)$/gm)].map(([, name, help, type]) => [
      name,
      type,
      help,
    ]);
    expect(told).toEqual(Object.values(METRICS).map(({ name, type, means }) => [name, type, means]));
    for (const { name, type } of Object.values(METRICS)) expect(name.endsWith('_total'), name).toBe(type === 'counter');
  });

  it('count requests by route, failures by code, pairs, tokens, and what was found in the store', async () => {
    const server = await served(model);
    await prime(model, server.store, [{ id: 'ad-secret', text: SECRETS[0]! }]);
    const items = [
      { document_id: 'ad-secret', target: 'lamp' },
      { document: 'x', target: 'lamp' },
    ];
    await server.ask('POST', '/v1/score', { items });
    await server.ask('POST', '/v1/score', { items: [] });
    await server.ask('GET', '/v1/documents-secret');
    expect(await valuesOf(server, 'dkv_requests_total')).toEqual({
      'method="POST",route="/v1/score",status="200"': 1,
      'method="POST",route="/v1/score",status="400"': 1,
      'method="GET",route="none",status="404"': 1,
    });
    expect(await valuesOf(server, 'dkv_failures_total')).toEqual({ 'code="INPUT_INVALID"': 1, 'code="NOT_FOUND"': 1 });
    expect(await valuesOf(server, 'dkv_pairs_total')).toEqual({ '': 2 });
    expect(await valuesOf(server, 'dkv_cache_hits_total')).toEqual({ '': 1 });
    expect(await valuesOf(server, 'dkv_cache_misses_total')).toEqual({ '': 1 });
    const read = [model.tokenizer.encode('x'), model.tokenizer.encode('lamp'), model.tokenizer.encode('lamp')];
    const tokens = (await valuesOf(server, 'dkv_tokens_total'))['']!;
    expect(tokens).toBeGreaterThanOrEqual(read.flat().length);
    expect(tokens).toBeLessThan(read.flat().length + 20);
    expect(await valuesOf(server, 'dkv_request_seconds_count')).toMatchObject({ 'route="/v1/score"': 2 });
    // Only requests that asked the engine for something have these times.
    expect(await valuesOf(server, 'dkv_inference_seconds_count')).toEqual({ 'route="/v1/score"': 1 });
    expect((await valuesOf(server, 'dkv_requests_in_flight'))['']).toBe(1);
    const { body } = await server.ask('GET', '/metrics');
    for (const secret of SECRETS) expect(body).not.toContain(secret);
  });

  it('say what is served, and count the store once a minute at most', async () => {
    const server = await served(model);
    let ticks = 0;
    watchServed(server.parts, () => ticks);
    await prime(model, server.store, [{ id: 'a', text: 'A lamp.' }]);
    await valuesOf(server, 'dkv_store_documents');
    const documents = async () => (await valuesOf(server, 'dkv_store_documents'))[''];
    expect(await documents()).toBe(1);
    expect((await valuesOf(server, 'dkv_store_bytes'))['']).toBeGreaterThan(0);
    await prime(model, server.store, [{ id: 'b', text: 'A chair.' }]);
    await documents();
    expect(await documents()).toBe(1);
    ticks += 60_000;
    await documents();
    expect(await documents()).toBe(2);
    const { computedAs, device } = model.engine.info;
    expect(await valuesOf(server, 'dkv_edition_info')).toEqual({
      [`model="tiny",fingerprint="${model.fingerprint.slice(0, 12)}",precision="${computedAs}",device="${device}",generation=""`]: 1,
    });
    expect(await valuesOf(server, 'dkv_engine_waiting_items')).toEqual({ 'class="interactive"': 0, 'class="bulk"': 0 });
    expect((await valuesOf(server, 'dkv_engine_batches_total'))['']).toBeGreaterThan(0);
  });

  it('want the widest scope, or none where the settings say so', async () => {
    const callers = () => ({ keyId: 'aaaaaaaaaaaa', tenant: 'acme', tenantSalt: 'x', scope: 'write' as const });
    const closed = await served(model, { callers });
    expect(await closed.ask('GET', '/metrics')).toMatchObject({ status: 403, body: { error: { code: 'FORBIDDEN' } } });
    const open = await served(model, { callers, settings: { listen: { open_metrics: true } } });
    expect((await open.ask('GET', '/metrics')).status).toBe(200);
  });
});

describe('the log', () => {
  it('has a line of each request, and neither texts nor queries nor ids', async () => {
    const lines: string[] = [];
    const server = await served(model, { log: { write: (line) => void lines.push(line) } });
    await prime(model, server.store, [{ id: 'ad-secret', text: SECRETS[0]! }]);
    await server.ask('POST', '/v1/score', { items: [{ document_id: 'ad-secret', query: SECRETS[1], target: 'lamp' }] });
    await server.ask('POST', '/v1/score?q=ad-secret', { items: [{ document_id: 'ad-secret' }] });
    await server.ask('GET', '/v1/ad-secret');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ method: 'POST', route: '/v1/score', status: 200, msg: 'answered' }),
      expect.objectContaining({ method: 'POST', route: '/v1/score', status: 400, code: 'INPUT_INVALID' }),
      expect.objectContaining({ method: 'GET', route: 'none', status: 404, code: 'NOT_FOUND' }),
    ]);
    expect(new Set(lines.map((line) => JSON.parse(line).request_id)).size).toBe(3);
    for (const secret of SECRETS) expect(lines.join('')).not.toContain(secret);
  });

  it('has the trace of whoever asks, and the answer has it with another span', async () => {
    const lines: string[] = [];
    const { ask } = await served(model, { log: { write: (line) => void lines.push(line) } });
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
    const { headers } = await ask('GET', '/health', undefined, { traceparent });
    expect(headers.traceparent).toMatch(new RegExp(`^00-${traceId}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`));
    expect(JSON.parse(lines[0]!).trace_id).toBe(traceId);
    const { headers: fresh } = await ask('GET', '/health', undefined, {
      traceparent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    });
    expect(fresh.traceparent).toMatch(/^00-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });
});

describe('a traceparent', () => {
  it.each([
    'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
    '00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7',
    '',
  ])('%j begins another trace', (traceparent) => {
    expect(traceOf(traceparent).traceId).not.toBe('4bf92f3577b34da6a3ce929d0e0e4736');
  });

  it('of a later version may have more', () => {
    expect(traceOf('cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more')).toMatchObject({
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      flags: '01',
    });
  });

  it('is always one that others can read', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const made = traceOf(text);
        expect(traceOf(traceparentOf(made)).traceId).toBe(made.traceId);
      }),
    );
  });
});
