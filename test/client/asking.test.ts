/** The client's way of asking, against a server that answers as a proxy, an overloaded server or a slow one would; test/client/client.test.ts asks the real one. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { DkvApiError, DkvClient } from '../../src/client/index.js';
import { bundleOf } from '../support/bundle.js';

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** A server that answers each request by the next of the handlers, the last one for all further ones. */
async function answering(...handlers: readonly Handler[]) {
  const asked: { readonly head: string; readonly body: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    const { method, url, headers } = request;
    const handler = handlers[Math.min(asked.length, handlers.length - 1)]!;
    asked.push({ head: `${method} ${url} ${headers.authorization ?? '-'} ${headers['content-type'] ?? '-'}`, body });
    handler(request, response, body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked };
}

const json =
  (status: number, value: unknown, headers: Record<string, string> = {}): Handler =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(value));
  };

const refusal = (code: string) => ({ error: { code, message: `${code} it is` } });
const busy = (seconds: string) => json(429, refusal('SERVER_BUSY'), { 'retry-after': seconds });
const silent: Handler = () => undefined;

it('asks with a key and JSON, and comes again as the server says', async () => {
  const { baseUrl, asked } = await answering(
    busy('0'),
    json(503, refusal('ENGINE_CLOSED'), { 'retry-after': '0.01' }),
    json(200, { results: [] }),
  );
  const client = new DkvClient({ baseUrl, apiKey: 'dkv_a_b' });
  expect(await client.rerank({ query: 'lamp', documents: [{ id: 'a' }] })).toEqual({ results: [] });
  expect(asked).toHaveLength(3);
  for (const { head, body } of asked) {
    expect(head).toBe('POST /v1/rerank Bearer dkv_a_b application/json');
    expect(JSON.parse(body)).toEqual({ query: 'lamp', documents: [{ id: 'a' }] });
  }
});

it.each([
  ['of which it has tried enough', 429, { 'retry-after': '0' }, 3],
  ['that would come too late', 429, { 'retry-after': '600' }, 1],
  ['without a time to come again', 503, {}, 1],
  ['that stays one', 400, { 'retry-after': '0' }, 1],
])('throws a refusal %s', async (_, status, headers, times) => {
  const { baseUrl, asked } = await answering(json(status, refusal('CODE'), headers as Record<string, string>));
  const error = await new DkvClient({ baseUrl }).info().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DkvApiError);
  const retryAfter = 'retry-after' in headers ? Number(headers['retry-after']) : undefined;
  expect(error).toMatchObject({ name: 'DkvApiError', code: 'CODE', message: 'CODE it is', status, retryAfter });
  expect(asked).toHaveLength(times);
});

it('says what a proxy answered in the server’s place', async () => {
  const { baseUrl } = await answering((_, response) => response.writeHead(502).end('<html>Bad gateway</html>'));
  await expect(new DkvClient({ baseUrl }).info()).rejects.toMatchObject({
    code: 'HTTP_ERROR',
    status: 502,
    message: expect.stringContaining('Bad gateway'),
  });
});

it('stops at its time, and when it is told to, while it waits as well', async () => {
  const slow = await answering(silent);
  await expect(new DkvClient({ baseUrl: slow.baseUrl, timeoutMs: 20 }).info()).rejects.toMatchObject({
    name: 'TimeoutError',
  });
  const stop = AbortSignal.timeout(20);
  await expect(new DkvClient({ baseUrl: slow.baseUrl }).info({ signal: stop })).rejects.toMatchObject({
    name: 'TimeoutError',
  });
  const full = await answering(busy('30'));
  const controller = new AbortController();
  const waiting = new DkvClient({ baseUrl: full.baseUrl }).info({ signal: controller.signal });
  void vi.waitFor(() => expect(full.asked).toHaveLength(1)).then(() => controller.abort(new Error('enough')));
  await expect(waiting).rejects.toThrow('enough');
  expect(full.asked).toHaveLength(1);
});

it('takes a server that is closing for an answer', async () => {
  const { baseUrl } = await answering(json(503, { status: 'closing' }, { 'retry-after': '0' }));
  expect(await new DkvClient({ baseUrl }).ready()).toEqual({ status: 'closing' });
});

it('puts many documents in requests of some, and numbers their results through', async () => {
  const { baseUrl, asked } = await answering((_, response, body) => {
    const lines = body.trimEnd().split('\n');
    // In pieces that end within lines and within characters.
    const bytes = Buffer.from(
      lines
        .map((line, at) => `${JSON.stringify({ line: at + 1, id: JSON.parse(line).id, status: 'primed' })}\n`)
        .join(''),
    );
    for (let at = 0; at < bytes.length; at += 1001) response.write(bytes.subarray(at, at + 1001));
    response.end();
  });
  const results: unknown[] = [];
  let taken = 0;
  async function* documents() {
    for (; taken < 600; ) yield { id: `ü${++taken}`, text: 'A lamp.' };
  }
  for await (const result of new DkvClient({ baseUrl }).documents.putMany(documents())) {
    results.push(result);
    // It runs a request ahead, and no more.
    expect(taken - results.length).toBeLessThanOrEqual(257);
  }
  expect(results).toEqual(
    Array.from({ length: 600 }, (_, at) => ({ line: at + 1, id: `ü${at + 1}`, status: 'primed' })),
  );
  expect(asked.map(({ body }) => body.split('\n').length - 1)).toEqual([256, 256, 88]);
  expect(asked[0]!.head).toBe('POST /v1/documents - application/x-ndjson');
});

it('names documents by any id', async () => {
  const { baseUrl, asked } = await answering(json(200, {}));
  const { documents } = new DkvClient({ baseUrl });
  await documents.get('a/b?c=ü');
  await documents.delete('%2e..', { sourceVersion: 3, reason: 'sold & gone' });
  expect(asked.map(({ head }) => head)).toEqual([
    'GET /v1/documents/a%2Fb%3Fc%3D%C3%BC - -',
    'DELETE /v1/documents/%252e..?source_version=3&reason=sold+%26+gone - -',
  ]);
  for (const id of ['.', '..']) await expect(documents.get(id)).rejects.toThrow(/has no address/);
  expect(asked).toHaveLength(2);
});

it('is made of fetch alone: nothing of Node, and no package', async () => {
  const source = path.resolve(import.meta.dirname, '../../src');
  const { ofNode, modules, script } = await bundleOf(source, ['client/index.ts']);
  expect(ofNode).toEqual([]);
  expect(modules.filter((id) => !id.startsWith(path.join(source, 'client')))).toEqual([]);
  expect(script.length).toBeLessThan(20_000);
});
