/** Spans of requests at a collector, by the real packages: what they say, what they do not, and what is said where packages are missing. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { loadModel } from '../../src/scoring/load-model.js';
import { openTelemetry, TELEMETRY_PACKAGES, wantsTelemetry } from '../../src/server/telemetry.js';
import { served } from '../support/server.js';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
}

interface Sent {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
}

/** A collector that keeps the spans that it is sent. */
async function collector() {
  const texts: string[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    texts.push(text);
    response.setHeader('content-type', 'application/json').end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const spans = () =>
    texts.flatMap((text) =>
      (JSON.parse(text) as Sent).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans: own }) => own)),
    );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, texts, spans };
}

it('sends a span of each request in the trace of whoever asks, and the answer and the log name it', async () => {
  const { url, spans, texts } = await collector();
  const telemetry = await openTelemetry(url);
  const lines: string[] = [];
  const model = await loadModel();
  onTestFinished(() => model.close());
  const { ask } = await served(model, { telemetry, log: { write: (line) => void lines.push(line) } });
  const [traceId, parent] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
  const items = [{ document_id: 'ad-secret', target: 'lamp' }];
  const first = await ask('POST', '/v1/score', { items }, { traceparent: `00-${traceId}-${parent}-01` });
  const second = await ask('POST', '/v1/score?q=ad-secret', { items, generation: 'ad-secret' });
  await ask('GET', '/v1/ad-secret');
  await telemetry.close();
  const requests = spans().filter(({ name }) => name === 'request');
  expect(requests.map((span) => [span.traceId, span.parentSpanId ?? ''])).toEqual([
    [traceId, parent],
    [expect.not.stringContaining(traceId), ''],
    [expect.not.stringContaining(traceId), ''],
  ]);
  expect(first.headers.traceparent).toBe(`00-${traceId}-${requests[0]!.spanId}-01`);
  expect(second.headers.traceparent).toBe(`00-${requests[1]!.traceId}-${requests[1]!.spanId}-01`);
  expect(lines.map((line) => JSON.parse(line).trace_id)).toEqual(requests.map((span) => span.traceId));
  expect(texts.join('')).toContain('/v1/score');
  expect(texts.join('')).not.toContain('ad-secret');
});

it('names the packages and how to get them where they are missing', async () => {
  const missing = () =>
    Promise.reject(Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' }));
  await expect(openTelemetry('http://127.0.0.1:1', missing)).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: expect.stringContaining(`npm install ${TELEMETRY_PACKAGES}`),
  });
});

it('is wanted where the settings or the environment name a collector', () => {
  expect(wantsTelemetry(undefined, {})).toBe(false);
  expect(wantsTelemetry('http://127.0.0.1:4318', {})).toBe(true);
  expect(wantsTelemetry(undefined, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' })).toBe(true);
  expect(wantsTelemetry('http://127.0.0.1:4318', { OTEL_SDK_DISABLED: 'true' })).toBe(false);
});
