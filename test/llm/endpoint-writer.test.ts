import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.js';
import { type EndpointOptions, EndpointWriter } from '../../src/llm/endpoint-writer.js';
import { prepareSurrogates } from '../../src/priming/prepare.js';
import { QUERY_PROMPTS } from '../../src/priming/prompts.js';
import { surrogate } from '../../src/priming/surrogate.js';
import { ChatEndpoint } from '../support/chat-endpoint.js';
import { temporaryFolder } from '../support/fixtures.js';

const KEY = 'sk-veryPrivateKey0123456789';

let endpoint: ChatEndpoint;
let cacheDirectory: string;
beforeEach(async () => {
  endpoint = await ChatEndpoint.start();
  cacheDirectory = await temporaryFolder();
});

const writer = (options: Partial<EndpointOptions> = {}, prices?: { input: number; output: number }) =>
  new EndpointWriter(
    { baseUrl: endpoint.baseUrl, model: 'gemma', apiKey: new Secret(KEY), pricePerMillionTokens: prices },
    { cacheDirectory, firstPauseMs: 2, graceMs: 50, ...options },
  );
const documentsOf = (count: number) => Array.from({ length: count }, (_, i) => `document ${i} is green`);
/** Answers with words of the document, so that mixed-up answers would show. */
const byDocument = () => {
  endpoint.reply = ({ body }) => ({ content: `about ${/document \d+/.exec(body.messages[0]!.content)![0]}` });
};
const answersOf = (count: number) => Array.from({ length: count }, (_, i) => `about document ${i}`);

async function filesIn(directory: string): Promise<string[]> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

describe('a request', () => {
  it('is the prompt with the document, and the parameters of the research', async () => {
    await writer().asked(QUERY_PROMPTS.need)(['one  two\nthree'], {});
    expect(endpoint.requests).toEqual([
      {
        method: 'POST',
        url: '/v1/chat/completions',
        authorization: `Bearer ${KEY}`,
        body: {
          model: 'gemma',
          messages: [{ role: 'user', content: `${QUERY_PROMPTS.need}\n\nDocument:\none two three` }],
          max_tokens: 30,
          temperature: 0.7,
          top_p: 0.9,
        },
      },
    ]);
  });

  it('goes without a key where there is none', async () => {
    const settings = { baseUrl: endpoint.baseUrl, model: 'm', apiKey: undefined, pricePerMillionTokens: undefined };
    const texts = await new EndpointWriter(settings, { cacheDirectory }).asked('p')(['d'], {});
    expect(texts).toEqual(['cheap green lamp']);
    expect(endpoint.requests[0]!.authorization).toBeUndefined();
  });
});

describe('writing', () => {
  it('gives texts in order, at most so many requests at once', async () => {
    endpoint.reply = async ({ body }, count) => ({
      content: `about ${/document \d+/.exec(body.messages[0]!.content)![0]}`,
      delayMs: (count * 7) % 20,
    });
    const progress: number[] = [];
    const texts = await writer({ concurrency: 3 }).asked('p')(documentsOf(20), {
      onProgress: (done, total) => progress.push(done / total),
    });
    expect(texts).toEqual(answersOf(20));
    expect(endpoint.mostUnderWay).toBe(3);
    expect(progress).toEqual(Array.from({ length: 20 }, (_, i) => (i + 1) / 20));
  });

  it('keeps one line without quotes, whatever else comes', async () => {
    endpoint.reply = () => ({ content: '\n “cheap green desk lamp” \nThis is what somebody would type.' });
    expect(await writer().asked('p')(['d'], {})).toEqual(['cheap green desk lamp']);
  });

  it('counts requests, tokens, seconds and cost', async () => {
    const one = writer({}, { input: 2, output: 10 });
    await one.asked('p')(documentsOf(5), {});
    await one.asked('p')(documentsOf(6), {});
    expect(one.summary).toEqual({
      requests: 6,
      fromCache: 5,
      failures: 0,
      shortened: 0,
      promptTokens: 600,
      completionTokens: 30,
      seconds: expect.any(Number),
      cost: (600 * 2 + 30 * 10) / 1e6,
    });
    expect(one.summary.seconds).toBeGreaterThan(0);
    expect(writer().summary.cost).toBeNull();
  });
});

describe('the cache', () => {
  it('answers a second time, also to another process', async () => {
    byDocument();
    await writer().asked('p')(documentsOf(6), {});
    const again = writer();
    expect(await again.asked('p')(documentsOf(6), {})).toEqual(answersOf(6));
    expect(again.summary).toMatchObject({ requests: 0, fromCache: 6 });
    expect(endpoint.requests).toHaveLength(6);
  });

  it('is asked by everything that the answer depends on', async () => {
    await writer().asked('p')(['d'], {});
    await writer().asked('another prompt')(['d'], {});
    const settings = { baseUrl: endpoint.baseUrl, model: 'other', apiKey: undefined, pricePerMillionTokens: undefined };
    await new EndpointWriter(settings, { cacheDirectory }).asked('p')(['d'], {});
    expect(endpoint.requests).toHaveLength(3);
    // Only the words that are shown count.
    const words = Array.from({ length: 150 }, (_, i) => `w${i}`).join(' ');
    await writer().asked('p')([`${words} end`], {});
    await writer().asked('p')([`${words.replace('w1 ', 'w1\n')} another end`], {});
    expect(endpoint.requests).toHaveLength(4);
  });

  it('is asked again for what cannot be read', async () => {
    await writer().asked('p')(['d'], {});
    const [file] = await filesIn(cacheDirectory);
    for (const damaged of ['', '{"format":1', '{"format":2,"about":"","answer":"old"}']) {
      await writeFile(file!, damaged);
      expect(await writer().asked('p')(['d'], {})).toEqual(['cheap green lamp']);
    }
    expect(endpoint.requests).toHaveLength(4);
    expect(await filesIn(cacheDirectory)).toEqual([file]);
  });

  it('says that it cannot be written, before anything is paid for', async () => {
    const file = path.join(cacheDirectory, 'file');
    await writeFile(file, '');
    await expect(writer({ cacheDirectory: file }).asked('p')(['d'], {})).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining(file),
    });
    expect(endpoint.requests).toHaveLength(0);
  });
});

describe('failures that pass', () => {
  it.each([
    ['429', { status: 429 }],
    ['500', { status: 500, body: 'oops' }],
    ['503', { status: 503 }],
    ['a cut connection', { cut: true }],
    ['junk', { body: '<html>Log in to the network</html>' }],
    ['another JSON', { body: '{"hello":1}' }],
  ])('%s: tried again', async (_, reply) => {
    endpoint.reply = (_request, count) => (count <= 2 ? reply : { content: 'lamp' });
    const one = writer();
    expect(await one.asked('p')(['d'], {})).toEqual(['lamp']);
    expect(one.summary).toMatchObject({ requests: 3, failures: 0 });
  });

  it('silence: given up after the timeout and tried again', async () => {
    endpoint.reply = (_request, count) => (count === 1 ? { silent: true } : { content: 'lamp' });
    expect(await writer({ timeoutMs: 150 }).asked('p')(['d'], {})).toEqual(['lamp']);
  });

  it.each([
    ['seconds', () => '1'],
    ['a date', () => new Date(Date.now() + 2000).toUTCString()],
  ])('Retry-After in %s is waited for', async (_, retryAfter) => {
    const arrivals: number[] = [];
    endpoint.reply = (_request, count) => {
      arrivals.push(performance.now());
      return count === 1 ? { status: 429, headers: { 'retry-after': retryAfter() } } : { content: 'lamp' };
    };
    expect(await writer().asked('p')(['d'], {})).toEqual(['lamp']);
    // A date has whole seconds: of two that were asked for, one at least is left.
    expect(arrivals[1]! - arrivals[0]!).toBeGreaterThan(950);
  });

  it('a pause that is too long is not waited for', async () => {
    endpoint.reply = () => ({ status: 429, headers: { 'retry-after': '3600' } });
    const [failure] = await writer().asked('p')(['d'], {});
    expect(failure).toMatchObject({ code: 'LLM_UNREACHABLE', message: expect.stringContaining('3600 s') });
    expect(endpoint.requests).toHaveLength(1);
  });

  it('pauses grow', async () => {
    const arrivals: number[] = [];
    endpoint.reply = () => {
      arrivals.push(performance.now());
      return { status: 500 };
    };
    await writer({ firstPauseMs: 40 }).asked('p')(['d'], {});
    const pauses = arrivals.slice(1).map((at, i) => at - arrivals[i]!);
    expect(pauses).toHaveLength(4);
    for (const [i, pause] of pauses.entries()) expect(pause).toBeGreaterThanOrEqual(20 * 2 ** i - 2);
  });
});

describe('failures that stay', () => {
  it('cost their own document only', async () => {
    endpoint.reply = ({ body }) => {
      const content = body.messages[0]!.content;
      if (content.includes('document 1 ')) return { status: 400, body: '{"error":{"message":"content policy"}}' };
      if (content.includes('document 2 ')) return { status: 502 };
      if (content.includes('document 3 ')) return { content: ' "" ' };
      if (content.includes('document 4 ')) return { content: null };
      return { content: 'lamp' };
    };
    const one = writer({ concurrency: 1 });
    const texts = await one.asked('p')(documentsOf(6), {});
    expect(texts).toEqual([
      'lamp',
      expect.objectContaining({ code: 'LLM_REJECTED', message: expect.stringContaining('content policy') }),
      expect.objectContaining({ code: 'LLM_UNREACHABLE', message: expect.stringContaining('502') }),
      expect.objectContaining({ code: 'LLM_REJECTED', message: expect.stringContaining('it holds no word') }),
      expect.objectContaining({ code: 'LLM_REJECTED' }),
      'lamp',
    ]);
    // 400 is not tried again, 502 is: five times.
    expect(one.summary).toMatchObject({ requests: 1 + 1 + 5 + 1 + 1 + 1, failures: 4 });
  });

  it.each([401, 402, 403, 404, 307])('%i ends everything at once', async (status) => {
    endpoint.reply = () => ({ status, headers: { location: 'http://127.0.0.1:1/' }, body: 'no' });
    await expect(writer({ concurrency: 1 }).asked('p')(documentsOf(20), {})).rejects.toMatchObject({
      code: 'LLM_DENIED',
      message: expect.stringContaining('Check DKV_LLM_BASE_URL, DKV_LLM_MODEL and DKV_LLM_API_KEY'),
    });
    expect(endpoint.requests).toHaveLength(1);
  });

  it('in a row end everything', async () => {
    endpoint.reply = () => ({ status: 422 });
    await expect(writer({ concurrency: 1 }).asked('p')(documentsOf(30), {})).rejects.toMatchObject({
      code: 'LLM_REJECTED',
      message: expect.stringContaining('8 documents in a row'),
    });
    expect(endpoint.requests).toHaveLength(8);
  });

  it('here and there do not', async () => {
    endpoint.reply = (_request, count) => (count % 2 === 0 ? { status: 422 } : { content: 'lamp' });
    const one = writer({ concurrency: 1 });
    await one.asked('p')(documentsOf(30), {});
    expect(one.summary.failures).toBe(15);
  });

  it('say that nobody answers', async () => {
    const settings = {
      baseUrl: 'http://127.0.0.1:1/v1',
      model: 'm',
      apiKey: undefined,
      pricePerMillionTokens: undefined,
    };
    const [failure] = await new EndpointWriter(settings, { cacheDirectory, firstPauseMs: 1 }).asked('p')(['d'], {});
    expect(failure).toMatchObject({ code: 'LLM_UNREACHABLE', message: expect.stringContaining('ECONNREFUSED') });
  });
});

describe('the key', () => {
  it('is in no message, summary or file, even when the endpoint repeats it', async () => {
    const said: unknown[] = [];
    for (const status of [200, 400, 401, 500]) {
      endpoint.reply = ({ authorization }) => ({ status, body: `{"error":"bad key ${authorization}"}` });
      const one = writer();
      said.push(
        await one
          .asked('p')(['d'], {})
          .catch((error: unknown) => error),
        one.summary,
        one.identity,
        one,
      );
    }
    endpoint.reply = () => ({ content: 'lamp' });
    await writer().asked('p')(['d'], {});
    const files = await filesIn(cacheDirectory);
    expect(files).toHaveLength(1);
    said.push(await readFile(files[0]!, 'utf8'));
    expect(said[0]).toMatchObject([expect.objectContaining({ message: expect.stringContaining('[hidden]') })]);
    expect(inspect(said, { depth: 10, showHidden: true })).not.toContain('veryPrivate');
    expect(said.map((one) => (one instanceof Error ? one.stack : JSON.stringify(one))).join()).not.toContain('veryP');
  });
});

describe('stopping', () => {
  it('keeps what has been written and what is on its way', async () => {
    byDocument();
    const { reply } = endpoint;
    endpoint.reply = async (request, count) => ({ ...(await reply(request, count)), delayMs: count < 6 ? 20 : 300 });
    const controller = new AbortController();
    const one = writer({ concurrency: 2, graceMs: 5000 });
    const stopped = one.asked('p')(documentsOf(30), {
      signal: controller.signal,
      onProgress: (done) => {
        if (done === 5) controller.abort();
      },
    });
    await expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' });
    // What was under way at the stop has arrived and is kept.
    expect(await filesIn(cacheDirectory)).toHaveLength(one.summary.requests);
    expect(one.summary.requests).toBeGreaterThan(5);
    const before = endpoint.requests.length;
    expect(before).toBeLessThan(9);
    expect(await writer().asked('p')(documentsOf(30), {})).toEqual(answersOf(30));
    expect(endpoint.requests).toHaveLength(30);
  });

  it('does not wait for an endpoint that hangs, nor for pauses', async () => {
    for (const reply of [{ silent: true }, { status: 429, headers: { 'retry-after': '100' } }]) {
      endpoint.reply = () => reply;
      const controller = new AbortController();
      const stopped = writer().asked('p')(documentsOf(3), { signal: controller.signal });
      const outcome = expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' });
      await sleep(50);
      const startedAt = performance.now();
      controller.abort();
      await outcome;
      expect(performance.now() - startedAt).toBeLessThan(2000);
    }
  });

  it('by force loses nothing that has arrived', async () => {
    byDocument();
    const { reply } = endpoint;
    let child: ReturnType<typeof spawn> | undefined;
    endpoint.reply = async (request, count) => {
      // One of the two at once waits, so that nothing but the twelfth is on its way when the signal is sent.
      if (count === 11) return { silent: true };
      if (count === 12) child?.kill('SIGKILL');
      return { ...(await reply(request, count)), delayMs: 20 };
    };
    // What users run is what was built.
    const dist = path.resolve(import.meta.dirname, '../../dist');
    const script = `
      import { EndpointWriter } from '${dist}/llm/endpoint-writer.js';
      const settings = { baseUrl: '${endpoint.baseUrl}', model: 'gemma' };
      const documents = Array.from({ length: 40 }, (_, i) => 'document ' + i + ' is green');
      await new EndpointWriter(settings, { cacheDirectory: ${JSON.stringify(cacheDirectory)}, concurrency: 2 }).asked('p')(documents, {});
    `;
    child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'inherit' });
    const [, signal] = await once(child, 'exit');
    expect(signal).toBe('SIGKILL');
    expect(endpoint.requests).toHaveLength(12);
    const again = writer();
    expect(await again.asked('p')(documentsOf(40), {})).toEqual(answersOf(40));
    // Lost are at most the two that were on their way and the two that were just being put on disk.
    expect(again.summary.fromCache).toBeGreaterThanOrEqual(8);
    expect(again.summary.fromCache + again.summary.requests).toBe(40);
  });
});

describe('surrogates from an endpoint', () => {
  const samples = documentsOf(3).map((document, i) => ({ id: `${i}`, document, query: 'a b', answer: 'c' }));

  it('are looked up after they have been prepared', async () => {
    endpoint.reply = ({ body }) => {
      const { content } = body.messages[0]!;
      const number = /document (\d+)/.exec(content)![1];
      if (content.startsWith(QUERY_PROMPTS.question) && number === '1') return { status: 400, body: 'refused' };
      return { content: `${content.startsWith('Ask: why?') ? 'why' : 'what'} number ${number}` };
    };
    const specifications = ['oracle', 'llm:need', 'llm:need*2', 'scramble(llm:question)*2', 'llm:prompt=Ask: why?'];
    const progress: string[] = [];
    const twice = [...samples, { ...samples[0]!, id: 'same document' }];
    const prepared = await prepareSurrogates(
      specifications,
      twice,
      { llm: writer().asked },
      { onProgress: (done, total) => progress.push(`${done}/${total}`) },
    );
    // Three prompts, three distinct documents.
    expect(endpoint.requests).toHaveLength(9);
    expect(progress).toEqual(Array.from({ length: 9 }, (_, i) => `${i + 1}/9`));
    const make = (specification: string, index: number) =>
      surrogate(specification).make(twice[index]!, { index, samples: twice, seed: 42, prepared });
    expect(make('llm:need', 2)).toBe('what number 2');
    expect(make('llm:need*2', 3)).toBe('what number 0 what number 0');
    expect(make('llm:prompt=Ask: why?', 1)).toBe('why number 1');
    expect(make('scramble(llm:question)', 2).split(' ').sort()).toEqual(['2', 'number', 'what']);
    expect(() => make('llm:question', 1)).toThrow(
      expect.objectContaining({ code: 'LLM_REJECTED', message: expect.stringContaining('refused') }),
    );
    expect(() => make('llm:keywords', 1)).toThrow('nothing was prepared');
  });

  it('say what is missing', async () => {
    await expect(prepareSurrogates(['llm:need*4'], samples, {})).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('DKV_LLM_BASE_URL'),
    });
    await expect(prepareSurrogates(['self'], samples, {})).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });

  it('need nobody when nothing is to be written', async () => {
    const prepared = await prepareSurrogates(['oracle', 'doc_kw*4'], samples, {});
    expect(prepared.taggedKeywords).toBeUndefined();
  });
});
