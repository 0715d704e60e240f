/** Completions in OpenAI's legacy form: numbers of the library, streams, refusals by name, and a client that hangs up. */
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DkvError } from '../../src/base/errors.js';
import { scoreTexts } from '../../src/scoring/inputs.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { generate } from '../../src/serving/generate.js';
import { prime } from '../../src/serving/prime.js';
import { served } from '../support/server.js';

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

const LAMP = { id: 'lamp', text: 'The green lamp costs 24 euros and gives warm light.' };
/** Hot enough that a text goes on to its largest number of tokens. */
const HOT = { temperature: 2, seed: 3 };

const eventsOf = (text: string) =>
  text
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => {
      expect(event.startsWith('data: ')).toBe(true);
      const data = event.slice('data: '.length);
      return data === '[DONE]' ? data : JSON.parse(data);
    });

it('writes what the library writes, from a stored document and from its text', async () => {
  const { ask, store } = await served(model);
  await prime(model, store, [LAMP]);
  const asked = { prompt: ['green'], max_tokens: 12, logprobs: 1, ...HOT };
  const stored = await ask('POST', '/v1/completions', { ...asked, document_id: 'lamp' });
  const [own] = await generate(model, store, [
    { id: 'lamp', prompt: 'green', maxTokens: 12, sampling: { temperature: 2, topP: 1, seed: 3 } },
  ]);
  if (own instanceof DkvError || !own) throw own;
  expect(stored.status).toBe(200);
  expect(stored.headers['x-cache']).toBe('hit=1, miss=0');
  expect(Number(stored.headers['x-inference-time-ms'])).toBeGreaterThan(0);
  const [choice] = stored.body.choices;
  expect(choice).toMatchObject({ index: 0, text: own.text, finish_reason: own.finish });
  expect(choice.logprobs.tokens).toEqual(own.pieces);
  expect(choice.logprobs.token_logprobs).toEqual([...own.logProbabilities]);
  expect(choice.logprobs.text_offset[0]).toBe(0);
  expect(stored.body).toMatchObject({ object: 'text_completion', model: model.name });
  const [promptTokens, completionTokens] = [own.promptTokens, own.tokenIds.length];
  expect(stored.body.usage).toEqual({
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  });
  const text = await ask('POST', '/v1/completions', { ...asked, document: LAMP.text });
  expect(text.body.choices[0].text).toBe(own.text);
  expect(text.headers['x-cache']).toBe('hit=0, miss=1');
  const greedy = { document_id: 'lamp', max_tokens: 5, temperature: 0 };
  const [one, other] = [await ask('POST', '/v1/completions', greedy), await ask('POST', '/v1/completions', greedy)];
  expect(one.body.choices).toEqual(other.body.choices);
  expect(one.body.choices[0].logprobs).toBeNull();
});

it('gives the log probabilities of a prompt, the first token included, where nothing is to be written', async () => {
  const { ask } = await served(model);
  const prompt = 'warm light';
  const asked = { document: LAMP.text, prompt, echo: true, logprobs: 0, temperature: 0 };
  const { status, body } = await ask('POST', '/v1/completions', { ...asked, max_tokens: 0 });
  expect(status).toBe(200);
  const [scored] = await scoreTexts(model, [{ document: LAMP.text, target: prompt }], { maxTokens: 2048 });
  if (scored instanceof DkvError || !scored) throw scored;
  const [{ text, logprobs, finish_reason }] = body.choices;
  expect([text, finish_reason]).toEqual([prompt, 'length']);
  expect(logprobs.tokens.join('')).toBe(prompt);
  expect(logprobs.token_logprobs).toHaveLength(scored.tokenNlls.length);
  for (const [i, nll] of scored.tokenNlls.entries()) expect(-logprobs.token_logprobs[i]).toBeCloseTo(nll, 5);
  expect(body.usage.completion_tokens).toBe(0);
  const more = await ask('POST', '/v1/completions', { ...asked, max_tokens: 2 });
  const own = more.body.choices[0];
  expect(own.text.startsWith(prompt)).toBe(true);
  expect(own.logprobs.token_logprobs.slice(0, logprobs.tokens.length)).toEqual(logprobs.token_logprobs);
  expect(own.logprobs.tokens.join('')).toBe(own.text);
});

it('ends at a stop string, and streams what it answers whole', async () => {
  const { ask, app } = await served(model);
  const asked = { document: LAMP.text, prompt: '', max_tokens: 40, logprobs: 1, ...HOT };
  const whole = (await ask('POST', '/v1/completions', asked)).body.choices[0];
  const middle = Math.floor(whole.text.length / 2);
  const stop = whole.text.slice(middle, middle + 3);
  const cut = await ask('POST', '/v1/completions', { ...asked, stop: ['never', stop] });
  expect(cut.body.choices[0]).toMatchObject({
    text: whole.text.slice(0, whole.text.indexOf(stop)),
    finish_reason: 'stop',
  });
  const payload = { ...asked, echo: false, stop, stream: true, stream_options: { include_usage: true } };
  const answer = await app.inject({ method: 'POST', url: '/v1/completions', payload });
  expect(answer.headers['content-type']).toContain('text/event-stream');
  const events = eventsOf(answer.body);
  expect(events.at(-1)).toBe('[DONE]');
  const usage = events.at(-2);
  expect(usage).toMatchObject({ choices: [], usage: cut.body.usage });
  const parts = events.slice(0, -2);
  expect(parts.length).toBeGreaterThan(2);
  expect(parts.map(({ choices }) => choices[0].text).join('')).toBe(cut.body.choices[0].text);
  for (const name of ['tokens', 'token_logprobs', 'text_offset']) {
    expect(parts.flatMap(({ choices }) => choices[0].logprobs?.[name] ?? [])).toEqual(
      cut.body.choices[0].logprobs[name],
    );
  }
  expect(parts.map(({ choices }) => choices[0].finish_reason)).toEqual([...Array(parts.length - 1).fill(null), 'stop']);
  // Before anything is sent a failure has its status.
  const refused = await app.inject({
    method: 'POST',
    url: '/v1/completions',
    payload: { document_id: 'none', stream: true },
  });
  expect([refused.statusCode, refused.json().error.code]).toEqual([404, 'DOCUMENT_MISSING']);
});

it('refuses by its name what is not there', async () => {
  const { ask } = await served(model, { settings: { limits: { generated_tokens: 50 } } });
  const base = { document: LAMP.text };
  const cases: readonly [object, RegExp][] = [
    [{}, /exactly one of document and document_id/],
    [{ ...base, document_id: 'lamp' }, /exactly one of/],
    [{ document_id: 'lamp', visibility: 'full' }, /visibility are of a text/],
    [{ ...base, variant: 'bare' }, /variant is of a stored document/],
    [{ ...base, prompt: ['a', 'b'] }, /prompt/],
    [{ ...base, prompt: [1, 2] }, /prompt/],
    [{ ...base, max_tokens: 0 }, /max_tokens is 0/],
    [{ ...base, max_tokens: 51 }, /max_tokens is 51; this server writes up to 50/],
    [{ ...base, max_tokens: 0, echo: true, logprobs: 1 }, /prompt is empty/],
    [{ ...base, logprobs: 5 }, /logprobs is 5; alternatives/],
    [{ ...base, n: 2 }, /n is 2/],
    [{ ...base, best_of: 3 }, /best_of is 3/],
    [{ ...base, suffix: 'x' }, /suffix is not supported/],
    [{ ...base, logit_bias: { 5: 1 } }, /logit_bias/],
    [{ ...base, presence_penalty: 0.5 }, /presence_penalty is 0\.5/],
    [{ ...base, frequency_penalty: -1 }, /frequency_penalty is -1/],
    [{ ...base, stop: ['a', 'b', 'c', 'd', 'e'] }, /stop/],
    [{ ...base, temperature: 3 }, /temperature/],
    [{ ...base, messages: [] }, /messages/],
  ];
  for (const [body, message] of cases) {
    const answer = await ask('POST', '/v1/completions', body);
    expect([answer.status, answer.body.error?.code], JSON.stringify(body)).toEqual([400, 'INPUT_INVALID']);
    expect(answer.body.error.message).toMatch(message);
  }
  expect((await ask('POST', '/v1/completions', { ...base, model: 'gpt' })).status).toBe(404);
  const late = await ask('POST', '/v1/completions', { ...base, deadline_ms: 1e-6 });
  expect([late.status, late.body.error.code]).toEqual([504, 'DEADLINE_PASSED']);
  // What says nothing else than the default is taken.
  const nulls = { n: 1, best_of: null, suffix: null, stop: null, logit_bias: {}, presence_penalty: 0, user: 'me' };
  expect((await ask('POST', '/v1/completions', { ...base, ...nulls })).status).toBe(200);
});

it('sends parts while it writes, and stops when the client hangs up', async () => {
  const { app } = await served(model, { settings: { limits: { generated_tokens: 100_000, decoder_tokens: 200_000 } } });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const controller = new AbortController();
  const { port } = app.server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ document: LAMP.text, max_tokens: 100_000, stream: true, ...HOT, seed: 5 }),
    signal: controller.signal,
  });
  expect(response.status).toBe(200);
  const { value } = await response.body!.getReader().read();
  expect(new TextDecoder().decode(value)).toMatch(/^data: \{"id":"cmpl-/);
  expect((await model.engine.load()).runningBatches).toBe(1);
  controller.abort();
  // All of it would take a minute or more.
  for (let i = 0; i < 500 && (await model.engine.load()).runningBatches > 0; i++) await setTimeout(10);
  expect((await model.engine.load()).runningBatches).toBe(0);
  // The client may have opened another connection, which closing would wait for.
  app.server.closeAllConnections();
});
