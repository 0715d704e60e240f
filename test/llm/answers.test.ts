/** What endpoints answer, from the wire to the cache. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.js';
import { EndpointWriter } from '../../src/llm/endpoint-writer.js';
import type { LlmSettings } from '../../src/llm/settings.js';
import { QUERY_PROMPTS } from '../../src/priming/prompts.js';
import { CLEANED, REFUSED } from '../support/answers.js';
import { ChatEndpoint } from '../support/chat-endpoint.js';
import { temporaryFolder } from '../support/fixtures.js';

let endpoint: ChatEndpoint;
let cacheDirectory: string;
beforeEach(async () => {
  endpoint = await ChatEndpoint.start();
  cacheDirectory = await temporaryFolder();
});

const writer = (changes: Partial<LlmSettings> = {}) =>
  new EndpointWriter(
    {
      baseUrl: endpoint.baseUrl,
      model: 'gemma',
      apiKey: new Secret('sk-private'),
      pricePerMillionTokens: undefined,
      ...changes,
    },
    { cacheDirectory, firstPauseMs: 2, concurrency: 1 },
  );

async function cachedFiles(): Promise<string[]> {
  const found = await readdir(cacheDirectory, { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

/** An answer of the usual form, with changes to its choice and beside it. */
const body = (choice: object, beside: object = {}) => JSON.stringify({ choices: [{ index: 0, ...choice }], ...beside });
const said = (content: unknown, more: object = {}) => ({ message: { role: 'assistant', content, ...more } });

describe('answers of language models', () => {
  it('are cleaned', async () => {
    endpoint.reply = (_, count) => ({ content: CLEANED[count - 1]![0] });
    const documents = CLEANED.map((_, i) => `document ${i}`);
    expect(await writer().asked('p')(documents, {})).toEqual(CLEANED.map(([, query]) => query));
    // The same from the cache.
    expect(await writer().asked('p')(documents, {})).toEqual(CLEANED.map(([, query]) => query));
    expect(endpoint.requests).toHaveLength(CLEANED.length);
  });

  it('or refused, shown, and never kept', async () => {
    for (const [answer, reason] of REFUSED) {
      endpoint.reply = () => ({ content: answer });
      const [failure] = await writer().asked('p')(['d'], {});
      expect(failure).toMatchObject({ code: 'LLM_REJECTED', message: expect.stringContaining(reason) });
      expect((failure as Error).message).toContain(JSON.stringify(answer.replace(/\s+/g, ' ').trim()).slice(1, -1));
    }
    expect(await cachedFiles()).toEqual([]);
  });

  it('are shown in part, without control characters and without the key', async () => {
    endpoint.reply = () => ({ content: `<think>\x1b[2J\u202e sk-private ${'x'.repeat(1000)}` });
    const [failure] = await writer().asked('p')(['d'], {});
    const { message } = failure as Error;
    expect(message).toContain('"<think>\\u001b[2J\\u202e [hidden] xxx');
    expect(message.length).toBeLessThan(600);
  });

  it('are looked at again when they come from the cache of an older version', async () => {
    await writer().asked('p')(['d'], {});
    const [file] = await cachedFiles();
    await writeFile(file!, JSON.stringify({ format: 1, about: '', answer: '<think>The user wants' }));
    endpoint.reply = () => ({ content: 'Sure! Here is one:\ngreen lamp' });
    expect(await writer().asked('p')(['d'], {})).toEqual(['green lamp']);
    expect(endpoint.requests).toHaveLength(2);
    await writeFile(file!, JSON.stringify({ format: 1, about: '', answer: '1. **desk lamp**' }));
    expect(await writer().asked('p')(['d'], {})).toEqual(['desk lamp']);
    expect(endpoint.requests).toHaveLength(2);
  });

  it('to the question for keywords may be lists', async () => {
    endpoint.reply = () => ({ content: '1. lamp\n2. desk\n3. green' });
    expect(await writer().asked(QUERY_PROMPTS.keywords)(['d'], {})).toEqual(['lamp desk green']);
    expect(await writer().asked(QUERY_PROMPTS.need)(['d'], {})).toEqual(['lamp']);
  });
});

describe('what is beside the text', () => {
  it.each([
    ['nothing', body(said('green lamp'))],
    ['usage null', body(said('green lamp'), { usage: null })],
    ['usage of another form', body(said('green lamp'), { usage: { prompt_tokens: '12', completion_tokens: null } })],
    ['usage a number', body(said('green lamp'), { usage: 12 })],
    ['a negative count', body(said('green lamp'), { usage: { prompt_tokens: -1, completion_tokens: 2.5 } })],
    ['an odd finish_reason', body({ ...said('green lamp'), finish_reason: 'eos' })],
    ['finish_reason null', body({ ...said('green lamp'), finish_reason: null })],
    ['finish_reason an object', body({ ...said('green lamp'), finish_reason: { type: 'stop' }, stop_reason: 106 })],
    ['no index, no id', JSON.stringify({ choices: [{ message: { content: 'green lamp' } }] })],
    ['fields nobody knows', body({ ...said('green lamp', { annotations: [], audio: null }), logprobs: 1 }, { x: {} })],
    ['reasoning', body(said('green lamp', { reasoning_content: 'They want a lamp.', reasoning_details: [{}] }))],
    ['refusal null', body(said('green lamp', { refusal: null, tool_calls: [] }))],
    ['refusal a flag', body(said('green lamp', { refusal: false }))],
    [
      'parts',
      body(
        said([
          { type: 'text', text: 'green ' },
          { type: 'text', text: 'lamp' },
        ]),
      ),
    ],
    ['parts without types', body(said([{ text: 'green lamp' }, 'x'].slice(0, 1)))],
    ['parts that are strings', body(said(['green ', 'lamp']))],
    [
      'parts with thoughts',
      body(
        said([
          { type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] },
          { type: 'text', text: 'green lamp' },
        ]),
      ),
    ],
    ['several choices', JSON.stringify({ choices: [said('green lamp'), said('desk lamp')] })],
    ['a long list of probabilities', body({ ...said('green lamp'), logprobs: { content: 'x'.repeat(300_000) } })],
  ])('refuses no good answer: %s', async (_, answer) => {
    endpoint.reply = () => ({ body: answer });
    const one = writer();
    expect(await one.asked('p')(['d'], {})).toEqual(['green lamp']);
    expect(one.summary.promptTokens).toBeGreaterThanOrEqual(0);
    expect(one.summary.completionTokens).toBeGreaterThanOrEqual(0);
  });

  it.each([
    [
      'thoughts alone',
      body({ ...said(null, { reasoning_content: 'They want' }), finish_reason: 'length' }),
      'thoughts beside it',
    ],
    ['a refusal', body(said(null, { refusal: "I'm sorry, I can't help." })), 'the model refuses'],
    ['parts without text', body(said([{ type: 'image_url', image_url: {} }])), 'holds no word'],
    ['no content', body({ message: { role: 'assistant' }, finish_reason: 'content_filter' }), 'holds no word'],
  ])('is no text: %s', async (_, answer, message) => {
    endpoint.reply = () => ({ body: answer });
    const [failure] = await writer().asked('p')(['d'], {});
    expect(failure).toMatchObject({ code: 'LLM_REJECTED', message: expect.stringContaining(message) });
  });
});

describe('an answer that reached its limit of tokens', () => {
  it('loses its last word, which may be half a word, and is counted', async () => {
    endpoint.reply = () => ({ body: body({ ...said('cheap green desk la'), finish_reason: 'length' }) });
    const one = writer();
    expect(await one.asked('p')(['d'], {})).toEqual(['cheap green desk']);
    expect(one.summary.shortened).toBe(1);
    // The cache keeps that it was cut off.
    const again = writer();
    expect(await again.asked('p')(['d'], {})).toEqual(['cheap green desk']);
    expect(again.summary).toMatchObject({ requests: 0, shortened: 1 });
    expect(JSON.parse(await readFile((await cachedFiles())[0]!, 'utf8'))).toMatchObject({ cut_off: true });
  });

  it('is refused where nothing whole is left', async () => {
    endpoint.reply = () => ({ body: body({ ...said('<think>The user'), finish_reason: 'length' }) });
    const [failure] = await writer().asked('p')(['d'], {});
    expect(failure).toMatchObject({ message: expect.stringContaining('its 30 tokens were used up') });
  });
});

describe('the limit of tokens', () => {
  const WANTS = JSON.stringify({
    error: {
      message:
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      code: 'unsupported_parameter',
    },
  });
  const modern = () => {
    endpoint.reply = (request) => ('max_tokens' in request.body ? { status: 400, body: WANTS } : { content: 'lamp' });
  };
  const names = () =>
    endpoint.requests.map(({ body: sent }) => Object.keys(sent).find((name) => name.startsWith('max_')));

  it('gets the name that the endpoint asks for', async () => {
    modern();
    expect(await writer().asked('p')(['d', 'e', 'f'], {})).toEqual(['lamp', 'lamp', 'lamp']);
    expect(names()).toEqual(['max_tokens', ...Array(3).fill('max_completion_tokens')]);
  });

  it('has the name and the size that are set, under which texts are kept', async () => {
    modern();
    const one = writer({ tokenLimit: 'max_completion_tokens', maxTokens: 500 });
    expect(await one.asked('p')(['d'], {})).toEqual(['lamp']);
    expect(endpoint.requests[0]!.body).toMatchObject({ max_completion_tokens: 500 });
    expect(one.identity).toBe(`gemma at ${endpoint.baseUrl}, 500 tokens`);
    await writer({ tokenLimit: 'max_completion_tokens' }).asked('p')(['d'], {});
    expect(endpoint.requests).toHaveLength(2);
  });

  it('that is set wrongly is said', async () => {
    modern();
    await expect(writer({ tokenLimit: 'max_tokens' }).asked('p')(['d'], {})).rejects.toMatchObject({
      code: 'LLM_DENIED',
      message: expect.stringContaining('Set DKV_LLM_TOKEN_LIMIT to max_completion_tokens.'),
    });
  });

  it('is not tried again and again under both names', async () => {
    endpoint.reply = () => ({ status: 400, body: 'max_tokens or max_completion_tokens must be over 100' });
    const [failure] = await writer().asked('p')(['d'], {});
    expect(failure).toMatchObject({ code: 'LLM_REJECTED', message: expect.stringContaining('must be over 100') });
    expect(endpoint.requests).toHaveLength(2);
  });
});
